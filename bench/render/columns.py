"""The lines and columns that people see in every format: one line per method, its devices side by side."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bench.analysis.fingerprint import CHANGED, SAME
from bench.analysis.statistics import Estimate
from bench.analysis.table import Mean, Row, Table
from bench.core.device import CPU, DEVICES, DeviceKind
from bench.core.protocol import RELAX, REPLAY
from bench.render import numbers
from bench.render.cells import AT_THE_START, BAD, DASH, WARNING, Cell, of
from bench.render.console import GAP
from bench.render.lines import Line, has_steps, kinds, lines, replay_unit, unit
from bench.render.notes import REPLAY_MARK
from bench.render.shown import SHOWN
from bench.render.view import OwnColumn

LABEL_WIDTH = 20
"""A longer name is wrapped where there is little room."""
_ROOMY = 120
WIDE = 10.0
"""An interval is wide if its end is more than so many times its beginning."""
REFERENCE = "1"
"""How many times slower the reference is than itself."""


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: its title, its text for a line, and how early it is shown where there is little room."""

    title: str
    text: Callable[[Line], Cell]
    priority: int
    right: bool = True
    unit: str = ""
    chooses: bool = False
    """Whether it helps to choose a method: then the first table of the page has it."""

    @property
    def heading(self) -> str:
        """Title and unit in one line."""
        return " ".join(self.title_lines)

    @property
    def title_lines(self) -> list[str]:
        """Title and unit, one line each."""
        return [self.title, self.unit] if self.unit else [self.title]


def columns(table: Table) -> list[Column]:
    """Return the columns that have something to show for this table, in their order from left to right."""
    shown = lines(table)
    total = max((line.row.total or 0 for line in shown), default=0)
    campaign = not table.is_paper
    systems = len(table.description.dataset.systems)
    several = systems > 1
    replay = has_steps(table) and REPLAY in table.description.settings.protocols
    alarming = any(row.answers or row.doubts for row in table.rows)
    stopped = any(row.converged != row.done for row in table.rows)  # at the step cap
    each = [(kind, of_device(kind, table)) for kind in kinds(table)]
    candidates = [
        (True, Column("Method", lambda line: Cell(line.label), 0, right=False, chooses=True)),
        *((True, column.time) for _, column in each),
        *((True, column.molecule) for _, column in each),
        *((campaign, shown_beside) for _, column in each for shown_beside in (column.rank, column.slower)),
        (campaign, Column("answer", lambda line: _answer(line), 1 if alarming else 8, right=False)),
        *((replay, column.replay) for _, column in each),
        *((True, own) for own in _own(table)),
        *((kind.accelerator, column.gain) for kind, column in each),
        (campaign, Column(f"n/{total}", lambda line: _each(line, lambda row: numbers.whole(row.done)), 2)),
        (several, Column("systems", lambda line: _each(line, lambda row: _coverage(row, systems)), 2, chooses=True)),
        *((campaign, shown_beside) for _, column in each for shown_beside in (column.paper, column.ratio)),
        (campaign, Column("rounds", lambda line: _rounds(line.row), 9, unit="differ")),
        (
            True,
            Column("calls", lambda line: numbers.plain(line.row.relaxation.force_calls_per_step), 11, unit="per step"),
        ),
        (True, Column("steps", lambda line: numbers.count(line.row.relaxation.steps_per_structure), 12)),
        (stopped, Column("conv.", lambda line: _each(line, lambda row: numbers.whole(row.converged)), 13)),
        (campaign, Column("minima", lambda line: _minima(line.row), 13, unit="higher, meV")),
        (True, Column("weights", lambda line: _or_dash(line.row.weights), 10, right=False, chooses=True)),
        (True, Column("dtype", lambda line: _or_dash(line.row.dtype), 14, right=False)),
        (True, Column("calc.", lambda line: numbers.percent(line.row.calculator_share), 15, unit="share")),
        (True, Column("cold", lambda line: numbers.seconds(line.row.cold_start_s), 16, unit="start")),
        (True, Column("memory", lambda line: numbers.size(line.row.peak_memory_bytes), 17, unit="peak")),
        *((kind.accelerator, column.memory) for kind, column in each),
        *((campaign, shown_beside) for _, column in each for shown_beside in column.joules),
        (True, Column("param.", lambda line: numbers.parameters(line.row.parameters), 19)),
        (campaign, Column("volume", lambda line: numbers.growth(line.row.relaxation.volume_change), 1, unit="change")),
        (True, Column("RMSD", lambda line: numbers.plain(line.row.relaxation.rmsd_median, 2), 20, unit="Å")),
        (True, Column("fmax", lambda line: numbers.plain(line.row.relaxation.fmax_max, 2), 21, unit="eV/Å")),
    ]
    return [
        column
        for wanted, column in candidates
        if wanted and (column.priority == 0 or any(column.text(line) != DASH for line in shown))
    ]


