"""The lines and columns that people see, whatever the format: one line a method, the CPU beside the GPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from bench.analysis.fingerprint import CHANGED, SAME
from bench.analysis.simulated import Stability
from bench.analysis.statistics import Estimate
from bench.analysis.table import RELAX, REPLAY, Mean, Row, Table, is_gpu
from bench.report import numbers
from bench.report.notes import REPLAY_MARK
from bench.report.numbers import DASH
from bench.report.stability import drift, stable

GAP = 2
"""Characters between two columns."""
LABEL_WIDTH = 20
"""A longer name is broken where there is little room."""
_ROOMY = 120


@dataclasses.dataclass(frozen=True)
class Line:
    """A method with one kind of weights: its row on the CPU and its row on a GPU, of which one may be missing.

    They are rows of relaxations where the method has such, else of replayed paths.
    """

    cpu: Row | None
    gpu: Row | None
    published: bool
    """It is a line of the published table, whose figures are shown as printed."""
    marked: bool = False
    """Its times are those of a force call, in a table where others are those of a step."""
    cpu_replay: Row | None = None
    gpu_replay: Row | None = None

    @property
    def row(self) -> Row:
        """The row that the columns without a device are of: the CPU's where it was measured."""
        row = self.cpu if self.cpu is not None and (self.cpu.time or self.gpu is None) else self.gpu
        assert row is not None
        return row

    @property
    def label(self) -> str:
        """The method's name, which says so where its weights are random."""
        return self.row.name


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: its title, its text for a line, and how early it is shown where there is little room."""

    title: str
    text: Callable[[Line], str]
    priority: int
    right: bool = True
    unit: str = ""

    @property
    def heading(self) -> str:
        """Title and unit in one line."""
        return " ".join(self.title_lines)

    @property
    def title_lines(self) -> list[str]:
        """Title and unit, one line each."""
        return [self.title, self.unit] if self.unit else [self.title]


def lines(table: Table) -> list[Line]:
    """Return the table's lines in the order of its rows; a second GPU of a method has a line of its own."""
    published = table.head.get("source") == "paper"
    # a row that could not be measured does not know its weights; it belongs beside the same method's other device
    weights = {row.method: row.weights for row in table.rows if row.weights}
    groups: dict[tuple[str, str | None], list[Row]] = {}
    for row in table.rows:
        groups.setdefault((row.method, row.weights or weights.get(row.method)), []).append(row)
    steps = has_steps(table)
    found = []
    for group in groups.values():
        replays = {row.device: row for row in group if row.protocol == REPLAY}
        shown = [row for row in group if row.protocol == RELAX] or list(replays.values())
        cpu = next((row for row in shown if not is_gpu(row.device)), None)
        gpus: list[Row | None] = [row for row in shown if is_gpu(row.device)]
        for i, gpu in enumerate(gpus or [None]):
            found.append(
                Line(
                    cpu if i == 0 else None,
                    gpu,
                    published,
                    marked=steps and shown[0].protocol == REPLAY,
                    cpu_replay=replays.get(cpu.device) if cpu and i == 0 else None,
                    gpu_replay=replays.get(gpu.device) if gpu else None,
                )
            )
    return found


def has_steps(table: Table) -> bool:
    """Tell whether the table is about times of steps; where nothing was relaxed it is about those of force calls."""
    return not table.rows or any(row.protocol == RELAX for row in table.rows)


def unit(table: Table) -> str:
    """Return the unit of the table's times."""
    return "ms/step" if has_steps(table) else "ms/call"


