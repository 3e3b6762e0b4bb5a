"""A worker's task: one frozen :class:`Task`, sent as one line of JSON, so that a worker can run anywhere."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NamedTuple, TypeVar

from bench.core.plain import from_plain, to_plain
from bench.core.records import NATIVE

T = TypeVar("T")

VERSION = 5

MEASURE, CONFORM, OVERHEAD, BUILD_RANDOM, SCRIPT = JOBS = ("measure", "conform", "overhead", "build-random", "script")
"""The jobs of a worker; the protocols are ways to measure."""


class Item(NamedTuple):
    """One thing for a worker to measure."""

    part: str
    """A key of :data:`bench.protocols.PARTS`."""
    number: int
    """Number of the structure or the trajectory, from 0."""


@dataclasses.dataclass(frozen=True)
class Molecule:
    """Atoms, periodic or not, with what is special about them."""

    numbers: list[int]
    positions: list[list[float]]
    """(n, 3) in Angstrom."""
    info: dict[str, int] = dataclasses.field(default_factory=dict)
    """``charge`` in elementary charges and ``spin``, the multiplicity; each only if the method's header takes it."""
    cell: list[list[float]] | None = None
    """(3, 3) in Angstrom; None: not periodic."""
    pbc: tuple[bool, ...] = ()
    """The periodic directions, where these are not all three."""
    fixed: list[int] = dataclasses.field(default_factory=list)
    """The atoms that do not move."""
    masses: list[float] | None = None
    """In u; None: those of the natural elements."""

    @classmethod
    def of(cls, atoms: Any, info: dict[str, int] | None = None) -> Molecule:
        """Make one from ase.Atoms; `info` holds the charge and the spin for the method."""
        return cls(
            atoms.numbers.tolist(),
            atoms.positions.tolist(),
            info or {},
            cell=atoms.cell.array.tolist() if atoms.pbc.any() else None,
            pbc=tuple(atoms.pbc.tolist()) if atoms.pbc.any() and not atoms.pbc.all() else (),
            fixed=sorted({int(index) for one in atoms.constraints for index in one.get_indices()}),
            masses=atoms.get_masses().tolist() if atoms.has("masses") else None,
        )

    def atoms(self) -> Any:
        """Return ase.Atoms without a calculator."""
        from ase import Atoms
        from ase.constraints import FixAtoms

        return Atoms(
            numbers=self.numbers,
            positions=self.positions,
            cell=self.cell,
            pbc=self.pbc or self.cell is not None,
            info=dict(self.info),
            masses=self.masses,
            constraint=FixAtoms(self.fixed) if self.fixed else None,
        )


@dataclasses.dataclass(frozen=True)
class Structure:
    """A structure of the data set."""

    index: int
    molecule: Molecule
    system: int = 0
    """Number of its system in :attr:`Task.systems`."""
    path: list[list[list[float]]] | None = None
    """Displacements of the replay protocol, (points, n, 3) in Angstrom."""


@dataclasses.dataclass(frozen=True)
class Allowance:
    """How long a phase of a worker may take, in seconds; None: no limit."""

    begin_s: float | None = None
    """No item begins after this."""
    end_s: float | None = None
    """The item in flight is cut off after this."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """The method, and how it is loaded."""

    adapter: str
    """Path of the adapter file."""
    method: str
    """Its name in the records."""
    known_as: str
    """Its name in the adapter file."""
    device: str
    """As in the records: ``cpu``, ``cuda``, ``cuda:1``."""
    dtype: str
    threads: int
    seed: int
    cpus: tuple[int, ...] = ()
    """The only CPUs that it may use, if its threads are controlled by affinity."""
    checkpoint: str | None = None
    native: bool = False
    warm_up: bool = True
    knobs: dict[str, str] = dataclasses.field(default_factory=dict)
    """The value of each knob that the method has on the device."""


@dataclasses.dataclass(frozen=True)
class Told:
    """Facts for the records that a worker cannot find out by itself."""

    weights: str = "none"
    """``pretrained``, ``random`` or ``none``."""
    parameters: int | None = None
    """The published number, which a random model must have."""
    checkpoint: dict[str, Any] | None = None
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    variables: tuple[str, ...] = ()
    """Names of the environment variables to record."""
    launched_ns: int = 0
    """A reading of the monotonic clock before the process was started."""


@dataclasses.dataclass(frozen=True)
class OptimizerFile:
    """An optimiser, and where it is."""

    name: str
    file: str
    """Path of its file, with a function ``make(name, atoms)``."""
    packages: str | None = None
    """The folder of the packages that it needs beside the method's own."""
    obstacle: str = ""
    """Why it cannot be used here."""
    free: bool = False
    """Whether it relaxes free molecules only, without a cell and without fixed atoms."""


