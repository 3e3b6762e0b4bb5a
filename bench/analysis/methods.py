"""The facts about each method on each device of a campaign, as frozen values made from the records."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from bench.analysis.times import Key
from bench.core.description import Description, MethodFacts
from bench.core.device import CPU, computes_in_tf32
from bench.core.failure import LOGGED, log_name
from bench.core.records import NATIVE, Finished, NotMeasured, Record, Started

R = TypeVar("R", bound=Record)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasuredMethod:
    """A method on a device: the campaign's plan, and the facts that its workers reported."""

    method: str
    label: str
    family: str | None = None
    kind: str
    weights: str | None = None
    """``pretrained``, ``random`` or ``none``; None where no worker started."""
    device: str = CPU
    dtype: str | None = None
    threads: int | None = None
    optimizer: str | None = None
    parameters: int | None = None
    """As counted on the loaded model, else the published number."""
    paper: str | None = None
    """The method of the published table with which this one is compared."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What really ran, as the adapter reported it: kernels, precision, head."""
    tuned: tuple[str, ...] = ()
    """The flags of a variant tuned for speed; empty for the setup in the method's documentation."""
    threads_found: int | None = None
    """Threads of the widest OpenMP pool in a worker; its BLAS has one by design."""
    checkpoint: Mapping[str, Any] | None = None
    """Name of the weights file, with its SHA-256 and who vouches for it, or with the seed of random weights."""
    theory: Mapping[str, Any] | None = None
    """The level of theory: functional, basis, dispersion, source, and the dispersion added to it."""
    knobs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The values of its knobs."""
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The versions of the packages that ran."""
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The thread variables, the interpreter, the torch backend."""
    cold_start_s: float | None = None
    """Median over the workers."""
    warm_up_calls: int | None = None
    """Number of slow warm-up calls, the largest over the rounds."""
    settled: bool | None = None
    """Whether the discarded calls settled in every round."""
    peak_memory_bytes: int | None = None
    peak_device_memory_bytes: int | None = None
    failure: str | None = None
    """The class of the failure that kept the method from being measured in a round."""
    message: str | None = None
    """Why the method failed; in a row of the table, the method or some structure of it."""
    log: str | None = None
    """What its worker printed where it failed: a file inside the run directory."""
    note: str = ""

    @property
    def key(self) -> Key:
        """Its key in a campaign."""
        return (self.method, self.device)

    @property
    def tf32(self) -> bool:
        """Whether its products were rounded to TF32."""
        return computes_in_tf32(self.device, self.settings)

    @property
    def brought(self) -> str | None:
        """For an interpreter of the user: how it differs from the method's header."""
        return self.environment.get("brought")


def measured_methods(description: Description, records: Iterable[Record]) -> tuple[MeasuredMethod, ...]:
    """Return each method on each device that the campaign planned."""
    by_key: dict[Key, list[Record]] = {}
    for record in records:
        if isinstance(record, Started | Finished | NotMeasured):
            by_key.setdefault((record.method, record.device), []).append(record)
    return tuple(
        _measured(description, name, facts, device, by_key.get((name, device), []))
        for device in description.settings.devices
        for name, facts in description.methods.items()
    )


def _measured(
    description: Description, name: str, facts: MethodFacts, device: str, records: list[Record]
) -> MeasuredMethod:
    started, finished, stopped = _of(Started, records), _of(Finished, records), _of(NotMeasured, records)
    last = started[-1] if started else None
    memory = [record.peak_memory_bytes for record in finished if record.peak_memory_bytes is not None]
    on_device = [one.peak_device_memory_bytes for one in finished if one.peak_device_memory_bytes is not None]
    return MeasuredMethod(
        method=name,
        label=facts.label,
        family=facts.family,
        kind=facts.kind,
        weights=last.weights if last else None,
        device=device,
        dtype=last.dtype if last else facts.dtype,
        threads=last.threads if last else description.settings.threads,
        optimizer=NATIVE if facts.native else description.settings.optimizer,
        parameters=last.parameters if last and last.parameters else facts.parameters,
        paper=facts.paper,
        settings=last.settings if last else {},
        tuned=tuple(facts.tuned),
        threads_found=_threads(last) if last else None,
        checkpoint=last.checkpoint if last else None,
        theory=facts.theory,
        knobs=last.knobs if last else {},
        versions=last.versions if last else {},
        environment=last.environment if last else {},
        cold_start_s=statistics.median(map(_cold_start, started)) if started else None,
        warm_up_calls=max((record.warm_up_calls or 0 for record in started), default=None),
        settled=all(record.settled is not False for record in started) if started else None,
        peak_memory_bytes=max(memory, default=None),
        peak_device_memory_bytes=max(on_device, default=None),
        failure=stopped[-1].failure.kind if stopped else None,
        message=stopped[-1].failure.message if stopped else None,
        log=_log(stopped[-1]) if stopped else None,
        note=facts.note,
    )


def _log(stopped: NotMeasured) -> str | None:
    return log_name(stopped.method, stopped.device, stopped.round) if stopped.failure.kind in LOGGED else None


def _of(kind: type[R], records: Iterable[Record]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def _cold_start(record: Started) -> float:
    return (record.import_ns + record.load_ns + (record.first_call_ns or 0)) / 1e9


def _threads(record: Started) -> int | None:
    return max((pool["num_threads"] for pool in record.thread_pools if pool.get("user_api") == "openmp"), default=None)
