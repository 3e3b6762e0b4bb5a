"""The paper's claims about speed, each held against the figures of a table."""

from __future__ import annotations

from collections.abc import Iterable

from bench.analysis.speedup import FORCE_FIELD_OVER_MLIPS, headline
from bench.analysis.statistics import Estimate
from bench.analysis.table import Claim, Mean, Row, Table, is_gpu

HOLDS = "holds"
FAILS = "does not hold"
UNDECIDED = "undecided"
NOT_MEASURED = "not measured"

Figure = Mean | Estimate


def claims(table: Table) -> list[Claim]:
    """Return the paper's claims, each with a verdict and the figure behind it.

    A claim is judged by the interval where there is one, and is undecided where a threshold lies inside it.
    Methods that are no row of the published table (``Row.paper``) have no part in the claims about single ones.
    """
    force_field = next((mean for mean in table.geometric_means if mean.name == FORCE_FIELD_OVER_MLIPS), None)
    return [
        _claim("a force field is more than 200 times faster than the MLIPs", force_field, 200.0),
        # "up to" names the largest ratio; within a factor of two of 1000 is what one can mean by it
        _claim("DFT is up to 1000 times slower than an MLIP", _dft_over_fastest_mlip(table.rows), 500.0, 2000.0),
        _claim("eqV2 M is more than 10 times slower than Nequix on the CPU", _eqv2_over_nequix(table.rows), 10.0),
        _claim("GRACE gains more than a factor of 5 from the GPU", _gpu_gain(table.rows, "grace-2l-oam"), 5.0),
        _claim("Nequix gains about 20 % from the GPU", _gpu_gain(table.rows, "nequix-mp-1"), 1.1, 1.3),
    ]


def _claim(text: str, figure: Figure | None, above: float, below: float | None = None) -> Claim:
    if figure is None:
        return Claim(text, NOT_MEASURED)
    low = figure.estimate if figure.low is None else figure.low
    high = figure.estimate if figure.high is None else figure.high
    top = float("inf") if below is None else below
    if above < low and high < top:
        verdict = HOLDS
    elif high <= above or low >= top:
        verdict = FAILS
    else:
        verdict = UNDECIDED
    return Claim(text, verdict, figure.estimate, figure.low, figure.high)


def _on_cpu(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not is_gpu(row.device) and row.ms_per_step and row.weights != "random"]


def _dft_over_fastest_mlip(rows: Iterable[Row]) -> Estimate | None:
    measured = _on_cpu(rows)
    dft = [row.ms_per_step for row in headline(measured, "dft") if row.ms_per_step]
    mlips = [row.ms_per_step for row in measured if row.kind == "mlip" and row.ms_per_step]
    if not dft or not mlips:
        return None
    return _quotient(
        max(dft, key=lambda estimate: estimate.estimate), min(mlips, key=lambda estimate: estimate.estimate)
    )


def _eqv2_over_nequix(rows: Iterable[Row]) -> Estimate | None:
    figures = {row.paper: row.ms_per_step for row in _on_cpu(rows) if row.paper}
    eqv2, nequix = figures.get("eqv2-m"), figures.get("nequix-mp-1")
    return _quotient(eqv2, nequix) if eqv2 and nequix else None


def _gpu_gain(rows: Iterable[Row], paper: str) -> Estimate | None:
    gains = (row.speedup_over_cpu for row in rows if row.paper == paper and row.weights != "random")
    return next((gain for gain in gains if gain), None)


def _quotient(numerator: Estimate, denominator: Estimate) -> Estimate:
    """Divide two estimates, with the widest interval that theirs allow: wider than a paired one, never tighter."""
    estimate = numerator.estimate / denominator.estimate
    n = min(numerator.n, denominator.n)
    if numerator.low is None or numerator.high is None or denominator.low is None or denominator.high is None:
        return Estimate(estimate, None, None, n, None)
    return Estimate(estimate, numerator.low / denominator.high, numerator.high / denominator.low, n, "structures")