def _own(table: Table) -> list[Column]:
    """Return the columns of protocols with tables of their own, as far as a row has something from them."""
    found = []
    for name, view in SHOWN.items():
        if any(name in row.own and view.shows(row.own[name]) for row in table.rows):
            found += [_own_column(name, one) for one in view.columns]
    return found


def _own_column(name: str, own: OwnColumn) -> Column:
    def text(line: Line) -> Cell:
        return of(own.text(line.row.own[name])) if name in line.row.own else DASH

    return Column(own.title, text, own.priority, own.right, own.unit, own.chooses)


class OfDevice(NamedTuple):
    """The columns of one kind of device."""

    time: Column
    molecule: Column
    rank: Column
    slower: Column
    replay: Column
    gain: Column
    paper: Column
    ratio: Column
    memory: Column
    joules: tuple[Column, ...]


def of_device(kind: DeviceKind, table: Table) -> OfDevice:
    """Return a table's columns of a kind of device."""
    several = len(kinds(table)) > 1
    labels = {row.method: row.label for row in table.rows}

    def there(line: Line) -> Row | None:
        return line.rows.get(kind.name)

    label, place, per = kind.label, list(DEVICES).index(kind.name), unit(table)
    beside = f", {label}" if several else ""
    return OfDevice(
        time=Column(label, lambda line: time_text(line, there(line)), min(place, 1), unit=per, chooses=True),
        molecule=Column(
            "ms/molecule",
            lambda line: _molecule(there(line)),
            4 if several else 2,
            unit=f"{label}, relaxed" if several else "relaxed",
            chooses=True,
        ),
        rank=Column("rank", lambda line: _rank(there(line)), 2, unit=label if several else "", chooses=True),
        slower=Column(
            f"times slower{beside}",
            lambda line: _slower(there(line)),
            2 if kind is kinds(table)[0] else 4,  # of a second device after what it gains
            unit=_than(table, kind, labels),
            chooses=True,
        ),
        replay=Column(
            f"{label} replay", lambda line: replay_text(line, line.replays.get(kind.name)), 2, unit=replay_unit(table)
        ),
        gain=Column(f"{DEVICES[CPU].label}/{label}", lambda line: numbers.ratio(_gain(there(line))), 3),
        paper=Column("paper", lambda line: _paper(there(line)), 4 + 2 * place, unit=f"{label} ms"),
        ratio=Column("ours/paper", lambda line: _ratio(there(line)), 5 + 2 * place, unit=label),
        memory=Column(f"{label} mem.", lambda line: _memory(there(line)), 18, unit="peak"),
        joules=_joules(label, per.partition("/")[2], there),
    )


def fitting(table: Table, width: int) -> list[Column]:
    """Return the columns that fit into a line of `width` characters: chosen by priority, in their own order."""
    shown = lines(table)
    every = columns(table)
    chosen: set[int] = set()
    left = width + GAP
    for i in sorted(range(len(every)), key=lambda i: every[i].priority):
        column = every[i]
        texts = [column.text(line) for line in shown]
        # a mark hangs over the other figures
        longest = max((len(text.removesuffix(REPLAY_MARK)) for text in texts), default=0)
        longest += any(text.endswith(REPLAY_MARK) for text in texts)
        needed = max(longest, *map(len, column.title_lines))
        if column.title == "Method" and width < _ROOMY:
            needed = min(needed, LABEL_WIDTH)
        if column.priority == 0 or needed + GAP <= left:
            chosen.add(i)
            left -= needed + GAP
    return [every[i] for i in sorted(chosen)]


