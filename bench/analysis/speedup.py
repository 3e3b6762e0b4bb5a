"""Ratios between methods and devices, paired over the structures that both of them relaxed.

A distorted structure that is hard for one method tends to be hard for another, and both rows of a ratio
contain it. Such common effects cancel in the ratio, which makes its interval narrower.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable

import pandas as pd

from bench.analysis import per_molecule
from bench.analysis.like_steps import pair
from bench.analysis.statistics import Estimate
from bench.analysis.table import Mean, Row
from bench.analysis.times import Times, at_systems, mean_ratio
from bench.core.device import CPU, DEVICES, DeviceKind, is_accelerator
from bench.core.protocol import RELAX
from bench.protocols import PROTOCOLS

FORCE_FIELD_OVER_MLIPS = "force field over MLIPs"
MLIPS_OVER_DFT = "MLIPs over DFT"
DEFAULT_DFT = "pbe0-def2-svp"
"""The DFT method of the default run."""


def over_cpu(kind: DeviceKind) -> str:
    """Return the name of the mean speed-up of a kind of device: ``GPU over CPU``."""
    return f"{kind.label} over {DEVICES[CPU].label}"


def means(rows: Iterable[Row], times: Times, protocol: str = RELAX) -> tuple[Mean, ...]:
    """Return the geometric-mean speed-ups over the methods of a table, under one protocol.

    Each is computed over the structures and rounds that all its methods have, so that the whole mean has one interval.
    No mean over relaxations includes random weights, whose relaxations mean nothing; along a fixed path their speed is
    that of the trained model. For the force field, the rows of the published table are used (``Row.paper``), and all
    rows of that kind only where none of those was measured. Each DFT row is a reference of its own.

    Parameters
    ----------
    rows : iterable of Row
        Those of other protocols are ignored.
    times : mapping of (method, device) to DataFrame
        Milliseconds per step, or per force call, by structure and round: see :func:`bench.analysis.times.per_round`.
    protocol : str
        ``relax`` or ``replay``.

    Returns
    -------
    tuple of Mean
        ``GPU over CPU``, and so for each kind of accelerator, over the MLIPs measured on both, ``force field over
        MLIPs`` and ``MLIPs over DFT`` on the CPU; each says how many times faster a step, or a call, of the first is.
        A mean that cannot be computed is left out.
    """
    random = PROTOCOLS[protocol].random_weights
    measured = [
        row for row in rows if row.protocol == protocol and row.key in times and (random or row.weights != "random")
    ]
    on_cpu = [row for row in measured if not is_accelerator(row.device)]
    mlips = [row for row in on_cpu if row.kind == "mlip"]
    every = [row for row in on_cpu if row.kind == "force-field"]
    force_fields = [row for row in every if row.paper] or every
    dft = references(on_cpu)
    found = [
        *(_gain(kind, mlips, measured, times) for kind in DEVICES.values() if kind.accelerator),
        _mean(FORCE_FIELD_OVER_MLIPS, mlips, force_fields, [(m, f) for m in mlips for f in force_fields], times),
        *(_mean(MLIPS_OVER_DFT, mlips, [one], [(one, row) for row in mlips], times) for one in dft),
    ]
    return tuple(dataclasses.replace(mean, protocol=protocol) for mean in found if mean is not None)


def _gain(kind: DeviceKind, mlips: list[Row], measured: list[Row], times: Times) -> Mean | None:
    there = {row.method: row for row in reversed(measured) if row.on.kind is kind}
    both = [row for row in mlips if row.method in there]
    return _mean(over_cpu(kind), both, (), [(row, there[row.method]) for row in both], times)


def references(rows: Iterable[Row]) -> list[Row]:
    """Return the DFT rows with which MLIPs are compared, each by itself: the default one first.

    Programs are not averaged with each other: a warm start with density fitting and a cold one without differ by more
    than what is compared.
    """
    dft = [row for row in rows if row.kind == "dft"]
    return sorted(dft, key=lambda row: row.method != DEFAULT_DFT)


def _mean(
    name: str, methods: list[Row], reference: Iterable[Row], pairs: list[tuple[Row, Row]], times: Times
) -> Mean | None:
    if not pairs:
        return None

    def over(systems: Collection[int] | None = None) -> Estimate | None:
        return mean_ratio([at_systems(_over(times, slow, fast), systems) for slow, fast in pairs])

    ratio = over()
    if ratio is None:
        return None
    return Mean(
        name=name,
        methods=tuple(row.method for row in methods),
        reference=tuple(row.method for row in reference),
        estimate=ratio.estimate,
        low=ratio.low,
        high=ratio.high,
        n=ratio.n,
        per_molecule=per_molecule.ratio(over, pairs),
    )


def _over(times: Times, slow: Row, fast: Row) -> pd.DataFrame:
    above, below = pair(times, slow.key, fast.key)
    return pd.DataFrame(above / below)
