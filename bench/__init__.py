"""pesbench: what does one step cost with this interatomic potential, on this machine?

Imported inside every method's own environment too, so nothing heavy is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import protocols  # whoever imports anything of pesbench finds the protocols registered

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bench.results.dataframes import load

__all__ = ["__version__", "load", "protocols"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from bench.results.dataframes import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
