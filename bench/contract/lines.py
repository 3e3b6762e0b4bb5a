"""Records as lines of JSON, and back."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from bench.contract.failure import Failure
from bench.contract.fitting import unfitting
from bench.contract.joules import Joules
from bench.contract.records import (
    Answer,
    Finished,
    NotMeasured,
    Record,
    Relaxation,
    Replay,
    SinglePoint,
    Started,
    Symmetry,
    Trajectory,
    Vibrations,
    Watched,
)
from bench.contract.sizes import Size
from bench.contract.throughput import Throughput

_KINDS: dict[str, type[Record]] = {
    kind.record: kind
    for kind in (
        *(Started, Answer, Relaxation, Replay, Symmetry, Trajectory, SinglePoint, Vibrations),
        *(Size, Throughput, Finished, Watched, Joules, NotMeasured),
    )
}


_NUMBERS = {int, float}
_TIMES = {"optimizer_ns", "harness_ns"}
_COLUMNS = {*_TIMES, "calculator_ns", "force_calls", "energy", "fmax"}


def to_json(record: Record) -> str:
    """Return the record as one line of JSON, without the newline."""
    return json.dumps({"record": record.record, **_shallow(record)}, separators=(",", ":"), allow_nan=False)


def _shallow(record: Record) -> dict[str, Any]:
    # dataclasses.asdict would copy every trace, entry by entry
    fields = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    if isinstance(fields.get("failure"), Failure):
        fields["failure"] = dataclasses.asdict(fields["failure"])
    return fields


def from_json(line: str | bytes) -> Record:
    """Read one line of a run directory; raises ValueError where it is not a record of this format."""
    return from_fields(json.loads(line))


def from_fields(fields: Any) -> Record:
    """Make a record from the fields of a parsed line, which it may modify; raises ValueError like `from_json`."""
    try:
        kind = _KINDS[fields.pop("record")]
        if fields.get("failure") is not None:
            fields["failure"] = Failure(**fields["failure"])
        record = kind(**fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a record: {error}") from None
    wrong = unfitting(record)
    if wrong is not None:
        raise ValueError(f"not a record: {wrong} is of another type")
    if record.round < 0 or getattr(record, "structure", 0) < 0:
        raise ValueError("not a record: a number is negative")
    if isinstance(record, Trajectory) and not 0 < record.time_step_fs < math.inf:
        raise ValueError("not a record: its time step is not a positive number")
    if isinstance(record, Relaxation):
        _check_trace(record.trace)
    if getattr(record, "forces", None) in ((), []):
        raise ValueError("not a record: it has no forces")
    return record


def _check_trace(trace: dict[str, Any]) -> None:
    if not _TIMES <= trace.keys() <= _COLUMNS:
        raise ValueError("not a record: its trace has other columns")
    if len(set(map(len, trace.values()))) != 1:
        raise ValueError("not a record: the columns of its trace differ in length")
    for name, column in trace.items():
        allowed = _NUMBERS if name.endswith("_ns") else {*_NUMBERS, type(None)}  # an energy may not be finite
        if not set(map(type, column)) <= allowed:
            raise ValueError("not a record: its trace is no table of numbers")
