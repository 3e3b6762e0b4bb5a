"""Times by structure and round of one method on one device: the basis of means and ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.analysis.statistics import CONFIDENCE, Between, Estimate, between_rounds, geometric_mean, independent
from bench.contract.records import FAILED

Key = tuple[str, str]
"""A method and a device."""
Times = Mapping[Key, pd.DataFrame]
"""Milliseconds by structure and round."""


def per_round(structures: pd.DataFrame, time: str = "step_ns", count: str = "steps") -> dict[Key, pd.DataFrame]:
    """Return the milliseconds per step, or per force call, of each structure in each round.

    Parameters
    ----------
    structures : DataFrame
        One row per relaxation or replayed path. Converged, step-capped and censored ones count; failed ones and those
        without a step do not.
    time : str
        The column of nanoseconds.
    count : str
        The column by which they are divided.

    Returns
    -------
    dict of (method, device) to DataFrame
        Milliseconds, one line per structure and one column per round; NaN where a round did not measure it.
    """
    if structures.empty:
        return {}
    numerator = pd.to_numeric(structures[time], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    denominator = pd.to_numeric(structures[count], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    # NaN compares false, so missing values drop out here too
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
    """Return the geometric mean over structures; its interval includes the scatter of the rounds."""
    return geometric_mean(over_rounds(times).to_numpy(), between=scatter(times))


def scatter(times: pd.DataFrame) -> Between | None:
    """Return the scatter of the rounds of one method; see :func:`bench.analysis.statistics.between_rounds`."""
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
        Rounds with the same number were measured together, so that effects of a round cancel; False for two runs,
        whose rounds have only the number in common.
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


def mean_over(series: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the geometric mean of several data frames of times, or of ratios, each by structure and round."""
    total = _log(series[0])
    for one in series[1:]:
        total = total + _log(one)  # aligned by structure and round, NaN where one lacks them
    return _exp(total / len(series))


def _log(times: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log(times))


def _exp(logs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.exp(logs))
