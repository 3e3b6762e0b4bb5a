"""Records as lines of JSON, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from bench.core import joules  # noqa: F401 - registers its record
from bench.core.failure import Failure
from bench.core.fitting import unfitting
from bench.core.records import KINDS, Record


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
        kind = KINDS[fields.pop("record")]
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
    if getattr(record, "forces", None) in ((), []):
        raise ValueError("not a record: it has no forces")
    if (why := record.wrong()) is not None:
        raise ValueError(f"not a record: {why}")
    return record


def spans(numbers: Iterable[int]) -> str:
    """Return the numbers of lines as a reader takes them in: ``1, 3–7``."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][-1] + 1:
            found[-1] = [found[-1][0], number]
        else:
            found.append([number])
    return ", ".join("–".join(map(str, one)) for one in found)
