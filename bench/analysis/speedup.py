"""Ratios between methods and devices, paired over the structures that both of them relaxed.

A distorted structure that is hard for one method tends to be hard for another, and both rows of a ratio
contain it: what structures have in common drops out of the ratio, and its interval is the tighter for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bench.analysis.statistics import CONFIDENCE, Between, Estimate, between_rounds, geometric_mean, independent
from bench.analysis.table import RELAX, REPLAY, Mean, Row, is_gpu
from bench.contract.records import FAILED

Key = tuple[str, str]
"""A method and a device."""
Times = Mapping[Key, pd.DataFrame]
"""Milliseconds by structure and round."""

GPU_OVER_CPU = "GPU over CPU"
FORCE_FIELD_OVER_MLIPS = "force field over MLIPs"
MLIPS_OVER_DFT = "MLIPs over DFT"


def per_round(structures: pd.DataFrame, time: str = "step_ns", count: str = "steps") -> dict[Key, pd.DataFrame]:
    """Return the milliseconds per step, or per force call, of each structure in each round.

    Parameters
    ----------
    structures : DataFrame
        One row a relaxation or a replayed path. Converged, step-capped and censored ones count, failed ones do
        not, nor does one without a single step.
    time : str
        The column of nanoseconds.
    count : str
        The column that they are divided by.

    Returns
    -------
    dict of (method, device) to DataFrame
        Milliseconds, a line for each structure and a column for each round; NaN where a round did not measure it.
    """
    numerator = pd.to_numeric(structures[time], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    denominator = pd.to_numeric(structures[count], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    # NaN compares false, so that what was not recorded drops out here too
    usable = (structures["status"] != FAILED).to_numpy(dtype=bool) & (numerator > 0) & (denominator > 0)
    counted = structures.loc[usable, ["method", "device", "round", "structure"]]
    counted = counted.assign(log=np.log(numerator[usable] / denominator[usable] * 1e-6))
    return {
        (str(method), str(device)): _exp(group.pivot_table(index="structure", columns="round", values="log"))
        for (method, device), group in counted.groupby(["method", "device"])
    }


def over_rounds(times: pd.DataFrame) -> pd.Series:
    """Return the geometric mean over the rounds that measured each structure."""
    return pd.Series(np.exp(_log(times).mean(axis=1)))


def mean_time(times: pd.DataFrame) -> Estimate:
    """Return the geometric mean over structures, with the scatter of the rounds inside its interval."""
    return geometric_mean(over_rounds(times).to_numpy(), between=scatter(times))


def scatter(times: pd.DataFrame) -> Between | None:
    """Return how far the rounds of one method scatter; see :func:`bench.analysis.statistics.between_rounds`."""
    return between_rounds(_log(times).to_numpy().T)


def round_spread(times: pd.DataFrame) -> float | None:
    """Return how far apart the rounds of one method lie.

    The geometric mean time of the slowest of them over that of the fastest, over the structures common to all; None for
    a single round or nothing in common.
    """
    common = _log(times).dropna().mean()
    several = times.shape[1] > 1 and bool(common.notna().all())
    return float(np.exp(common.max() - common.min())) if several else None


def paired_ratio(
    numerator: pd.DataFrame, denominator: pd.DataFrame, same_rounds: bool = True, confidence: float = CONFIDENCE
) -> Estimate | None:
    """Return the geometric mean of numerator over denominator, over their common structures.

    Parameters
    ----------
    numerator, denominator : DataFrame
        Milliseconds by structure and round, as :func:`per_round` gives them.
    same_rounds : bool
        Round for round they were measured beside each other, so that what a round did to both drops out; False for two
        runs, whose rounds have nothing but a number in common.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate or None
        None where they have no structure in common.
    """
    common = numerator.index.intersection(denominator.index)
    if common.empty:
        return None
    above, below = numerator.loc[common], denominator.loc[common]
    between = scatter(above / below) if same_rounds else None
    if between is None:
        between = independent(scatter(above), scatter(below))
    return geometric_mean((over_rounds(above) / over_rounds(below)).to_numpy(), between=between, confidence=confidence)


def means(rows: Iterable[Row], series: Times, protocol: str = RELAX) -> tuple[Mean, ...]:
    """Return the geometric-mean speed-ups over the methods of a table, under one protocol.

    Each is computed structure by structure, over the structures common to all the methods in it, and round by round,
    so that one interval is that of the whole mean. Rows with random weights are in none over relaxations, for what
    they relax is no molecule; along a fixed path their speed is that of the trained model. For the force field and
    for DFT the rows that the published table has are taken (``Row.paper``), and all of that kind only where none of
    those was measured.

    Parameters
    ----------
    rows : iterable of Row
        Those of another protocol are passed over.
    series : mapping of (method, device) to DataFrame
        Milliseconds per step, or per force call, by structure and round, as :func:`per_round` gives them.
    protocol : str
        ``relax`` or ``replay``.

    Returns
    -------
    tuple of Mean
        ``GPU over CPU`` over the MLIPs measured on both, ``force field over MLIPs`` and ``MLIPs over DFT`` on the
        CPU; each says how many times faster a step, or a call, of the first is. One that cannot be told is left out.
    """
    measured = [row for row in comparable(rows, protocol) if (row.method, row.device) in series]
    on_cpu = [row for row in measured if not is_gpu(row.device)]
    mlips = [row for row in on_cpu if row.kind == "mlip"]
    force_fields = headline(on_cpu, "force-field")
    dft = headline(on_cpu, "dft")
    gpu = {row.method: row for row in reversed(measured) if is_gpu(row.device)}
    both = [row for row in mlips if row.method in gpu]
    found = (
        _mean(GPU_OVER_CPU, both, (), [(row, gpu[row.method]) for row in both], series),
        _mean(FORCE_FIELD_OVER_MLIPS, mlips, force_fields, [(m, f) for m in mlips for f in force_fields], series),
        _mean(MLIPS_OVER_DFT, mlips, dft, [(d, m) for m in mlips for d in dft], series),
    )
    return tuple(dataclasses.replace(mean, protocol=protocol) for mean in found if mean is not None)


def comparable(rows: Iterable[Row], protocol: str) -> list[Row]:
    """Return the rows of a protocol that may be compared: those with random weights only where it is replay."""
    return [row for row in rows if row.protocol == protocol and (row.weights != "random" or protocol == REPLAY)]


def headline(rows: Iterable[Row], kind: str) -> list[Row]:
    """Return the rows of a kind that the published table has too, or all of that kind where none is."""
    of_kind = [row for row in rows if row.kind == kind]
    return [row for row in of_kind if row.paper] or of_kind


def mean_over(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the geometric mean of several frames of times, or of ratios, each by structure and round."""
    total = _log(frames[0])
    for frame in frames[1:]:
        total = total + _log(frame)  # aligned by structure and round, NaN where one lacks them
    return _exp(total / len(frames))


def _log(times: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log(times))


def _exp(logs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.exp(logs))


def _mean(
    name: str, methods: list[Row], reference: Iterable[Row], pairs: list[tuple[Row, Row]], series: Times
) -> Mean | None:
    if not pairs:
        return None
    keys = [((slow.method, slow.device), (fast.method, fast.device)) for slow, fast in pairs]
    logs = [pd.Series(np.log(over_rounds(series[slow]) / over_rounds(series[fast]))) for slow, fast in keys]
    # a quotient of Series is aligned by structure, and NaN where one of them lacks it
    common = pd.concat(logs, axis=1, join="inner").dropna().mean(axis=1)
    if common.empty:
        return None
    by_round = mean_over([series[slow].loc[common.index] / series[fast].loc[common.index] for slow, fast in keys])
    ratio = geometric_mean(np.exp(common.to_numpy()), between=scatter(by_round))
    return Mean(
        name=name,
        methods=tuple(row.method for row in methods),
        reference=tuple(row.method for row in reference),
        estimate=ratio.estimate,
        low=ratio.low,
        high=ratio.high,
        n=ratio.n,
    )
