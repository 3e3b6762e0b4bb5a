"""The paper's claims about speed, each compared with the figures of a table.

The published methods alone judge them (``Row.paper``), whatever else was measured: see :mod:`bench.analysis.published`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from bench.analysis.published import by_calls, by_steps
from bench.analysis.speedup import FORCE_FIELD_OVER_MLIPS
from bench.analysis.statistics import Estimate
from bench.analysis.table import Claim, Mean, Published, Row, Table
from bench.core.device import is_accelerator
from bench.core.protocol import RELAX, REPLAY

HOLDS = "holds"
FAILS = "does not hold"
UNDECIDED = "undecided"
NOT_MEASURED = "not measured"
FEWEST_RANKED = 5
"""An order of four methods can be chance."""
ALONE = 1.5
"""A figure without an interval may be off: it decides only beyond this factor from a limit. Single processes differ by
2 to 12 % (standard deviation) in our runs, in both methods of a ratio, and a few structures add to that."""


@dataclasses.dataclass(frozen=True)
class _Figure:
    """The figure by which a claim is judged."""

    estimate: Estimate
    rows: tuple[Row, ...]
    """The rows from which it was computed."""


@dataclasses.dataclass(frozen=True)
class _Basis:
    """The published methods by whose times of one kind a claim may be judged."""

    rows: tuple[Row, ...]
    means: tuple[Mean, ...]
    of_calls: bool
    """The times are of force calls, not of steps."""

    @property
    def on_cpu(self) -> list[tuple[Row, Estimate]]:
        """The rows of the CPU, each with its time."""
        timed = [
            (row, row.calculator_ms_per_call if self.of_calls else row.ms_per_step)
            for row in self.rows
            if not is_accelerator(row.device)
        ]
        return [(row, time) for row, time in timed if time is not None]


def judged(table: Table, paper: Mapping[str, Published]) -> Table:
    """Return a table with the paper's claims, order and figures beside it; unchanged where `paper` is empty.

    It is empty for another molecule than the paper's: see :func:`bench.paper.table1.figures_for`.
    """
    if not paper:
        return table
    return dataclasses.replace(
        table,
        claims=tuple(claims(table)),
        rank_correlation=None if table.is_paper else rank_correlation(table),  # it would be compared with itself
        published=tuple(one for name, one in paper.items() if any(row.paper == name for row in table.rows)),
    )


def claims(table: Table) -> list[Claim]:
    """Return the paper's claims, each with a verdict and the figure behind it.

    A claim is judged by the times of steps if they suffice, else by those of force calls along the replayed paths. A
    published method that was relaxed counts with its relaxations, and one with random weights with its replayed paths.
    It is judged by the interval, and is undecided if a threshold lies inside it. A measured figure without an interval
    counts as one that may be off by the factor :data:`ALONE`.
    """
    return [
        _claim("a force field is more than 200 times faster than the MLIPs", table, _force_field_over_mlips, 200.0),
        # "up to" is about the largest ratio; a factor of two around 1000 is a fair reading
        _claim("DFT is up to 1000 times slower than an MLIP", table, _dft_over_fastest_mlip, 500.0, 2000.0),
        _claim("eqV2 M is more than 10 times slower than Nequix on the CPU", table, _eqv2_over_nequix, 10.0),
        _claim("GRACE gains more than a factor of 5 from the GPU", table, _gpu_gain("grace-2l-oam"), 5.0),
        _claim("Nequix gains about 20 % from the GPU", table, _gpu_gain("nequix-mp-1"), 1.1, 1.3),
    ]


def rank_correlation(table: Table) -> tuple[float, int] | None:
    """Return Spearman's rank correlation of the times on the CPU with the published ones, and the number of methods.

    A published method counts once, relaxed rather than replayed; models with random weights count, because the order of
    times does not depend on energies. None for fewer than :data:`FEWEST_RANKED`.
    """
    pairs: dict[str, tuple[float, float]] = {}
    for row in (*by_steps(table.rows), *by_calls(table.rows)):
        if row.paper and row.time and row.paper_ms_per_step and not is_accelerator(row.device):
            pairs.setdefault(row.paper, (row.time.estimate, row.paper_ms_per_step))
    if len(pairs) < FEWEST_RANKED:
        return None
    from scipy.stats import spearmanr  # slow to import, and most tables do not need it

    ours, theirs = zip(*pairs.values(), strict=True)
    return float(spearmanr(ours, theirs).statistic), len(pairs)


def _claim(
    text: str,
    table: Table,
    figure_on: Callable[[_Basis], _Figure | None],
    above: float,
    below: float | None = None,
) -> Claim:
    for basis in _bases(table):
        figure = figure_on(basis)
        if figure is not None:
            break
    else:
        return Claim(text, NOT_MEASURED)
    value = figure.estimate
    off = 1.0 if table.is_paper else ALONE
    low = value.estimate / off if value.low is None else value.low
    high = value.estimate * off if value.high is None else value.high
    top = float("inf") if below is None else below
    if above < low and high < top:
        verdict = HOLDS
    elif high <= above or low >= top:
        verdict = FAILS
    else:
        verdict = UNDECIDED
    random = tuple(dict.fromkeys(row.method for row in figure.rows if row.weights == "random"))
    protocol = RELAX if all(row.protocol == RELAX for row in figure.rows) else REPLAY
    return Claim(text, verdict, value.estimate, value.low, value.high, protocol, random)


def _bases(table: Table) -> tuple[_Basis, _Basis]:
    """Return the times of steps, and those of force calls: a call is never compared with a step."""
    means = table.published_means
    return (
        _Basis(tuple(by_steps(table.rows)), tuple(mean for mean in means if not mean.of_calls), of_calls=False),
        _Basis(tuple(by_calls(table.rows)), tuple(mean for mean in means if mean.of_calls), of_calls=True),
    )


def _force_field_over_mlips(basis: _Basis) -> _Figure | None:
    for mean in basis.means:
        if mean.name == FORCE_FIELD_OVER_MLIPS:
            over = "structures" if mean.low is not None else None
            rows = (row for row in basis.rows if row.method in (*mean.methods, *mean.reference))
            return _Figure(Estimate(mean.estimate, mean.low, mean.high, mean.n or 0, over), tuple(rows))
    return None


def _dft_over_fastest_mlip(basis: _Basis) -> _Figure | None:
    dft = [timed for timed in basis.on_cpu if timed[0].kind == "dft"]
    mlips = [timed for timed in basis.on_cpu if timed[0].kind == "mlip"]
    if not dft or not mlips:
        return None
    return _quotient(max(dft, key=_milliseconds), min(mlips, key=_milliseconds))


def _milliseconds(timed: tuple[Row, Estimate]) -> float:
    return timed[1].estimate


def _eqv2_over_nequix(basis: _Basis) -> _Figure | None:
    figures = {row.paper: (row, time) for row, time in basis.on_cpu}
    if "eqv2-m" not in figures or "nequix-mp-1" not in figures:
        return None
    return _quotient(figures["eqv2-m"], figures["nequix-mp-1"])


def _gpu_gain(paper: str) -> Callable[[_Basis], _Figure | None]:
    def gain(basis: _Basis) -> _Figure | None:
        for row in basis.rows:
            if row.paper == paper and row.speedup_over_cpu:
                return _Figure(row.speedup_over_cpu, (row,))
        return None

    return gain


def _quotient(numerator: tuple[Row, Estimate], denominator: tuple[Row, Estimate]) -> _Figure:
    """Divide two times, with the widest interval that theirs allow: never narrower than a paired one."""
    (above, over), (below, under) = numerator, denominator
    ratio = Estimate(over.estimate / under.estimate, None, None, min(over.n, under.n), None)
    if over.low is not None and over.high is not None and under.low is not None and under.high is not None:
        ratio = dataclasses.replace(ratio, low=over.low / under.high, high=over.high / under.low, over="structures")
    return _Figure(ratio, (above, below))
