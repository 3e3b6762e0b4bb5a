"""The one interface that every method is measured through, and the header of an adapter file.

An adapter file is one Python file that holds a PEP 723 header (its whole environment, and under
``[tool.pesbench]`` what the harness must know without importing it) and one subclass of
:class:`Adapter`. This is the only module of pesbench that an adapter imports. It needs nothing but the
standard library, for it runs inside every method's own environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class NativeRelaxation(Protocol):
    """A relaxation that the method drives itself, one step a call (Open Babel's conjugate gradients)."""

    criterion: str  # when it counts as converged, in words: shown in the table's notes

    def step(self) -> bool:
        """Do one step (this call is what is timed) and tell whether it has converged."""

    def finish(self, atoms: Any) -> None:
        """Write the present coordinates into `atoms`; outside the timed region."""


class Adapter:
    """Makes the methods of one family available; subclass it once in an adapter file.

    The worker makes one instance, sets :attr:`reference`, calls :meth:`load` once and, for each structure,
    :meth:`prepare` and :meth:`new_structure`; none of these is inside a timed region.
    """

    reference: Any = None
    """ase.Atoms: an undistorted molecule with the atoms in the data set's order, for what needs a fixed topology."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Load `method` and return an ASE calculator (eV, Angstrom) that gives energy and forces.

        `method` is a name from the header, `device` is ``cpu`` or ``cuda:N``, `dtype` one of the header's
        (its first unless the user chose), `checkpoint` a verified file or None where the header names none.
        The thread variables (OMP_NUM_THREADS and its kin) are already set, and nothing was imported before.
        Whatever is raised here becomes a failure record.
        """
        raise NotImplementedError

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint of the published architecture of `method` with random weights to `path`.

        It has the official format, so that :meth:`load` reads it as it reads the official one, the published
        number of parameters, and weights of a scale that trained ones have (no denormal numbers, which are slow).
        Runs in a process of its own, never in one that measures; needed where the header says
        ``random-weights = true``.
        """
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait until the device has finished; called right before each reading of the clock. No-op on a CPU."""

    def prepare(self, atoms: Any) -> Any:
        """Return the ase.Atoms that the method is given for this structure (a box around it, a charge)."""
        return atoms

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator for a new structure, with nothing left over from the last one."""
        reset = getattr(calculator, "reset", None)
        if callable(reset):
            reset()
        return calculator

    def count_parameters(self) -> int | None:
        """Return the number of trained parameters of what was loaded, or None where a method has none."""
        return None

    def settings(self) -> dict[str, Any]:
        """Return what really runs, as JSON: kernels, precision, head, grid, versions of outside programs."""
        return {}

    def peak_device_memory(self) -> int | None:
        """Return the largest memory that was allocated on the device, in bytes; None on a CPU."""
        return None

    def native_relax(self, calculator: Any, atoms: Any, max_steps: int) -> NativeRelaxation:
        """Start a relaxation that the method drives itself; needed where the header says ``native = true``."""
        raise NotImplementedError


def refuse_ions(atoms: Any, name: str) -> None:
    """Raise ValueError where a structure has a charge or unpaired spins that the method `name` would pass over."""
    charge, spin = int(atoms.info.get("charge", 0)), int(atoms.info.get("spin", 1))
    if charge or spin != 1:
        raise ValueError(f"{name} knows neutral singlets only, not charge {charge}, multiplicity {spin}")


def __getattr__(name: str) -> Any:
    if name == "read_header":  # adapter files written for 0.1 take it from here
        from bench.methods.header import read_header

        return read_header
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
