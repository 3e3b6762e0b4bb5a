"""The records of a run directory: frozen, one JSON line each (:mod:`bench.core.lines`), with a format version.

``docs/format.md`` documents them for people who read a run directory without this package.
A record is never changed; a later record with the same key replaces an earlier one
(a structure that ran out of budget and was resumed).
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from bench.core.failure import Failure
from bench.core.plain import jsonable

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
    """The name of its kind. A class with a name of its own registers itself in :data:`KINDS`."""
    method: str
    device: str
    round: int

    def __init_subclass__(cls) -> None:
        KINDS[cls.record] = cls

    def wrong(self) -> str | None:
        """Return what is wrong with a record that was read from a file, though each field has its type."""
        return None


KINDS: dict[str, type[Record]] = {}
"""The kinds of records by name; those of protocols are in :mod:`bench.protocols`."""


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
class Driven(Record):
    """Steps of dynamics by a driver, which belong to no protocol: how long a step takes, and the force call in it."""

    record: ClassVar[str] = "driven"
    structure: int
    driver: str
    """``ASE``, or the package whose integrator it is."""
    step_ns: tuple[int, ...]
    """Each step, without the first."""
    calculator_ns: tuple[int, ...]
    """The force call in each step."""


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
    quota_s: float | None = None
    """Seconds for which the container's quota held it back; None where this is unknown."""


@dataclasses.dataclass(frozen=True)
class NotMeasured(Record):
    """A method could not be measured in this round: it is a row with a reason, not a missing row."""

    record: ClassVar[str] = "not-measured"
    failure: Failure
