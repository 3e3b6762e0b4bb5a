"""The log of 'check-gpu': for each method, what was found on the device, and what to change where something failed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from bench.analysis.advice import advice
from bench.core.joules import Joules
from bench.core.message import Check
from bench.core.records import Finished, NotMeasured, Record, Started
from bench.protocols.relax.record import Relaxation
from bench.protocols.replay.record import Replay

PRECISION = "TF32 is as the settings say"
"""The name of the conformance check that has the error of a float32 product."""
SHOWN = ("gpu", "compute_capability", "cuda", "float32_matmul_precision", "matmul_precision", "tf32_matmul", "kernel")
"""The settings that are told."""
MARGIN = "  "


def lines(
    method: str,
    seconds: float,
    environment_bytes: int | None,
    checks: Sequence[Check],
    records: Iterable[Record],
    failure: str | None = None,
) -> list[str]:
    """Return what was found out about one method; `failure` is why it was not begun or has no environment."""
    mine = [record for record in records if record.method == method]
    size = f", environment {environment_bytes / 1e6:.0f} MB" if environment_bytes else ""
    found = [f"{method}: {seconds:.0f} s{size}"]
    found += [f"conformance: {_counts(checks)}"] if checks else []
    found += [f"precision: {one.figure}" for one in checks if one.name == PRECISION and one.passed is not None]
    for record in mine:
        found += _of(record)
    failures = [failure] if failure else []
    failures += [f"{one.name}: {one.figure}" for one in checks if one.passed is False]
    failures += [record.failure.message for record in mine if getattr(record, "failure", None)]  # type: ignore[attr-defined]
    for text in _different(failures):
        found.append(f"FAILED {text}")
        found.append(f"  to do: {advice(text) or _of_check(checks, text) or 'read its log in the run directory'}")
    return [found[0], *(MARGIN + line for line in found[1:])]


def _different(failures: Sequence[str]) -> list[str]:
    """Return the failures without those that another one tells, too."""
    return [text for text in dict.fromkeys(failures) if not any(text != other and text in other for other in failures)]


def _counts(checks: Sequence[Check]) -> str:
    passed = [one.passed for one in checks]
    return f"{passed.count(True)} ok, {passed.count(False)} failed, {passed.count(None)} skipped"


def _of_check(checks: Sequence[Check], text: str) -> str:
    return next((one.advice for one in checks if f"{one.name}: {one.figure}" == text), "")


def _of(record: Record) -> list[str]:
    """Return the lines of one record."""
    match record:
        case Started():
            told = ", ".join(f"{name} {record.settings[name]}" for name in SHOWN if name in record.settings)
            cold = (record.import_ns + record.load_ns + (record.first_call_ns or 0)) / 1e9
            versions = [
                f"{name} {record.versions[name]}" for name in ("torch", "jax", "tensorflow") if name in record.versions
            ]
            device = record.settings.get("device", record.device)
            about = [str(device), *versions, *([told] if told else [])]
            return [f"runs on: {', '.join(about)}", f"cold start: {cold:.1f} s; weights: {record.weights}"]
        case Relaxation() if record.failure is None and record.steps:
            calculator = sum(record.trace.get("calculator_ns", ())[1:])
            each = (calculator + sum(record.trace.get("optimizer_ns", ())[1:])) / record.steps / 1e6
            return [f"relaxed structure {record.structure}: {record.steps} steps, {each:.3g} ms each ({record.status})"]
        case Replay() if record.failure is None and record.calculator_ns:
            each = sum(record.calculator_ns) / len(record.calculator_ns) / 1e6
            update = sum(record.optimizer_ns) / len(record.calculator_ns) / 1e6
            beside = f", and {update:.3g} ms of the optimiser" if record.optimizer_ns else ""
            return [f"replayed structure {record.structure}: {each:.3g} ms per force call{beside}"]
        case Joules():
            return [f"energy of {_joules(record)}"]
        case Finished() if record.peak_device_memory_bytes is not None:
            return [f"peak device memory: {record.peak_device_memory_bytes / 1e6:.0f} MB"]
        case Finished() | NotMeasured() | _:
            return []


def _joules(record: Joules) -> str:
    parts = {"CPU": record.cpu_joules, "device": record.device_joules}
    counted = [f"{joules:.3g} J on the {name}" for name, joules in parts.items() if joules is not None]
    return f"{record.part}: {', '.join(counted) or 'no counter'} in {record.seconds:.1f} s"


def render(title: Sequence[str], methods: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return the log: a title, and the lines of each method; wrapped where a width is given."""
    blocks = [list(title), *methods]
    if width is not None:
        blocks = [[part for line in block for part in _wrapped(line, width)] for block in blocks]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _wrapped(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, width, subsequent_indent=indent + "  ", break_on_hyphens=False, break_long_words=False)
