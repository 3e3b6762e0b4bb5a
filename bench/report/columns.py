"""The lines and columns that people see, whatever the format: one line a method, the CPU beside the GPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from bench.analysis.statistics import Estimate
from bench.analysis.table import Row, Table, is_gpu
from bench.report import numbers
from bench.report.numbers import DASH

GAP = 2
"""Characters between two columns."""
LABEL_WIDTH = 20
"""A longer name is broken where there is little room."""
_ROOMY = 120


@dataclasses.dataclass(frozen=True)
class Line:
    """A method with one kind of weights: its row on the CPU and its row on a GPU, of which one may be missing."""

    cpu: Row | None
    gpu: Row | None
    published: bool
    """It is a line of the published table, whose figures are shown as printed."""

    @property
    def row(self) -> Row:
        """The row that the columns without a device are of: the CPU's where it was measured."""
        row = self.cpu if self.cpu is not None and (self.cpu.ms_per_step or self.gpu is None) else self.gpu
        assert row is not None
        return row

    @property
    def label(self) -> str:
        """The method's name, which says so where its weights are random."""
        return f"{self.row.label} (random weights)" if self.row.weights == "random" else self.row.label


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
    groups: dict[tuple[str, str | None, str], list[Row]] = {}
    for row in table.rows:
        groups.setdefault((row.method, row.weights or weights.get(row.method), row.protocol), []).append(row)
    found = []
    for group in groups.values():
        cpu = next((row for row in group if not is_gpu(row.device)), None)
        gpus = [row for row in group if is_gpu(row.device)]
        found.append(Line(cpu, gpus[0] if gpus else None, published))
        found += [Line(None, gpu, published) for gpu in gpus[1:]]
    return found


def columns(table: Table) -> list[Column]:
    """Return the columns that have something to show for this table, in their order from left to right."""
    shown = lines(table)
    total = max((line.row.total or 0 for line in shown), default=0)
    cpu = any(line.cpu is not None for line in shown)
    gpu = any(line.gpu is not None for line in shown)
    campaign = table.head.get("source") != "paper"
    stopped = any(row.converged != row.done for row in table.rows)  # at the step cap
    candidates = [
        (True, Column("Method", lambda line: line.label, 0, right=False)),
        (cpu or not gpu, Column("CPU", lambda line: time_text(line, line.cpu), 0, unit="ms/step")),
        (gpu, Column("GPU", lambda line: time_text(line, line.gpu), 1, unit="ms/step")),
        (gpu, Column("CPU/GPU", lambda line: numbers.ratio(_gain(line)), 3)),
        (campaign, Column(f"n/{total}", lambda line: _both(line, lambda row: str(row.done)), 2)),
        (campaign, Column("paper", lambda line: _paper(line.cpu), 4, unit="CPU ms")),
        (campaign, Column("ours/paper", lambda line: _ratio(line.cpu), 5, unit="CPU")),
        (gpu and campaign, Column("paper", lambda line: _paper(line.gpu), 6, unit="GPU ms")),
        (gpu and campaign, Column("ours/paper", lambda line: _ratio(line.gpu), 7, unit="GPU")),
        (campaign, Column("rounds", lambda line: _rounds(line.row), 8, unit="differ")),
        (True, Column("calls", lambda line: numbers.plain(line.row.force_calls_per_step), 10, unit="per step")),
        (True, Column("steps", lambda line: numbers.count(line.row.steps_per_structure), 11)),
        (stopped, Column("conv.", lambda line: _both(line, lambda row: str(row.converged)), 12)),
        (True, Column("weights", lambda line: _or_dash(line.row.weights), 9, right=False)),
        (True, Column("dtype", lambda line: _or_dash(line.row.dtype), 13, right=False)),
        (True, Column("calc.", lambda line: numbers.percent(line.row.calculator_share), 14, unit="share")),
        (True, Column("cold", lambda line: numbers.seconds(line.row.cold_start_s), 15, unit="start")),
        (True, Column("memory", lambda line: numbers.size(line.row.peak_memory_bytes), 16, unit="peak")),
        (True, Column("GPU mem.", lambda line: _gpu_memory(line), 17, unit="peak")),
        (True, Column("param.", lambda line: numbers.parameters(line.row.parameters), 18)),
        (True, Column("RMSD", lambda line: numbers.plain(line.row.rmsd_median, 2), 19, unit="Å")),
        (True, Column("fmax", lambda line: numbers.plain(line.row.fmax_max, 2), 20, unit="eV/Å")),
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
        needed = max(map(len, (*column.title_lines, *(column.text(line) for line in shown))))
        if column.title == "Method" and width < _ROOMY:
            needed = min(needed, LABEL_WIDTH)
        if column.priority == 0 or needed + GAP <= left:
            chosen.add(i)
            left -= needed + GAP
    return [every[i] for i in sorted(chosen)]


def failures(table: Table) -> list[tuple[str, str]]:
    """Return, for each row with failures, its name and device and what went wrong how often."""
    found = []
    for row in table.rows:
        if row.failures:
            classes = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in row.failures.items())
            where = f"{row.label}, {_device(row.device)}"
            found.append((where, f"{classes}: {row.message}" if row.message else classes))
    return found


def means(table: Table) -> list[tuple[str, str]]:
    """Return, for each geometric mean, its name and its figure with the methods that it averages."""
    labels = {row.method: row.label for row in table.rows}
    found = []
    for mean in table.geometric_means:
        over = "structures" if mean.low is not None else None
        figure = numbers.ratio(Estimate(mean.estimate, mean.low, mean.high, mean.n or 0, over))
        text = f"{figure}, mean of {', '.join(labels[method] for method in mean.methods)}"
        if mean.reference:
            text += f"; against {', '.join(labels[method] for method in mean.reference)}"
        if mean.n is not None:
            text += f"; {mean.n} common structure{'s' if mean.n != 1 else ''}"
        found.append((mean.name, text))
    return found


def time_text(line: Line, row: Row | None) -> str:
    """Return a row's time per step with its interval, or why there is none."""
    if row is not None and row.ms_per_step is None and row.failures:
        return next(iter(row.failures))
    if row is None or row.ms_per_step is None:
        return DASH
    if line.published:
        return f"{numbers.published(row.ms_per_step.estimate, 8)} [{DASH}]"
    return numbers.with_interval(row.ms_per_step)


def _gain(line: Line) -> Estimate | None:
    return line.gpu.speedup_over_cpu if line.gpu else None


def _paper(row: Row | None) -> str:
    return DASH if row is None else numbers.published(row.paper_ms_per_step)


def _ratio(row: Row | None) -> str:
    return DASH if row is None else numbers.ratio(row.ratio_to_paper)


def _rounds(row: Row) -> str:
    return DASH if row.round_spread is None else f"{100 * (row.round_spread - 1):.1f} %"


def _gpu_memory(line: Line) -> str:
    return DASH if line.gpu is None else numbers.size(line.gpu.peak_device_memory_bytes)


def _both(line: Line, text: Callable[[Row], str]) -> str:
    """Return a count of both devices, once where they agree."""
    measured = [row for row in (line.cpu, line.gpu) if row is not None and row.ms_per_step is not None]
    texts = [text(row) for row in measured or [line.row]]
    return " / ".join(texts if len(set(texts)) > 1 else texts[:1])


def _or_dash(text: Any) -> str:
    return str(text) if text and text != "none" else DASH


def _device(device: str) -> str:
    return {"cpu": "CPU", "cuda": "GPU"}.get(device, device)
