# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "symmetrix-xl==0.1.1",
#   "symmetrix-xl-cpu-avx512==0.1.1; platform_machine == 'x86_64'",
#   "matscipy==1.3.1",  # finds neighbours faster than ASE
#   "ase==3.29.0",
#   "numpy==2.4.6",
#   "scipy==1.17.1",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# override-dependencies = ["matplotlib; sys_platform == 'never'"]
#
# [tool.pesbench]
# family = "MACE (Symmetrix)"
# kind = "mlip"
# devices = ["cpu"]
# dtypes = ["float32", "float64"]
# periodic = true
# stress = true
# download-mb = 110
#
# [tool.pesbench.conversion]
# command = ["-m", "symmetrix.cli.extract_mace", "--model", "{checkpoint}", "--output", "{converted}"]
# file = "mace.json"
# dependencies = ["symmetrix-xl==0.1.1"]
#
# [tool.pesbench.knobs]
# backend = ["auto", "cpu", "cpu-avx512"]  # auto: AVX-512 where the processor has it
# neighbor-skin = ["0.5", "0.0"]  # Angstrom; with 0.0, each force call makes a new list
#
# [tool.pesbench.methods."mace-mp-0-small@symmetrix"]
# engine-of = "mace-mp-0-small"
# label = "MACE-MP-0 (small), Symmetrix"
# memory-mb = 900
# force-tolerance = 0.01  # as for the reference: the noise of a float32 energy
# energy-limit = 1e-4
# force-limit = 5e-3
# limit-reason = "its compact format has splines of 256 points for the radial part of the model"
# [tool.pesbench.methods."mace-mp-0-small@symmetrix-speed"]
# engine-of = "mace-mp-0-small"
# label = "MACE-MP-0 (small), Symmetrix, speed"
# memory-mb = 900
# force-tolerance = 0.01
# energy-limit = 1e-4
# force-limit = 5e-3
# limit-reason = "its compact format has splines of 256 points for the radial part of the model"
# note = "Its execution profile is speed, not capacity."
#
# [tool.pesbench.methods."mace-mh-1@symmetrix"]
# engine-of = "mace-mh-1"
# label = "MACE-MH-1 (omol), Symmetrix"
# convert = ["--head", "omol"]
# memory-mb = 2000
# energy-limit = 1e-4
# force-limit = 5e-3
# limit-reason = "its compact format has splines of 256 points for the radial part of the model"
# ///
"""MACE's foundation models in Symmetrix-XL, C++ on Kokkos without torch; see docs/engines.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.adapter import Adapter, as_arguments, refuse_ions

HEADS = {"mace-mh-1@symmetrix": "omol"}
PROFILES = {"mace-mp-0-small@symmetrix-speed": "speed"}
VACUUM = 10.0  # Angstrom on each side of a molecule; the neighbour list needs a cell, also where nothing is periodic
NEEDS_AVX512 = "cpu-avx512"


class Symmetrix(Adapter):
    """Symmetrix's ASE calculator of a converted checkpoint."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return Symmetrix's ASE calculator (eV, Angstrom); OMP_NUM_THREADS alone sets its threads."""
        backend = self._backend()
        if backend == NEEDS_AVX512 and not has_avx512():
            raise RuntimeError(f"the backend {backend} needs AVX-512, which this processor has not; take backend=cpu")
        os.environ["SYMMETRIX_BACKEND"] = backend
        # it compiles for each model and machine; like torch's, its code is kept for the processes of one command
        if "TORCHINDUCTOR_CACHE_DIR" in os.environ:
            folder = Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]) / "symmetrix"
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.environ["SYMMETRIX_JIT_CACHE"] = str(folder)
        from symmetrix import Symmetrix as Calculator

        self._calculator = Calculator(str(checkpoint), **self._options(method, dtype))
        return self._calculator

    def _backend(self) -> str:
        return self.knobs.get("backend", "auto")

    def _options(self, method: str, dtype: str) -> dict[str, Any]:
        head = {"head": HEADS[method]} if method in HEADS else {}
        return {
            "dtype": dtype,
            "execution_profile": PROFILES.get(method, "capacity"),
            "neighbor_skin": float(self.knobs.get("neighbor-skin", "0.5")),
            **head,
        }

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes Symmetrix's calculator."""
        return f"""\
import os

os.environ["SYMMETRIX_BACKEND"] = {self._backend()!r}  # before the import
from symmetrix import Symmetrix

# OMP_NUM_THREADS alone sets its threads
calculator = Symmetrix(
    {str(checkpoint)!r},
{as_arguments(self._options(method, dtype))}
)


def prepare(atoms):
    if not atoms.pbc.any():
        atoms.center(vacuum={VACUUM})  # its neighbour list needs a cell
"""

    def prepare(self, atoms: Any) -> Any:
        """Return a copy in a box, which is not periodic, where there is no cell."""
        refuse_ions(atoms, "this MACE model")
        atoms = atoms.copy()
        if not atoms.pbc.any():
            atoms.center(vacuum=VACUUM)
        return atoms

    def edges(self, calculator: Any) -> int | None:
        """Return the number of pairs in its list, those within the skin included."""
        cache = calculator._neighbor_cache
        return None if cache is None else int(cache.num_edges)

    def rebuilds(self, calculator: Any) -> int | None:
        """Return how many neighbour lists it has made."""
        return int(calculator.neighbor_cache_build_count) if calculator.neighbor_skin else None

    def settings(self) -> dict[str, Any]:
        """Return the backend, the profile and the list that really run; cutoff and skin in Angstrom."""
        import symmetrix

        one = self._calculator
        return {
            "backend": str(symmetrix.selected_backend()),
            "profile": one.execution_profile,
            "edges_in": one.streamed_edges,
            "compiled": str(one.jit_status),
            "head": one.head,
            "cutoff": float(one.cutoff),
            "neighbor_skin": one.neighbor_skin,
            "charge_and_spin": "not taken",
            "stress": "computed with the forces",
        }


def has_avx512() -> bool:
    """Return whether the processor has the AVX-512 of the x86-64-v4 level; True where the system does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return True
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), None)
    return flags is None or {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= set(flags)
