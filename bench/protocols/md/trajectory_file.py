"""The file of a trajectory: NetCDF 3 in AMBER's convention, which ASE, MDAnalysis and VMD can read.

Frames are single precision, one every few steps. Values at each step have their own dimension, which other readers
ignore. ``docs/format.md`` describes the file. It is written inside a method's environment with SciPy, on which ASE
depends.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy.io import netcdf_file

PER_STEP = ("potential", "kinetic", "calculator_ns", "integrator_ns")


@dataclasses.dataclass(frozen=True)
class Content:
    """The contents of a trajectory's file; n atoms, f frames, s steps and the start."""

    numbers: np.ndarray
    """(n,) atomic numbers."""
    time_step_fs: float
    frame_every: int
    """Steps from a frame to the next; frame 0 is the start."""
    positions: np.ndarray
    """(f, n, 3) Angstrom."""
    velocities: np.ndarray
    """(f, n, 3) in ASE's unit, Angstrom sqrt(u/eV)^-1; 1 Angstrom/fs is 10.18 of these."""
    potential: np.ndarray
    """(s + 1,) eV."""
    kinetic: np.ndarray
    """(s + 1,) eV."""
    calculator_ns: np.ndarray
    """(s + 1,) time of each step's force call."""
    integrator_ns: np.ndarray
    """(s + 1,) time of the rest of each step."""
    cell: np.ndarray | None = None
    """(3, 3) Angstrom; None where nothing is periodic. Positions are not wrapped into it."""

    @property
    def times_ps(self) -> np.ndarray:
        """(s + 1,) picoseconds from the start."""
        return np.arange(len(self.potential)) * self.time_step_fs / 1000

    @property
    def frame_times_ps(self) -> np.ndarray:
        """(f,) picoseconds from the start."""
        return np.arange(len(self.positions)) * self.frame_every * self.time_step_fs / 1000


def write(path: Path, content: Content) -> None:
    """Write or replace a file, completely or not at all; raises OSError."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        _write(temporary, content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _write(path: Path, content: Content) -> None:
    frames, atoms = content.positions.shape[:2]
    with netcdf_file(path, "w", version=2) as file:
        file.Conventions = "AMBER"
        file.ConventionVersion = "1.0"
        file.program = "pesbench"
        file.programVersion = "1"
        file.time_step_fs = float(content.time_step_fs)
        file.frame_every = content.frame_every
        sizes = {"frame": None, "spatial": 3, "atom": atoms, "cell_spatial": 3, "cell_angular": 3, "label": 5}
        for name, size in sizes.items():
            file.createDimension(name, size)
        file.createDimension("step", len(content.potential))
        _put(file, "spatial", "c", ("spatial",), np.array(list("xyz"), dtype="S1"))
        _put(file, "atom_types", "i4", ("atom",), content.numbers)
        _put(file, "time", "f4", ("frame",), content.frame_times_ps, "picosecond")
        _put(file, "coordinates", "f4", ("frame", "atom", "spatial"), content.positions, "angstrom")
        # ASE reads the numbers but ignores units
        _put(file, "velocities", "f4", ("frame", "atom", "spatial"), content.velocities, "angstrom/10.1805fs")
        # a molecule in vacuum, but ASE needs a cell
        lengths, angles = _lengths_and_angles(content.cell)
        _put(file, "cell_lengths", "f8", ("frame", "cell_spatial"), np.tile(lengths, (frames, 1)), "angstrom")
        _put(file, "cell_angles", "f8", ("frame", "cell_angular"), np.tile(angles, (frames, 1)), "degree")
        if content.cell is not None:  # as it lies in space, which lengths and angles do not say
            _put(file, "cell_vectors", "f8", ("spatial", "cell_spatial"), content.cell, "angstrom")
        for name in PER_STEP:
            unit = "nanosecond" if name.endswith("_ns") else "eV"
            _put(file, name, "f8", ("step",), getattr(content, name), unit)


def _lengths_and_angles(cell: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    if cell is None:
        return np.zeros(3), np.full(3, 90.0)
    lengths = np.linalg.norm(cell, axis=1)
    unit = cell / lengths[:, None]
    cosines = np.array([unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1]])
    return lengths, np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))


def _put(file: netcdf_file, name: str, kind: str, sizes: tuple[str, ...], data: np.ndarray, unit: str = "") -> None:
    variable = file.createVariable(name, kind, sizes)
    variable[:] = data
    if unit:
        variable.units = unit


def read(path: Path) -> Content:
    """Read a file; raises OSError, or ValueError where it is not a complete file of :func:`write`."""
    try:
        with netcdf_file(path, "r", mmap=False) as file:
            variables = file.variables
            return Content(
                numbers=np.array(variables["atom_types"][:], dtype=int),
                time_step_fs=float(file.time_step_fs),
                frame_every=int(file.frame_every),
                positions=np.array(variables["coordinates"][:], dtype=float),
                velocities=np.array(variables["velocities"][:], dtype=float),
                **{name: np.array(variables[name][:], dtype=float) for name in PER_STEP},
                cell=np.array(variables["cell_vectors"][:], dtype=float) if "cell_vectors" in variables else None,
            )
    except (KeyError, AttributeError, TypeError, IndexError) as error:
        raise ValueError(f"{path} is not a trajectory of pesbench: {error}") from None
