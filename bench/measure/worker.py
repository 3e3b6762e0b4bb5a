"""One worker: one process, in one method's environment, on one device, with a fixed number of threads.

Run as a script by that environment's interpreter. It reads one :class:`bench.core.task.Task` (JSON, one line) from
standard input and writes :mod:`messages <bench.core.message>` to the standard output that it was started with;
all output of the method's libraries goes to standard error instead. pesbench is not installed in a method's
environment: the worker makes the package importable, and nothing else of the project (a `datasets` folder on the path
would shadow the package of that name).
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

if "bench" not in sys.modules and __name__ == "__main__":
    _root = Path(__file__).resolve().parents[1]
    _spec = importlib.util.spec_from_file_location(
        "bench", _root / "__init__.py", submodule_search_locations=[str(_root)]
    )
    assert _spec is not None and _spec.loader is not None
    sys.modules["bench"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["bench"])

from bench.core import task as tasks
from bench.core.device import Device
from bench.core.message import Begins, CannotWrite, Done, Phase, PlainLines
from bench.core.protocol import STRUCTURES
from bench.core.records import Finished, NotMeasured
from bench.core.task import Allowance, Item, Task
from bench.measure import process
from bench.measure.channel import Channel
from bench.measure.loading import NotReady, load_adapter, stage
from bench.measure.session import Deadlines, Session
from bench.protocols import PARTS, PHASES, PROTOCOL_OF, lost, phase_of

UNKNOWN_TASK = 2
"""Exit status for a task that this worker does not know."""


def main() -> int:
    """Read a task, do it, and report that it is done; errors of a method become records, not an exit status."""
    channel = Channel()
    line = sys.stdin.readline()
    process.die_with_parent()
    try:
        task = Task.from_json(line)
    except ValueError as error:
        print(error, file=sys.stderr)
        return UNKNOWN_TASK
    if task.subject.cpus:
        os.sched_setaffinity(0, task.subject.cpus)
    try:
        JOBS[task.job](task, channel)
    except NotReady as stopped:
        channel.send(NotMeasured(**task.key, failure=stopped.failure))
    channel.say(Done())
    return 0


def measure(task: Task, channel: Channel) -> None:
    """Measure the task's items, phase by phase."""
    session = Session(task, channel)
    for phase in PHASES:
        items = task.of_parts(*(part for part in PARTS if phase_of(part) == phase))
        if items:
            _phase(session, phase, items)
    finished = Finished(
        **task.key,
        peak_memory_bytes=process.peak_memory(),
        peak_device_memory_bytes=session.adapter.peak_device_memory(),
    )
    channel.send(finished)


def _phase(session: Session, phase: str, items: list[Item]) -> None:
    """Measure the items of one phase: number by number, each with its remaining protocols.

    No number begins after the allowance's first deadline, or when a paced worker was told to end. The item in flight at
    the second deadline is cut off.
    """
    from bench.measure.measurers import CannotKeep, Measurer, measurer
    from bench.measure.queue import Queue
    from bench.measure.relax import classify

    session.channel.say(Phase(phase))
    deadlines = Deadlines(session.task.allowances.get(phase, Allowance()))
    measurers: dict[str, Measurer] = {}
    for name in dict.fromkeys(PROTOCOL_OF[item.part] for item in items):
        measurers[name] = measurer(name)(session, deadlines)
    to_answer = set(session.task.answers) if phase == STRUCTURES else set()
    to_drive = set(session.task.drives) if phase == STRUCTURES else set()
    queue = Queue(session, items, deadlines.begin)
    left_out = False
    for item in queue:
        try:
            if (structure := PARTS[item.part].structure(item.number)) is not None:
                session.turn_to(structure)
        except Exception as error:
            session.channel.send(lost(session.task, item, classify(error)))
            continue
        if item.number in to_answer:
            to_answer.remove(item.number)
            with session.uncounted():
                session.answer(item.number)
        if item.number in to_drive:
            to_drive.remove(item.number)
            with session.uncounted():
                session.drive(item.number)
        if left_out or queue.is_revisit:
            session.channel.say(Begins(item.part, item.number))
        try:
            record = measurers[PROTOCOL_OF[item.part]].measure(item)
        except CannotKeep as error:
            session.channel.say(CannotWrite(str(error)))
            sys.exit("a file of the run cannot be written")
        except Exception as error:
            record = lost(session.task, item, classify(error))
        left_out = left_out or record is None
        if record is not None:
            session.channel.send(queue.judged(item, record))


def conform(task: Task, channel: Channel) -> None:
    """Check the adapter against its interface; see `bench.measure.conform`."""
    from bench.measure.conform import conform

    session = Session(task, channel)
    for check in conform(session.adapter, session.calculator, [*session.structures.values()], facts(task)):
        channel.say(check)


def facts(task: Task) -> dict[str, Any]:
    """Return the facts for the conformance kit, which :func:`bench.measure.conform.conform` describes."""
    assert task.promises is not None
    subject = task.subject
    return {
        **dataclasses.asdict(task.promises),
        "method": subject.method,
        "device": Device.parse(subject.device).exact,
        "dtype": subject.dtype,
        "threads": subject.threads,
        "native": subject.native,
        "weights": task.told.weights,
        "parameters": task.told.parameters,
    }


def compare_with_bare(task: Task, channel: Channel) -> None:
    """Relax each structure bare and through the harness, alternating, and send the pairs."""
    from bench.measure.overhead import pairs

    for pair in pairs(Session(task, channel)):
        channel.say(pair)


def plain_lines(task: Task, channel: Channel) -> None:
    """Send the adapter's lines for a plain script; nothing is loaded."""
    subject = task.subject
    with stage(loading=True):
        adapter = load_adapter(subject.adapter)
        adapter.reference = task.reference.atoms()
        adapter.knobs = dict(subject.knobs)
        checkpoint = Path(subject.checkpoint) if subject.checkpoint else None
        device = Device.parse(subject.device).exact
        text = adapter.script(subject.known_as, device, subject.dtype, subject.threads, checkpoint)
    channel.say(PlainLines(text))


def build_random(task: Task, channel: Channel) -> None:
    """Write a checkpoint with random weights, in a process that measures nothing."""
    assert task.output is not None
    path = Path(task.output)
    with stage(loading=True):
        load_adapter(task.subject.adapter).make_random(task.subject.known_as, path, task.subject.seed)
        if not path.exists():
            raise FileNotFoundError(f"make_random wrote no {path.name}")


JOBS = {
    tasks.MEASURE: measure,
    tasks.CONFORM: conform,
    tasks.OVERHEAD: compare_with_bare,
    tasks.BUILD_RANDOM: build_random,
    tasks.SCRIPT: plain_lines,
}


if __name__ == "__main__":
    sys.exit(main())