def columns(table: Table) -> list[Column]:
    """Return the columns that have something to show for this table, in their order from left to right."""
    shown = lines(table)
    total = max((line.row.total or 0 for line in shown), default=0)
    cpu = any(line.cpu is not None for line in shown)
    gpu = any(line.gpu is not None for line in shown)
    campaign = table.head.get("source") != "paper"
    replay = has_steps(table) and REPLAY in (table.head.get("settings", {}).get("protocols") or ())
    changed = any(row.answers for row in table.rows)
    simulated = any(row.stability for row in table.rows)
    stopped = any(row.converged != row.done for row in table.rows)  # at the step cap
    candidates = [
        (True, Column("Method", lambda line: line.label, 0, right=False)),
        (cpu or not gpu, Column("CPU", lambda line: time_text(line, line.cpu), 0, unit=unit(table))),
        (gpu, Column("GPU", lambda line: time_text(line, line.gpu), 1, unit=unit(table))),
        (campaign, Column("answer", lambda line: _answer(line), 1 if changed else 8, right=False)),
        (replay and cpu, Column("CPU replay", lambda line: _time(line, line.cpu_replay), 1, unit="ms/call")),
        (replay and gpu, Column("GPU replay", lambda line: _time(line, line.gpu_replay), 1, unit="ms/call")),
        (simulated, Column("MD", lambda line: _md(line, lambda row: row.verdict or DASH), 3, right=False)),
        (simulated, Column("stable", lambda line: _md(line, lambda row: stable(row, "nve")), 3, unit="NVE, ps")),
        (simulated, Column("drift", lambda line: _md(line, drift), 3, unit="meV/atom/ps")),
        (gpu, Column("CPU/GPU", lambda line: numbers.ratio(_gain(line)), 3)),
        (campaign, Column(f"n/{total}", lambda line: _both(line, lambda row: str(row.done)), 2)),
        (campaign, Column("paper", lambda line: _paper(line.cpu), 4, unit="CPU ms")),
        (campaign, Column("ours/paper", lambda line: _ratio(line.cpu), 5, unit="CPU")),
        (gpu and campaign, Column("paper", lambda line: _paper(line.gpu), 6, unit="GPU ms")),
        (gpu and campaign, Column("ours/paper", lambda line: _ratio(line.gpu), 7, unit="GPU")),
        (campaign, Column("rounds", lambda line: _rounds(line.row), 9, unit="differ")),
        (True, Column("calls", lambda line: numbers.plain(line.row.force_calls_per_step), 11, unit="per step")),
        (True, Column("steps", lambda line: numbers.count(line.row.steps_per_structure), 12)),
        (stopped, Column("conv.", lambda line: _both(line, lambda row: str(row.converged)), 13)),
        (True, Column("weights", lambda line: _or_dash(line.row.weights), 10, right=False)),
        (True, Column("dtype", lambda line: _or_dash(line.row.dtype), 14, right=False)),
        (True, Column("calc.", lambda line: numbers.percent(line.row.calculator_share), 15, unit="share")),
        (True, Column("cold", lambda line: numbers.seconds(line.row.cold_start_s), 16, unit="start")),
        (True, Column("memory", lambda line: numbers.size(line.row.peak_memory_bytes), 17, unit="peak")),
        (True, Column("GPU mem.", lambda line: _gpu_memory(line), 18, unit="peak")),
        (True, Column("param.", lambda line: numbers.parameters(line.row.parameters), 19)),
        (True, Column("RMSD", lambda line: numbers.plain(line.row.rmsd_median, 2), 20, unit="Å")),
        (True, Column("fmax", lambda line: numbers.plain(line.row.fmax_max, 2), 21, unit="eV/Å")),
    ]
    return [
        column
        for wanted, column in candidates
        if wanted and (column.priority == 0 or any(column.text(line) != DASH for line in shown))
    ]


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
    """Return, for each row with failures, its name and device and what went wrong how often."""
    found: dict[tuple[str, str], str] = {}  # what kept a method from starting is in its rows of both protocols
    relaxed = {row.method for row in table.rows if row.protocol == RELAX}
    for row in table.rows:
        if row.failures:
            classes = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in row.failures.items())
            text = f"{classes}: {row.message}" if row.message else classes
            where = f"{row.label}, {_device(row.device)}"
            if found.get((row.method, where)) == text:
                continue
            if row.protocol == REPLAY and row.method in relaxed:
                where += ", replay"
            found[row.method, where] = text
    return [(where, text) for (_, where), text in found.items()]


def means(table: Table) -> list[tuple[str, str]]:
    """Return, for each geometric mean, its name and its figure with the methods that it averages."""
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
        if mean.n is not None:
            text += f"; {mean.n} common structure{'s' if mean.n != 1 else ''}"
        found.append((f"{mean.name} (replay)" if mean.protocol == REPLAY else mean.name, text))
    return found


def time_text(line: Line, row: Row | None) -> str:
    """Return a row's time with its interval, marked where it is of another kind than the others, or why it has none."""
    text = _time(line, row)
    return text + REPLAY_MARK if line.marked and row is not None and row.time else text


def _time(line: Line, row: Row | None) -> str:
    if row is not None and row.time is None and row.failures:
        return next(iter(row.failures))
    if row is None or row.time is None:
        return DASH
    if line.published:
        return f"{numbers.published(row.time.estimate, 8)} [{DASH}]"
    return numbers.with_interval(row.time)


def _gain(line: Line) -> Estimate | None:
    return line.gpu.speedup_over_cpu if line.gpu else None


def _paper(row: Row | None) -> str:
    return DASH if row is None else numbers.published(row.paper_ms_per_step)


def _ratio(row: Row | None) -> str:
    return DASH if row is None else numbers.ratio(row.ratio_to_paper)


def _rounds(row: Row) -> str:
    return DASH if row.round_spread is None else f"{100 * (row.round_spread - 1):.1f} %"


def _answer(line: Line) -> str:
    """Return whether the answers are those of the baseline."""
    known = [row.answers for row in (line.cpu, line.gpu) if row is not None and row.answers is not None]
    return DASH if not known else CHANGED if any(known) else SAME


def _md(line: Line, text: Callable[[Stability], str]) -> str:
    return DASH if line.row.stability is None else text(line.row.stability)


def _gpu_memory(line: Line) -> str:
    return DASH if line.gpu is None else numbers.size(line.gpu.peak_device_memory_bytes)


def _both(line: Line, text: Callable[[Row], str]) -> str:
    """Return a count of both devices, once where they agree."""
    measured = [row for row in (line.cpu, line.gpu) if row is not None and row.time is not None]
    texts = [text(row) for row in measured or [line.row]]
    return " / ".join(texts if len(set(texts)) > 1 else texts[:1])


def _or_dash(text: Any) -> str:
    return str(text) if text and text != "none" else DASH


def _device(device: str) -> str:
    return {"cpu": "CPU", "cuda": "GPU"}.get(device, device)
