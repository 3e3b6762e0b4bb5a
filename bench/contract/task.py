"""What a worker is asked: one frozen :class:`Task`, which travels as one line of JSON, so that it can go anywhere."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NamedTuple

from bench.contract.plain import from_plain, to_plain
from bench.contract.records import NATIVE

VERSION = 2

MEASURE, CONFORM, OVERHEAD, BUILD_RANDOM = JOBS = ("measure", "conform", "overhead", "build-random")
"""What a worker can be asked for; the protocols are ways to measure."""


class Item(NamedTuple):
    """One thing that a worker is to measure."""

    part: str
    """A key of :data:`bench.contract.protocol.PARTS`."""
    number: int
    """Of the structure, or of the trajectory, from 0."""


@dataclasses.dataclass(frozen=True)
class Molecule:
    """Atoms without a cell."""

    numbers: list[int]
    positions: list[list[float]]
    """(n, 3) in Angstrom."""
    info: dict[str, int] = dataclasses.field(default_factory=dict)
    """``charge`` in elementary charges and ``spin``, the multiplicity; only what the method's header says it takes."""

    @classmethod
    def of(cls, atoms: Any, info: dict[str, int] | None = None) -> Molecule:
        """Make one of ase.Atoms; `info` is the charge and the spin that the method is to be told."""
        return cls(atoms.numbers.tolist(), atoms.positions.tolist(), info or {})

    def atoms(self) -> Any:
        """Return ase.Atoms without a calculator."""
        from ase import Atoms

        return Atoms(numbers=self.numbers, positions=self.positions, info=dict(self.info))


@dataclasses.dataclass(frozen=True)
class Structure:
    """A structure of the data set."""

    index: int
    molecule: Molecule
    path: list[list[list[float]]] | None = None
    """Displacements of the replay protocol, (points, n, 3) in Angstrom."""


@dataclasses.dataclass(frozen=True)
class TrajectoryPlan:
    """One trajectory of the md protocol."""

    trajectory: int
    """Its number in the campaign, from 0."""
    ensemble: str
    """``nve`` or ``nvt``."""
    seed: int
    time_step_fs: float
    temperature_k: float
    """Over all 3N velocities."""
    duration_ps: float

    @property
    def steps(self) -> int:
        """How many steps it is to have."""
        return round(1000.0 * self.duration_ps / self.time_step_fs)

    @property
    def name(self) -> str:
        """What tells it apart from the other trajectories of a campaign."""
        return f"{self.ensemble}-{self.time_step_fs:g}fs-seed{self.seed}"


@dataclasses.dataclass(frozen=True)
class Allowance:
    """How long a phase of a worker may take, in seconds; None: no limit."""

    begin_s: float | None = None
    """After this no further item is begun."""
    end_s: float | None = None
    """After this the item in flight is cut off."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """The method, and what it is loaded with."""

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
    """The only CPUs that it may use, where its threads are controlled that way."""
    checkpoint: str | None = None
    native: bool = False
    warm_up: bool = True


@dataclasses.dataclass(frozen=True)
class Told:
    """What the records say about a worker that it does not find out by itself."""

    weights: str = "none"
    """``pretrained``, ``random`` or ``none``."""
    parameters: int | None = None
    """The published number, which a random model must have."""
    checkpoint: dict[str, Any] | None = None
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    variables: tuple[str, ...] = ()
    """Names of the environment variables to record."""
    launched_ns: int = 0
    """A reading of the monotonic clock from before the process was started."""


@dataclasses.dataclass(frozen=True)
class Criterion:
    """How a structure is relaxed."""

    optimizer: str
    fmax: float
    """eV/Angstrom."""
    max_steps: int


@dataclasses.dataclass(frozen=True)
class Promises:
    """What the header of an adapter promises of a method; the conformance kit checks it."""

    conservative: bool = True
    parameters: int | None = None
    force_tolerance: float | None = None
    """eV/Angstrom."""
    rotation_tolerance: float | None = None
    """eV/Angstrom."""
    charge: bool = False
    spin: bool = False


@dataclasses.dataclass(frozen=True)
class Task:
    """One worker's work."""

    job: str
    """One of :data:`JOBS`."""
    subject: Subject
    round: int = 0
    told: Told = dataclasses.field(default_factory=Told)
    reference: Molecule | None = None
    """The undistorted molecule."""
    structures: tuple[Structure, ...] = ()
    criterion: Criterion | None = None
    items: tuple[tuple[str, int], ...] = ()
    """What is to be measured, in this order within each phase; see :class:`Item`."""
    allowances: dict[str, Allowance] = dataclasses.field(default_factory=dict)
    """By phase."""
    answers: tuple[int, ...] = ()
    """The structures whose energy and forces are to be told for the fingerprint."""
    trajectories: tuple[TrajectoryPlan, ...] = ()
    folder: str | None = None
    """Where files of trajectories go."""
    paced: bool = False
    """Whether it makes force calls only when it is told to."""
    promises: Promises | None = None
    """For the conformance kit."""
    repeats: int = 1
    """Of each structure, where the harness is compared with a plain script."""
    output: str | None = None
    """The file that random weights are written to."""
    version: int = VERSION

    @property
    def key(self) -> dict[str, Any]:
        """What every record of this worker says."""
        return {"method": self.subject.method, "device": self.subject.device, "round": self.round}

    @property
    def optimizer(self) -> str:
        """The optimiser that relaxes its structures."""
        assert self.criterion is not None
        return NATIVE if self.subject.native else self.criterion.optimizer

    def of_parts(self, *names: str) -> list[Item]:
        """Return the items of some parts, in their order."""
        return [Item(*item) for item in self.items if item[0] in names]

    def to_json(self) -> str:
        """Return it as one line, without the newline."""
        return json.dumps(to_plain(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Task:
        """Read a task; raises ValueError where it is none that this worker knows how to do."""
        fields = json.loads(line)
        version = fields.get("version") if isinstance(fields, dict) else None
        if version != VERSION:
            raise ValueError(f"this worker does tasks of version {VERSION}, not of version {version}")
        task = from_plain(cls, fields)
        if task.job not in JOBS:
            raise ValueError(f"this worker knows no job {task.job!r}, only {', '.join(JOBS)}")
        return task