def failures(table: Table) -> list[tuple[str, str]]:
    """Return, for each row with failures, its name and device, and what went wrong and how often."""
    found: dict[tuple[str, str], str] = {}  # a method that could not start has the same failure in both protocols
    relaxed = {row.method for row in table.rows if row.protocol == RELAX}
    for row in table.rows:
        if row.failures:
            classes = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in row.failures.items())
            text = f"{classes}: {row.message}" if row.message else classes
            text += f" (see {row.log})" if row.log else ""
            where = f"{row.label}, {row.on.label}"
            if found.get((row.method, where)) == text:
                continue
            if row.protocol == REPLAY and row.method in relaxed:
                where += ", replay"
            found[row.method, where] = text
    return [(where, text) for (_, where), text in found.items()]


def means(table: Table) -> list[tuple[str, str]]:
    """Return, for each geometric mean, its name, and its figure with the methods that it averages."""
    names = {(row.method, row.protocol): row.name for row in table.rows}

    def named(methods: tuple[str, ...], mean: Mean) -> str:
        return ", ".join(names[method, mean.protocol] for method in methods)

    found = []
    for mean in table.geometric_means:
        over = "structures" if mean.low is not None else None
        figure = numbers.ratio(Estimate(mean.estimate, mean.low, mean.high, mean.n or 0, over))
        text = f"{figure}, mean of {named(mean.methods, mean)}"
        if mean.reference:
            text += f"; against {named(mean.reference, mean)}"
        if mean.per_molecule is not None:
            text += f"; per relaxed molecule {numbers.ratio(mean.per_molecule)}"
        if mean.n is not None:
            text += f"; {mean.n} common structure{'s' if mean.n != 1 else ''}"
        calls = ", force calls" if mean.of_calls and has_steps(table.only(REPLAY)) else ""
        found.append((f"{mean.name} (replay{calls})" if mean.protocol == REPLAY else mean.name, text))
    return found


def time_text(line: Line, row: Row | None) -> Cell:
    """Return a row's time with its interval, marked if it is of another kind than the others, or why there is none."""
    return _time(line, row) + REPLAY_MARK * line.is_marked(row)


def replay_text(line: Line, row: Row | None) -> Cell:
    """Return the same for a column of replayed paths."""
    return _time(line, row) + REPLAY_MARK * line.is_marked_replay(row)


def _time(line: Line, row: Row | None) -> Cell:
    if row is not None and row.time is None and row.failures:
        return Cell(next(iter(row.failures)), state=BAD)
    if row is not None and row.time is None and row.converged and not row.relaxation.steps_measured:
        return AT_THE_START
    if row is None or row.time is None:
        return DASH
    if line.published:
        return numbers.published(row.time.estimate, 8) + f" [{DASH}]"
    return numbers.with_interval(row.time)


def _coverage(row: Row, systems: int) -> Cell:
    reached = row.coverage.systems if row.coverage else 0
    return Cell(f"{reached} of {systems}", reached, state="" if reached == systems else WARNING)


def _molecule(row: Row | None) -> Cell:
    if row is not None and row.ms_per_molecule_at_least is not None:
        return Cell(f"> {numbers.magnitude(row.ms_per_molecule_at_least)}", row.ms_per_molecule_at_least)
    return DASH if row is None else numbers.with_interval(row.ms_per_molecule, 3)


def _minima(row: Row) -> Cell:
    count, above = row.relaxation.other_minima, row.relaxation.other_minima_mev
    return Cell(f"{count}, {numbers.magnitude(above or 0.0)}", count) if count else DASH


def _rank(row: Row | None) -> Cell:
    """Return the place of a method, or the places that it can have: ``3``, ``4–6``."""
    if row is None or row.rank is None:
        return DASH
    low, high = row.rank.low, row.rank.high
    return Cell(str(low) if low == high else f"{low}–{high}", low, low, high)


