"""The records of a run directory: frozen, one JSON line each, with a format version.

``docs/format.md`` documents them for people who read a run directory without this package.
A record is never changed; a later record with the same key takes the place of an earlier one
(a structure that ran out of budget and was resumed).
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar

from bench.contract.failure import Failure
from bench.contract.plain import jsonable

FORMAT = 2
READABLE = (1, 2)
"""Formats that are read; later ones only add fields, with defaults for what earlier ones lack."""

# How a relaxation ended.
CONVERGED = "converged"
STEP_CAP = "step-cap"
CENSORED = "censored"  # the time budget ended before it did
FAILED = "failed"
NATIVE = "native"  # stands for the optimiser of a method that has its own
DONE = "done"  # a trajectory that was simulated to its end; else it is censored or failed


@dataclasses.dataclass(frozen=True)
class Record:
    """What every record says: which method, on which device, in which round."""

    record: ClassVar[str]
    method: str
    device: str
    round: int


@dataclasses.dataclass(frozen=True)
class Started(Record):
    """A worker process is ready to measure: its cold start, and what really runs in it."""

    record: ClassVar[str] = "started"
    weights: str
    """``pretrained``, ``random``, or ``none`` where a method has no weights."""
    dtype: str
    threads: int
    parameters: int | None
    import_ns: int
    """From the start of the process to the adapter's module being imported."""
    load_ns: int
    first_call_ns: int | None
    """The first force call, with what it compiles; None where the header says ``warm-up = false``."""
    warmup_ns: tuple[int, ...]
    """The discarded force calls after the first."""
    settings: dict[str, Any]
    versions: dict[str, str]
    thread_pools: tuple[dict[str, Any], ...]
    """What threadpoolctl saw after the first call."""
    environment: dict[str, str]
    """The thread variables, the interpreter, the torch backend."""
    checkpoint: dict[str, Any] | None = None
    """Name and SHA-256 of the weights file and who vouches for it, or the seed of random weights."""
    warm_up_calls: int | None = None
    """How many of the discarded calls were slow as only the first ones are; None where none was made."""
    settled: bool | None = None
    """Whether the discarded calls settled before there were too many of them."""

    def __post_init__(self) -> None:
        # what a method's libraries tell may be anything; TypeError names what cannot be kept
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
    """All of them, with the one before the first step; None where a native optimiser does not tell."""
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


@dataclasses.dataclass(frozen=True)
class Replay(Record):
    """Energies and forces along a fixed path of geometries, the same for every method."""

    record: ClassVar[str] = "replay"
    structure: int
    """Index into the data set's selection; the path leads from it towards the reference molecule."""
    status: str
    """``converged`` where the whole path was done, else ``censored`` or ``failed``."""
    calculator_ns: tuple[int, ...]
    """One force call a point."""
    energies: tuple[float | None, ...]
    """eV; without meaning where the weights are random."""
    fmax: tuple[float | None, ...]
    """Largest force on an atom at each point, eV/Angstrom."""
    wall_ns: int
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class Answer(Record):
    """What a method says about a structure, from a force call that is not timed: part of its fingerprint."""

    record: ClassVar[str] = "answer"
    structure: int
    energy: float
    """eV."""
    forces: tuple[tuple[float, float, float], ...]
    """(n, 3) in eV/Angstrom."""
    changed: tuple[str, ...] = ()
    """What of the atoms that it was given the force call changed."""


@dataclasses.dataclass(frozen=True)
class Symmetry(Record):
    """Tests of the forces at a structure; None where the time did not suffice."""

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
    """Forces of the turned molecule less turned forces, root mean square of a component, eV/Angstrom."""
    loop_work: float | None = None
    """Work around a circle in configuration space, eV."""
    loop_absolute: float | None = None
    """The same of the absolute values, eV."""
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
    """Of the momenta at the start."""
    time_step_fs: float
    temperature_k: float
    """Over all 3N velocities."""
    duration_ps: float
    """As planned."""
    status: str
    """``done``, ``censored`` (the time budget ended first) or ``failed``."""
    steps: int
    """That were done."""
    wall_ns: int
    """With the relaxation before it, in the first one of a worker."""
    file: str | None
    """Of energies and frames, in the run directory; None where no step was done."""
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class Finished(Record):
    """A worker process ended."""

    record: ClassVar[str] = "finished"
    peak_memory_bytes: int | None
    peak_device_memory_bytes: int | None


@dataclasses.dataclass(frozen=True)
class Watched(Record):
    """What the machine did beside the workers of one method in one round; see :mod:`bench.machine.watch`."""

    record: ClassVar[str] = "watched"
    seconds: float
    cpus: int
    """That this campaign may use."""
    foreign_cores: float
    """CPU time of other processes on those CPUs, over `seconds`."""
    stolen_cores: float
    """CPU time that the host of a virtual machine kept back, over `seconds`."""
    clock_mhz: tuple[float, float] | None
    """Before and after; None where the machine does not tell, as in the three that follow."""
    throttled: int | None
    swapped_bytes: int
    free_memory_share: float
    loop_speed: tuple[float, float]
    """Thousands of rounds of a plain Python loop in a second, before and after."""
    foreign_gpu_processes: int | None
    disturbed: tuple[str, ...]
    """What disturbed the round, in words; empty where nothing did."""
    parallel_speed: float | None = None
    """How many times the work of one process as many as there are threads did; measured before each round."""
    again: int | None = None
    """The disturbed round that this one measured again."""


@dataclasses.dataclass(frozen=True)
class NotMeasured(Record):
    """A method could not be measured in this round: it is a row with a reason, not a missing row."""

    record: ClassVar[str] = "not-measured"
    failure: Failure


_KINDS: dict[str, type[Record]] = {
    kind.record: kind
    for kind in (Started, Answer, Relaxation, Replay, Symmetry, Trajectory, Finished, Watched, NotMeasured)
}


def to_json(record: Record) -> str:
    """Return the record as one line of JSON, without the newline."""
    return json.dumps({"record": record.record, **_shallow(record)}, separators=(",", ":"), allow_nan=False)


def _shallow(record: Record) -> dict[str, Any]:
    # dataclasses.asdict would copy every trace entry by entry
    fields = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    if isinstance(fields.get("failure"), Failure):
        fields["failure"] = dataclasses.asdict(fields["failure"])
    return fields


def from_json(line: str | bytes) -> Record:
    """Read one line of a run directory; raises ValueError where it is no record of this format."""
    return from_fields(json.loads(line))


def from_fields(fields: Any) -> Record:
    """Make a record of the fields of a parsed line, which it takes over; raises ValueError as `from_json` does."""
    try:
        kind = _KINDS[fields.pop("record")]
        if fields.get("failure") is not None:
            fields["failure"] = Failure(**fields["failure"])
        return kind(**fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a record: {error}") from None
