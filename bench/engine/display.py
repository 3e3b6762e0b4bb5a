"""What a campaign shows while it runs: live in a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TaskID, TextColumn

from bench.core.protocol import Key
from bench.core.records import Record
from bench.core.settings import Settings
from bench.paths import told
from bench.protocols import PARTS, item_of

# drawing takes a few milliseconds on a core that the measurement might need: twice a second is enough
REFRESH_PER_SECOND = 2


class _Tally:
    """What one worker has done so far, and how fast."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}
        self.structures: set[int] = set()
        self.failed = 0

    def add(self, record: Record) -> None:
        failure = getattr(record, "failure", None)
        self.failed += failure is not None and failure.kind != "no-batch"
        item = item_of(record)
        if item is not None:
            self.records.setdefault(item.part, []).append(record)
            if PARTS[item.part].number == "structure":
                self.structures.add(item.number)

    def __str__(self) -> str:
        speeds = [words for part, records in self.records.items() if (words := PARTS[part].progress(records))]
        speed = ", ".join(speeds) or "no step yet"
        return f"{speed}, {self.failed} failed" if self.failed else speed

    def all(self) -> str:
        """Return it with the number of structures, if there are any."""
        others = any(PARTS[part].number != "structure" for part in self.records)
        count = len(self.structures)
        return f"{count} structure{'s' * (count != 1)}, {self}" if count or not others else str(self)


class _Round:
    """What the methods of a round have done so far."""

    def __init__(self, keys: Sequence[Key], round_number: int, rounds: int | None) -> None:
        self.number = f"round {round_number + 1}{f' of {rounds}' if rounds and round_number < rounds else ''}"
        self.tallies = {key: _Tally() for key in keys}
        several = f"{self.number}, {len(keys)} methods in turn"
        self.title = f"{' '.join(keys[0])}, {self.number}" if len(keys) == 1 else several

    def add(self, record: Record) -> None:
        self.tallies[record.method, record.device].add(record)

    def now(self, key: Key) -> str:
        """Return how far a method is."""
        return str(self.tallies[key]) if len(self.tallies) == 1 else f"{key[0]}: {self.tallies[key]}"

    def lines(self) -> list[str]:
        """Return a line for each method."""
        return [f"{' '.join(key)}, {self.number}: {tally.all()}" for key, tally in self.tallies.items()]


def _left(seconds: float | None, job: int, jobs: int | None) -> str:
    """Return how far a campaign is, and when it will be done: ``job 23 of 51, done about 15:40``.

    Without a number of `jobs`, `seconds` are the most that it may take.
    """
    said = f"job {job} of {jobs}" if jobs is not None else f"job {job}"
    if job == jobs:
        return said
    if seconds is None:
        return f"{said}, no time limit"
    if seconds < 90:
        soon = f"{math.ceil(seconds / 10) * 10} s"
        return f"{said}, done in about {soon}" if jobs is not None else f"{said}, done within {soon}"
    then = time.strftime("%H:%M", time.localtime(time.time() + seconds))
    # without a number of jobs, it is the end of the time; the rounds may end before
    return f"{said}, done about {then}" if jobs is not None else f"{said}, done by {then} at the latest"


class LiveProgress:
    """One line for the running round; for a terminal."""

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
        self.round: _Round | None = None
        self.bar: TaskID | None = None
        self.left = ""

    def __enter__(self) -> LiveProgress:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def say(self, line: str) -> None:
        """Show one line above the bars."""
        self.bars.console.print(told(line), markup=False, highlight=False)

    def begin(self, keys: Sequence[Key], round_number: int, items: int) -> None:
        """Show a bar for a round."""
        self.round = _Round(keys, round_number, rounds_of(self.settings))
        self.bar = self.bars.add_task(self.round.title, total=items, speed=f"starting{self.left}")

    def measured(self, record: Record) -> None:
        """Move the bar."""
        if self.round is not None and self.bar is not None:
            self.round.add(record)
            self.bars.update(self.bar, advance=1, speed=self.round.now((record.method, record.device)))

    def alive(self, key: Key, number: int, steps: int) -> None:
        """Show the steps of the item in flight."""
        if self.round is not None and self.bar is not None:
            self.bars.update(self.bar, speed=f"{self.round.now(key)}, step {steps}")

    def end(self, seconds_left: float | None, job: int, jobs: int | None) -> None:
        """Print one line with what each method found, and remove the bar."""
        if self.round is not None and self.bar is not None:
            for line in self.round.lines():
                self.say(line)
            self.bars.remove_task(self.bar)
            self.round = self.bar = None
        self.left = f"; {_left(seconds_left, job, jobs)}"


class PlainProgress:
    """One line for each method of a round that has ended, for log files and pipes."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.round: _Round | None = None
        self.started = time.monotonic()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def say(self, line: str) -> None:
        """Print one line."""
        self.console.print(told(line), markup=False, highlight=False, soft_wrap=True)

    def begin(self, keys: Sequence[Key], round_number: int, items: int) -> None:
        """Count from zero for a round."""
        self.round = _Round(keys, round_number, rounds_of(self.settings))

    def measured(self, record: Record) -> None:
        """Count an item."""
        if self.round is not None:
            self.round.add(record)

    def alive(self, key: Key, number: int, steps: int) -> None:
        """Print nothing: a log needs no signs of life."""

    def end(self, seconds_left: float | None, job: int, jobs: int | None) -> None:
        """Print what each method found, and the time that is left with the last one."""
        if self.round is None:
            return
        minutes = (time.monotonic() - self.started) / 60
        *others, last = self.round.lines()
        for line in (*others, f"{last}; {_left(seconds_left, job, jobs)}"):
            self.say(f"[{minutes:5.1f} min] {line}")
        self.round = None


def rounds_of(settings: Settings) -> int | None:
    """Return the number of rounds; None where the campaign finds it out itself."""
    return settings.rounds if settings.total_s is None else None


def progress(settings: Settings) -> LiveProgress | PlainProgress:
    """Return the display that suits standard error, where a campaign reports its progress."""
    console = Console(file=sys.stderr)
    return LiveProgress(settings, console) if console.is_terminal else PlainProgress(settings, console)
