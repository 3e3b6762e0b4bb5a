"""What a campaign shows while it runs: live in a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TaskID, TextColumn

from bench.contract.records import Record, Relaxation, Replay, SinglePoint, Trajectory
from bench.contract.settings import Settings
from bench.contract.sizes import Size
from bench.contract.throughput import Throughput

# drawing takes a few milliseconds on a core that the measurement might need: twice a second is enough
REFRESH_PER_SECOND = 2


class _Tally:
    """What one worker has done so far, and how fast: milliseconds per step, or per force call in a replay."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.nanoseconds: Counter[str] = Counter()
        self.structures: set[int] = set()
        self.picoseconds = 0.0
        self.atoms = 0
        self.failed = 0

    def add(self, record: Record) -> None:
        failure = getattr(record, "failure", None)
        self.failed += failure is not None and failure.kind != "no-batch"
        match record:
            case Trajectory():
                self.picoseconds += record.steps * record.time_step_fs / 1000
            case Replay():
                self.structures.add(record.structure)
                self._count("force call", len(record.calculator_ns), sum(record.calculator_ns))
            case SinglePoint():
                self.structures.add(record.structure)
                self._count("force call", 1, record.calculator_ns)
            case Size():
                self.atoms = max(self.atoms, record.atoms if record.calculator_ns else 0)
            case Throughput():
                self._count("force call", sum(record.force_calls), sum(record.force_ns))
            case Relaxation():
                self.structures.add(record.structure)
                columns = (record.trace.get(name, ()) for name in ("calculator_ns", "optimizer_ns"))
                self._count("step", record.steps, sum(sum(column[1:]) for column in columns))

    def _count(self, what: str, count: int, nanoseconds: int) -> None:
        self.counts[what] += count
        self.nanoseconds[what] += nanoseconds

    def __str__(self) -> str:
        speeds = [
            f"{self.nanoseconds[what] / count / 1e6:.3g} ms/{what}" for what, count in self.counts.items() if count
        ]
        if self.picoseconds:
            speeds.append(f"{self.picoseconds:.3g} ps simulated")
        if self.atoms:
            speeds.append(f"up to {self.atoms:,} atoms")
        speed = ", ".join(speeds) or "no step yet"
        return f"{speed}, {self.failed} failed" if self.failed else speed

    @property
    def _others(self) -> bool:
        """Whether something was measured that is not counted in structures."""
        return bool(self.picoseconds or self.counts or self.atoms)

    def all(self) -> str:
        """Return it with the number of structures, if there are any."""
        return f"{len(self.structures)} structures, {self}" if self.structures or not self._others else str(self)


def _worker(method: str, device: str, round_number: int, rounds: int) -> str:
    """Return what is measured now; a round after the planned ones repeats a disturbed one."""
    return f"{method} {device}, " + (f"round {round_number + 1} of {rounds}" if round_number < rounds else "once more")


def _left(seconds: float | None) -> str:
    return "no time limit" if seconds is None else f"at most {math.ceil(seconds / 60)} min of measuring left"


class LiveProgress:
    """One line for the campaign and one for the running worker; for a terminal."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        columns: list[ProgressColumn] = [
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[speed]}"),
        ]
        self.bars = Progress(*columns, console=console, refresh_per_second=REFRESH_PER_SECOND, transient=True)
        workers = len(settings.methods) * len(settings.devices) * settings.rounds
        self.campaign = self.bars.add_task("campaign", total=workers, speed="")
        self.worker: TaskID | None = None
        self.tally = _Tally()

    def __enter__(self) -> LiveProgress:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def say(self, line: str) -> None:
        """Show one line above the bars."""
        self.bars.console.print(line, markup=False, highlight=False)

    def begin(self, method: str, device: str, round_number: int, items: int) -> None:
        """Show a bar for a worker."""
        self.tally = _Tally()
        self.name = _worker(method, device, round_number, self.settings.rounds)
        self.worker = self.bars.add_task(self.name, total=items, speed="starting")

    def measured(self, record: Record) -> None:
        """Move the bar of the worker."""
        self.tally.add(record)
        if self.worker is not None:
            self.bars.update(self.worker, advance=1, speed=str(self.tally))

    def alive(self, number: int, steps: int) -> None:
        """Show the steps of the item in flight."""
        if self.worker is not None:
            self.bars.update(self.worker, speed=f"{self.tally}, step {steps}")

    def end(self, seconds_left: float | None) -> None:
        """Print one line with what the worker found, and remove its bar."""
        if self.worker is not None:
            self.say(f"{self.name}: {self.tally.all()}")
            self.bars.remove_task(self.worker)
            self.worker = None
        self.bars.update(self.campaign, advance=1, speed=_left(seconds_left))


class PlainProgress:
    """One line for each worker's start and end, for log files and pipes."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.tally = _Tally()
        self.started = time.monotonic()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def say(self, line: str) -> None:
        """Print one line."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def begin(self, method: str, device: str, round_number: int, items: int) -> None:
        """Print that a worker starts."""
        self.tally = _Tally()
        self.name = _worker(method, device, round_number, self.settings.rounds)

    def measured(self, record: Record) -> None:
        """Count a structure."""
        self.tally.add(record)

    def alive(self, number: int, steps: int) -> None:
        """Print nothing: a log needs no signs of life."""

    def end(self, seconds_left: float | None) -> None:
        """Print what the worker found."""
        minutes = (time.monotonic() - self.started) / 60
        self.say(f"[{minutes:5.1f} min] {self.name}: {self.tally.all()}; {_left(seconds_left)}")


def progress(settings: Settings) -> LiveProgress | PlainProgress:
    """Return the display that suits standard error, where a campaign reports its progress."""
    console = Console(file=sys.stderr)
    return LiveProgress(settings, console) if console.is_terminal else PlainProgress(settings, console)
