"""Ratios between methods and devices, paired over the structures that both of them relaxed.

A distorted structure that is hard for one method tends to be hard for another, and both rows of a ratio
contain it: what structures have in common drops out of the ratio, and its interval is the tighter for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from bench.analysis.statistics import Estimate, geometric_mean
from bench.analysis.table import RELAX, REPLAY, Mean, Row, is_gpu
from bench.records import FAILED

Key = tuple[str, str]
"""A method and a device."""
Series = Mapping[Key, "pd.Series[float]"]

GPU_OVER_CPU = "GPU over CPU"
FORCE_FIELD_OVER_MLIPS = "force field over MLIPs"
MLIPS_OVER_DFT = "MLIPs over DFT"


def per_structure(structures: pd.DataFrame, time: str = "step_ns", count: str = "steps") -> dict[Key, pd.Series]:
    """Return the milliseconds per step, or per force call, of each structure.

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
    dict of (method, device) to Series
        Milliseconds, indexed by structure; rounds are combined by their geometric mean.
    """
    rounds = _per_round(structures, time, count)
    logs = rounds.groupby(["method", "device", "structure"], sort=True)["log"].mean().reset_index()
    return {
        (str(method), str(device)): group.set_index("structure")["log"].map(np.exp)
        for (method, device), group in logs.groupby(["method", "device"])
    }


def round_spread(
    structures: pd.DataFrame, time: str = "step_ns", count: str = "steps"
) -> dict[Key, tuple[int, float | None]]:
    """Return, for each method and device, the number of rounds and how far apart they lie.

    Parameters
    ----------
    structures, time, count
        See :func:`per_structure`.

    Returns
    -------
    dict of (method, device) to (int, float or None)
        The rounds that measured a step, and the geometric mean time per step of the slowest of them over that
        of the fastest, over the structures common to all; None for a single round or nothing in common.
    """
    spread: dict[Key, tuple[int, float | None]] = {}
    for (method, device), group in _per_round(structures, time, count).groupby(["method", "device"]):
        by_round = group.pivot_table(index="structure", columns="round", values="log", aggfunc="mean")
        common = by_round.dropna().mean()
        several = by_round.shape[1] > 1 and bool(common.notna().all())
        spread[str(method), str(device)] = (
            by_round.shape[1],
            float(np.exp(common.max() - common.min())) if several else None,
        )
    return spread


def _per_round(structures: pd.DataFrame, time: str, count: str) -> pd.DataFrame:
    numerator = pd.to_numeric(structures[time], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    denominator = pd.to_numeric(structures[count], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    # NaN compares false, so that what was not recorded drops out here too
    usable = (structures["status"] != FAILED).to_numpy(dtype=bool) & (numerator > 0) & (denominator > 0)
    counted = structures.loc[usable, ["method", "device", "round", "structure"]]
    return counted.assign(log=np.log(numerator[usable] / denominator[usable] * 1e-6))


def paired_ratio(numerator: pd.Series, denominator: pd.Series) -> Estimate | None:
    """Return the geometric mean of numerator over denominator, over their common structures.

    Parameters
    ----------
    numerator, denominator : Series
        Positive values indexed by structure.

    Returns
    -------
    Estimate or None
        None where they have no structure in common.
    """
    ratios = (numerator / denominator).dropna()
    return geometric_mean(ratios.to_numpy()) if len(ratios) else None


def means(rows: Iterable[Row], series: Series, protocol: str = RELAX) -> tuple[Mean, ...]:
    """Return the geometric-mean speed-ups over the methods of a table, under one protocol.

    Each is computed structure by structure, over the structures common to all the methods in it, so that one
    bootstrap over structures gives its interval. Rows with random weights are in none over relaxations, for what
    they relax is no molecule; along a fixed path their speed is that of the trained model. For the force field and
    for DFT the rows that the published table has are taken (``Row.paper``), and all of that kind only where none of
    those was measured.

    Parameters
    ----------
    rows : iterable of Row
        Those of another protocol are passed over.
    series : mapping of (method, device) to Series
        Milliseconds per step, or per force call, indexed by structure, as :func:`per_structure` gives them.
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


def _mean(
    name: str, methods: list[Row], reference: Iterable[Row], pairs: list[tuple[Row, Row]], series: Series
) -> Mean | None:
    if not pairs:
        return None
    logs = [(series[slow.method, slow.device] / series[fast.method, fast.device]).map(np.log) for slow, fast in pairs]
    # a quotient of Series is aligned by structure, and NaN where one of them lacks it
    common = pd.concat(logs, axis=1, join="inner").dropna().mean(axis=1)
    if common.empty:
        return None
    ratio = geometric_mean(np.exp(common.to_numpy()))
    return Mean(
        name=name,
        methods=tuple(row.method for row in methods),
        reference=tuple(row.method for row in reference),
        estimate=ratio.estimate,
        low=ratio.low,
        high=ratio.high,
        n=ratio.n,
    )