@dataclasses.dataclass(frozen=True)
class Criterion:
    """How a structure is relaxed."""

    optimizer: str
    fmax: float
    """eV/Angstrom."""
    max_steps: int
    relax_cell: bool = False
    """Whether the cells of periodic systems are relaxed, too."""


@dataclasses.dataclass(frozen=True)
class Promises:
    """What an adapter's header promises about a method; the conformance kit checks it."""

    conservative: bool = True
    force_tolerance: float | None = None
    """eV/Angstrom."""
    rotation_tolerance: float | None = None
    """eV/Angstrom."""
    charge: bool = False
    spin: bool = False
    periodic: bool = False
    stress: bool = False


@dataclasses.dataclass(frozen=True)
class Task:
    """One worker's work."""

    job: str
    """One of :data:`JOBS`."""
    subject: Subject
    round: int = 0
    told: Told = dataclasses.field(default_factory=Told)
    systems: tuple[Molecule, ...] = ()
    """The undistorted atoms of each system of the data set."""
    structures: tuple[Structure, ...] = ()
    criterion: Criterion | None = None
    optimizers: tuple[OptimizerFile, ...] = ()
    """Those that it may need; :attr:`Criterion.optimizer` is one of them, if it is not one that is built in."""
    items: tuple[tuple[str, int], ...] = ()
    """The items to measure, in this order within each phase; see :class:`Item`."""
    allowances: dict[str, Allowance] = dataclasses.field(default_factory=dict)
    """By phase."""
    answers: tuple[int, ...] = ()
    """The structures whose energy and forces the worker reports for the fingerprint."""
    drives: tuple[int, ...] = ()
    """The structures at which the worker also times steps of dynamics, outside of its turns."""
    plans: dict[str, tuple[dict[str, Any], ...]] = dataclasses.field(default_factory=dict)
    """By part: what a worker must know of each item, beside its structure; see :meth:`plans_of`."""
    sizes: tuple[Structure, ...] = ()
    """The systems of the scaling protocol; the index of each is its number in the series."""
    folder: str | None = None
    """The folder for the files of trajectories."""
    paced: bool = False
    """Whether it measures only in its turn."""
    revisits: bool = False
    """Whether it measures structures again in which its threads waited long for a core."""
    promises: Promises | None = None
    """For the conformance kit."""
    repeats: int = 1
    """Relaxations of each structure, where the harness is compared with a plain script."""
    output: str | None = None
    """The file for random weights."""
    version: int = VERSION

    @property
    def key(self) -> dict[str, Any]:
        """The fields of every record of this worker."""
        return {"method": self.subject.method, "device": self.subject.device, "round": self.round}

    @property
    def optimizer(self) -> str:
        """The optimiser for its structures."""
        assert self.criterion is not None
        return NATIVE if self.subject.native else self.criterion.optimizer

    @property
    def reference(self) -> Molecule:
        """The undistorted atoms with which it begins: those of its first structure's system."""
        return self.systems[self.structures[0].system if self.structures else 0]

    def of_parts(self, *names: str) -> list[Item]:
        """Return the items of some parts, in order."""
        return [Item(*item) for item in self.items if item[0] in names]

    def plans_of(self, part: str, kind: type[T]) -> list[T]:
        """Return the plans of a part's items, as frozen dataclasses of their kind."""
        return [from_plain(kind, dict(one)) for one in self.plans.get(part, ())]

    def to_json(self) -> str:
        """Return it as one line, without the newline."""
        return json.dumps(to_plain(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Task:
        """Read a task; raises ValueError where this worker does not know it."""
        fields = json.loads(line)
        version = fields.get("version") if isinstance(fields, dict) else None
        if version != VERSION:
            raise ValueError(f"this worker does tasks of version {VERSION}, not of version {version}")
        task = from_plain(cls, fields)
        if task.job not in JOBS:
            raise ValueError(f"this worker knows no job {task.job!r}, only {', '.join(JOBS)}")
        return task
