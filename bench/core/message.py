"""A worker's messages: frozen, one JSON line each; the field ``message`` names the type.

The last one is always :class:`Done`: a worker that ends without it has failed, whatever its exit status says.
"""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar

from bench.core import lines, records
from bench.core.plain import from_plain, to_plain

VERSION = 4


@dataclasses.dataclass(frozen=True)
class Message:
    """A message of a worker."""

    message: ClassVar[str]


@dataclasses.dataclass(frozen=True)
class Result(Message):
    """A record, which is kept as it is."""

    message: ClassVar[str] = "result"
    record: records.Record


@dataclasses.dataclass(frozen=True)
class Beat(Message):
    """A sign of life, at most once a second."""

    message: ClassVar[str] = "beat"
    number: int
    """Number of the structure or the trajectory in flight; -1 before the first one."""
    steps: int


@dataclasses.dataclass(frozen=True)
class Phase(Message):
    """A phase begins; see :data:`bench.protocols.PHASES`."""

    message: ClassVar[str] = "phase"
    name: str


@dataclasses.dataclass(frozen=True)
class Begins(Message):
    """An item begins after others of its phase were left out for want of time; otherwise the first open one is next."""

    message: ClassVar[str] = "begins"
    part: str
    """A key of :data:`bench.protocols.PARTS`."""
    number: int


@dataclasses.dataclass(frozen=True)
class Waits(Message):
    """A paced worker has had its turn and waits for the next one."""

    message: ClassVar[str] = "waits"
    within: bool = False
    """Whether it is in the middle of an item."""
    seconds: float = 0.0
    """What it measured in this turn, without what no budget counts."""


@dataclasses.dataclass(frozen=True)
class Pair(Message):
    """One structure relaxed twice in a worker, bare and through the harness; nanoseconds and steps.

    A method with its own optimiser is relaxed through the harness alone: its bare steps are 0.
    """

    message: ClassVar[str] = "pair"
    structure: int
    repeat: int
    bare_ns: int
    bare_steps: int
    harness_ns: int
    harness_steps: int
    bookkeeping_ns: int
    """The observer's own time between the steps, by its own clock."""
    row_ns: int
    """The time of the harness's steps as a row has it: without the first force call, and without bookkeeping."""


@dataclasses.dataclass(frozen=True)
class PlainLines(Message):
    """What an adapter has for a plain script; see :meth:`bench.adapter.Adapter.script`."""

    message: ClassVar[str] = "plain-lines"
    text: str | None
    """None: nothing."""


@dataclasses.dataclass(frozen=True)
class Check(Message):
    """The result of a check of the conformance kit."""

    message: ClassVar[str] = "check"
    name: str
    passed: bool | None
    """None: skipped."""
    figure: str
    """The measured value, with units."""
    tolerance: str = ""
    advice: str = ""
    """How to fix it; empty unless it failed."""


@dataclasses.dataclass(frozen=True)
class CannotWrite(Message):
    """A file of the run could not be written, which is no fault of the method; the worker ends."""

    message: ClassVar[str] = "cannot-write"
    why: str


@dataclasses.dataclass(frozen=True)
class Done(Message):
    """The worker has finished its task."""

    message: ClassVar[str] = "done"


_KINDS: dict[str, type[Message]] = {
    kind.message: kind for kind in (Beat, Phase, Begins, Waits, Pair, PlainLines, Check, CannotWrite, Done)
}


def to_json(message: Message) -> str:
    """Return a message as one line, without the newline."""
    head = f'"message":"{message.message}","version":{VERSION}'
    if isinstance(message, Result):
        return f'{{{head},"record":{lines.to_json(message.record)}}}'
    return json.dumps({"message": message.message, "version": VERSION, **to_plain(message)}, separators=(",", ":"))


def from_json(line: str | bytes) -> Message:
    """Read a line from a worker; raises ValueError where it is not a message of this version."""
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("not a message")
    kind, version = fields.pop("message", None), fields.pop("version", None)
    if version != VERSION:
        raise ValueError(f"a message of version {version}; this pesbench reads version {VERSION}")
    if kind == Result.message:
        return Result(lines.from_fields(fields["record"]))
    if kind not in _KINDS:
        raise ValueError(f"there is no message {kind!r}")
    return from_plain(_KINDS[kind], fields)
