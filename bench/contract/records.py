"""The records of a run directory: frozen, one JSON line each (:mod:`bench.contract.lines`), with a format version.

``docs/format.md`` documents them for people who read a run directory without this package.
A record is never changed; a later record with the same key replaces an earlier one
(a structure that ran out of budget and was resumed).
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from bench.contract.failure import Failure
from bench.contract.plain import jsonable

FORMAT = 2
READABLE = (1, 2)
"""Formats that can be read; later ones only add fields, whose defaults apply to earlier ones."""

# How a relaxation ended.
CONVERGED = "converged"
STEP_CAP = "step-cap"
CENSORED = "censored"  # the time budget ended first
FAILED = "failed"
DONE = "done"  # a trajectory that was simulated to its end; otherwise it is censored or failed

AS_ASKED = "as the header asks"  # of the versions in an interpreter of the user
VELOCITIES, INTERNAL = TEMPERATURES = ("velocities", "internal")
"""Of what a simulation's target is the temperature: of all 3N velocities, as in MD17, or of the internal motions."""
NATIVE = "native"  # in the place of an optimiser's name: the method's own


@dataclasses.dataclass(frozen=True)
class Record:
    """The fields of every record: method, device and round."""

    record: ClassVar[str]
    method: str
    device: str
    round: int


@dataclasses.dataclass(frozen=True)
class Started(Record):
    """A worker is ready to measure: its cold start, and what really runs in it."""

    record: ClassVar[str] = "started"
    weights: str
    """``pretrained``, ``random``, or ``none`` where a method has no weights."""
    dtype: str
    threads: int
    parameters: int | None
    import_ns: int
    """From the start of the process until the adapter's module is imported."""
    load_ns: int
    first_call_ns: int | None
    """The first force call, including compilation; None where the header says ``warm-up = false``."""
    warmup_ns: tuple[int, ...]
    """The discarded force calls after the first."""
    settings: dict[str, Any]
    versions: dict[str, str]
    thread_pools: tuple[dict[str, Any], ...]
    """The report of threadpoolctl after the first call."""
    environment: dict[str, str]
    """The thread variables, the interpreter, the torch backend, and what an interpreter of the user brought."""
    checkpoint: dict[str, Any] | None = None
    """Name and SHA-256 of the weights file and who vouches for it, or the seed of random weights."""
    warm_up_calls: int | None = None
    """Number of slow warm-up calls among the discarded ones; None where none were made."""
    settled: bool | None = None
    """Whether the discarded calls settled before their limit."""
    knobs: dict[str, str] = dataclasses.field(default_factory=dict)
    """The values of the method's knobs; `settings` says what really ran."""

    def __post_init__(self) -> None:
        # a method's libraries may return any object; TypeError names an entry that cannot be kept
        object.__setattr__(self, "settings", jsonable(self.settings, "settings()"))
        for name in ("versions", "environment", "checkpoint"):
            object.__setattr__(self, name, jsonable(getattr(self, name), name))
        object.__setattr__(self, "thread_pools", tuple(jsonable(self.thread_pools, "thread_pools")))


@dataclasses.dataclass(frozen=True)
class Relaxation(Record):
    """One structure relaxed in one round, with every step of it."""

    record: ClassVar[str] = "relaxation"
    structure: int
    """Index into the data set's selection, from 0."""
    optimizer: str
    """``BFGS``, ``CG`` or ``native``."""
    status: str
    steps: int
    force_calls: int | None
    """All force calls, including the one before the first step; None where a native optimiser does not count them."""
    energy: float | None
    """Final energy, eV."""
    fmax: float | None
    """Largest force on an atom at the final geometry, eV/Angstrom, recomputed by a fresh force call."""
    positions: tuple[tuple[float, float, float], ...] | None
    """Final geometry, Angstrom."""
    wall_ns: int
    trace: dict[str, tuple[Any, ...]]
    """Columns ``calculator_ns optimizer_ns harness_ns force_calls energy fmax``, entries 0..steps. Entry 0 is the
    force call before the first step; a native optimiser has only ``optimizer_ns`` and ``harness_ns``."""
    failure: Failure | None = None
    waited_ns: int | None = None
    """How long the worker's threads waited for a core; None where the system does not count it, as in the next one."""
    stolen_ns: int | None = None
    """What the host of a virtual machine withheld from the CPUs meanwhile."""
    visit: int = 1
    """2 and more: measured again, because the threads had waited long in the visit before."""


@dataclasses.dataclass(frozen=True)
class Replay(Record):
    """Steps along a fixed path of geometries, the same for every method."""

    record: ClassVar[str] = "replay"
    structure: int
    """Index into the data set's selection; the path leads from it towards the reference molecule."""
    status: str
    """``converged`` where the whole path was measured, else ``censored`` or ``failed``."""
    calculator_ns: tuple[int, ...]
    """One force call per point."""
    energies: tuple[float | None, ...]
    """eV; meaningless where the weights are random."""
    fmax: tuple[float | None, ...]
    """Largest force on an atom at each point, eV/Angstrom."""
    wall_ns: int
    optimizer_ns: tuple[int, ...] = ()
    """The optimiser's update after each force call; empty where only force calls were made, as in older runs."""
    failure: Failure | None = None
    waited_ns: int | None = None
    """As for a relaxation, like the next two."""
    stolen_ns: int | None = None
    visit: int = 1


