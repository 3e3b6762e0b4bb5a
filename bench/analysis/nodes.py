"""How much the nodes of a cluster differ, beside how much the rounds of one node do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


def node_spread(times: pd.DataFrame, node_of: Mapping[int, str]) -> float | None:
    """Return how far apart the nodes lie: the time of the slowest over that of the fastest.

    Parameters
    ----------
    times : DataFrame, shape (structures, rounds)
        Milliseconds of one method, by structure and round.
    node_of : mapping
        The node of each round.

    Returns
    -------
    float or None
        The ratio of geometric means over the structures common to all rounds, and over the rounds of each node; None
        for fewer than two nodes, or nothing in common.
    """
    by_node = _by_node(times, node_of)
    if len(by_node) < 2:
        return None
    means = [float(np.mean(logs)) for logs in by_node.values()]
    return float(np.exp(max(means) - min(means)))


def node_share(times: pd.DataFrame, node_of: Mapping[int, str]) -> float | None:
    """Return the part of the rounds' variance that is between nodes, from 0 to 1.

    One-way random effects on the rounds' log times y_ij, round j on node i, by the analysis of variance: with MSB and
    MSW the mean squares between and within nodes, s_b^2 = max(0, (MSB - MSW) / n0), n0 = (N - sum n_i^2 / N) / (k - 1),
    and the share is s_b^2 / (s_b^2 + MSW) (Searle, Casella and McCulloch, Variance Components, 1992, chapter 3).

    Parameters
    ----------
    times, node_of
        As for :func:`node_spread`.

    Returns
    -------
    float or None
        None where no node has two rounds, or there is only one node.
    """
    by_node = _by_node(times, node_of)
    counts = np.array([len(logs) for logs in by_node.values()])
    total, nodes = int(counts.sum()), len(counts)
    if nodes < 2 or total == nodes:
        return None
    means = np.array([float(np.mean(logs)) for logs in by_node.values()])
    grand = float(counts @ means) / total
    within = sum(float(((logs - logs.mean()) ** 2).sum()) for logs in by_node.values()) / (total - nodes)
    between = float(counts @ (means - grand) ** 2) / (nodes - 1)
    variance = max(0.0, (between - within) / ((total - float(counts @ counts) / total) / (nodes - 1)))
    return variance / (variance + within) if variance + within > 0 else None


def _by_node(times: pd.DataFrame, node_of: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Return the mean log time of each round, by node."""
    means = pd.DataFrame(np.log(times)).dropna().mean()
    if not means.notna().all():
        return {}
    found: dict[str, list[float]] = {}
    for number, mean in means.items():
        if (node := node_of.get(int(str(number)))) is not None:
            found.setdefault(node, []).append(float(mean))
    return {node: np.array(logs) for node, logs in found.items()}
