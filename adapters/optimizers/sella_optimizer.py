# /// script
# requires-python = ">=3.11"
# dependencies = ["sella==2.6.0"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "Sella"
# download-mb = 150
#
# [tool.pesbench.optimizers.Sella]
# label = "Sella (internal)"
# note = "Sella's minimiser in internal coordinates, one set for each fragment, with a trust radius."
# ///
"""Sella (Hermes, Sargsyan, Najm and Zador, J. Chem. Theory Comput. 18, 6974 (2022)) as a minimiser."""

from __future__ import annotations

from typing import Any


def make(name: str, atoms: Any) -> Any:
    """Return the optimiser of `atoms`, which have a calculator."""
    from sella import Sella

    return Sella(atoms, order=0, internal=True, allow_fragments=True, logfile=None)