@dataclasses.dataclass(frozen=True)
class Answer(Record):
    """A method's answer at a structure, from an untimed force call: part of its fingerprint."""

    record: ClassVar[str] = "answer"
    structure: int
    energy: float
    """eV."""
    forces: tuple[tuple[float, float, float], ...]
    """(n, 3) in eV/Angstrom."""
    changed: tuple[str, ...] = ()
    """What the force call changed in the atoms that it got."""


@dataclasses.dataclass(frozen=True)
class Symmetry(Record):
    """Tests of the forces at a structure; None where the time ran out."""

    record: ClassVar[str] = "symmetry"
    structure: int
    wall_ns: int
    force_rms: float | None = None
    """Root mean square of a force component, eV/Angstrom."""
    net_force: float | None = None
    """Norm of the sum of the forces, eV/Angstrom."""
    net_torque: float | None = None
    """Norm of the sum of the torques about the molecule's centre, eV."""
    rotation_error: float | None = None
    """Forces of the rotated molecule minus rotated forces, root mean square of a component, eV/Angstrom."""
    loop_work: float | None = None
    """Work around a circle in configuration space, eV."""
    loop_absolute: float | None = None
    """The same for the absolute values, eV."""
    jacobian_symmetric: float | None = None
    """Frobenius norm of the symmetric part of the forces' derivatives, eV/Angstrom^2."""
    jacobian_antisymmetric: float | None = None
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class Trajectory(Record):
    """One simulation from the method's own relaxed geometry."""

    record: ClassVar[str] = "trajectory"
    trajectory: int
    """Its number in the campaign's plan, from 0."""
    ensemble: str
    """``nve`` or ``nvt``."""
    seed: int
    """For the initial momenta."""
    time_step_fs: float
    temperature_k: float
    """Of what :attr:`temperature_of` says."""
    duration_ps: float
    """As planned."""
    status: str
    """``done``, ``censored`` (the time budget ended first) or ``failed``."""
    steps: int
    """Number of steps made."""
    wall_ns: int
    """Includes the relaxation before it, in the first trajectory of a worker."""
    file: str | None
    """The file of energies and frames, in the run directory; None where no step was made."""
    failure: Failure | None = None
    temperature_of: str = VELOCITIES
    """``velocities`` (all 3N of them, as in MD17) or ``internal`` (the internal motions)."""


@dataclasses.dataclass(frozen=True)
class SinglePoint(Record):
    """Energy and forces at a structure's own geometry, to be compared with reference labels."""

    record: ClassVar[str] = "single-point"
    structure: int
    status: str
    """``done`` or ``failed``; a `failure` beside ``done`` is that of the method's own uncertainty."""
    energy: float | None
    """eV."""
    forces: tuple[tuple[float, float, float], ...] | None
    """(n, 3) in eV/Angstrom."""
    calculator_ns: int
    """Of a further force call, a small step away; 0 where none was made."""
    wall_ns: int
    energy_deviation: float | None = None
    """Standard deviation of the energy by the method's own estimate of its uncertainty, eV."""
    force_deviations: tuple[float, ...] | None = None
    """The same of the force on each atom, (n,) in eV/Angstrom."""
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class Vibrations(Record):
    """The method's own minimum of the reference molecule, and its Hessian there."""

    record: ClassVar[str] = "vibrations"
    molecule: int
    """Always 0: a data set has one reference molecule."""
    status: str
    """``converged``, ``step-cap`` (the Hessian is that of an unconverged geometry), ``censored`` or ``failed``."""
    steps: int
    """Of the relaxation."""
    energy: float | None
    """eV."""
    fmax: float | None
    """Largest force on an atom at the minimum, eV/Angstrom."""
    positions: tuple[tuple[float, float, float], ...] | None
    """(n, 3) in Angstrom."""
    hessian: tuple[tuple[float, ...], ...] | None
    """(3n, 3n) in eV/Angstrom^2, as computed: not symmetrised."""
    source: str
    """``central differences`` of the forces, or ``native``: the method's own."""
    force_calls: int | None
    """Of the Hessian; None where it is native."""
    hessian_ns: int
    """The force calls of the Hessian, or the native Hessian with its SCF."""
    wall_ns: int
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class Finished(Record):
    """A worker ended."""

    record: ClassVar[str] = "finished"
    peak_memory_bytes: int | None
    peak_device_memory_bytes: int | None


@dataclasses.dataclass(frozen=True)
class Watched(Record):
    """What else the machine did during one method's round; see :mod:`bench.machine.watch`."""

    record: ClassVar[str] = "watched"
    seconds: float
    cpus: int
    """The number of CPUs that this campaign may use."""
    foreign_cores: float
    """CPU time of other processes on those CPUs, over `seconds`."""
    stolen_cores: float
    """CPU time that the host of a virtual machine withheld, over `seconds`."""
    clock_mhz: tuple[float, float] | None
    """Before and after; None where the machine does not report it, also in the next three."""
    throttled: int | None
    swapped_bytes: int
    free_memory_share: float
    loop_speed: tuple[float, float]
    """Thousands of iterations of a plain Python loop per second, before and after."""
    foreign_gpu_processes: int | None
    disturbed: tuple[str, ...]
    """What disturbed the round, in words; empty where nothing did."""
    parallel_speed: float | None = None
    """Parallel speed: the work of as many processes as threads, over that of one; measured before each round."""
    again: int | None = None
    """The disturbed round that this one repeats."""


@dataclasses.dataclass(frozen=True)
class NotMeasured(Record):
    """A method could not be measured in this round: it is a row with a reason, not a missing row."""

    record: ClassVar[str] = "not-measured"
    failure: Failure