def _slower(row: Row | None) -> Cell:
    found = row.relative if row else None
    if row is None or found is None:
        return DASH
    if found.to == row.method:
        return Cell(REFERENCE, 1.0)
    digits = 2 if found.estimate < 1 else 3
    if found.low is not None and found.high is not None and found.high > WIDE * found.low:
        # of such an interval only the orders of magnitude say anything, and a common number of decimals hides them
        low, high = numbers.magnitude(found.low), numbers.magnitude(found.high)
        return Cell(f"{numbers.plain(found.estimate, 2)} [{low}, {high}]", found.estimate, found.low, found.high)
    return numbers.with_interval(Estimate(found.estimate, found.low, found.high, 1, None), digits)


def _than(table: Table, kind: DeviceKind, labels: Mapping[str, str]) -> str:
    """Return whom a kind of device's methods are compared with: ``than SevenNet-0``."""
    rows = (line.rows.get(kind.name) for line in lines(table))
    to = dict.fromkeys(row.relative.to for row in rows if row and row.relative)
    names = [_short(labels.get(name, name)) for name in to]
    return f"than {' or '.join(names)}" if names else ""


def _short(label: str) -> str:
    """Return a label that fits into a heading: ``SevenNet-0`` for ``SevenNet-0 (11Jul2024)``."""
    if len(label) <= LABEL_WIDTH:
        return label
    return textwrap.shorten(label.partition(" (")[0], LABEL_WIDTH, placeholder=" …")


def _gain(row: Row | None) -> Estimate | None:
    return row.speedup_over_cpu if row else None


def _paper(row: Row | None) -> Cell:
    return DASH if row is None else numbers.published(row.paper_ms_per_step)


def _ratio(row: Row | None) -> Cell:
    return DASH if row is None else numbers.ratio(row.ratio_to_paper)


def _rounds(row: Row) -> Cell:
    spread = row.round_spread
    return DASH if spread is None else Cell(f"{100 * (spread - 1):.1f} %", spread)


def _answer(line: Line) -> Cell:
    """Return whether the answers agree with the baseline, or what makes them doubtful."""
    rows = line.rows.values()
    doubts = dict.fromkeys(doubt.partition(":")[0] for row in rows for doubt in row.doubts)
    known = [row.answers for row in rows if row.answers is not None]
    if doubts:
        return Cell(", ".join(doubts), state=BAD)
    return DASH if not known else Cell(CHANGED, state=BAD) if any(known) else Cell(SAME)


def _memory(row: Row | None) -> Cell:
    return DASH if row is None else numbers.size(row.peak_device_memory_bytes)


def _joules(label: str, each: str, there: Callable[[Line], Row | None]) -> tuple[Column, ...]:
    """Return the columns of joules on a kind of device: gross and net, per step or call, and per molecule."""

    def column(title: str, per: str, priority: int, figure: Callable[[Row], Estimate | None]) -> Column:
        def text(line: Line) -> Cell:
            row = there(line)
            found = None if row is None else figure(row)
            return numbers.with_interval(found, 3) + REPLAY_MARK * (found is not None and line.is_marked(row))

        return Column(title, text, priority, unit=f"{label}, per {per}")

    return (
        column("joules", each, 7, lambda row: row.joules),
        column("net joules", each, 8, lambda row: row.joules_net),
        column("joules", "molecule", 10, lambda row: row.energy.joules_per_molecule),
        column("net joules", "molecule", 10, lambda row: row.energy.joules_per_molecule_net),
    )


def _each(line: Line, text: Callable[[Row], Cell]) -> Cell:
    """Return a count for every device, or a single one where they agree."""
    measured = [row for row in line.rows.values() if row.time is not None]
    texts = [text(row) for row in measured or [line.row]]
    return Cell(" / ".join(texts)) if len(set(texts)) > 1 else texts[0]


def _or_dash(text: Any) -> Cell:
    return Cell(str(text)) if text and text != "none" else DASH
