"""Differences between nodes: the planted ones are found, and none are found where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.analysis.nodes import node_share, node_spread


def times(effects, scatter, structures=20, seed=0):
    """Return times whose rounds have these node effects (logarithms) and a scatter of their own."""
    random = np.random.default_rng(seed)
    rounds = np.asarray(effects) + scatter * random.standard_normal(len(effects))
    own = random.normal(3.0, 0.3, structures)
    return pd.DataFrame(np.exp(own[:, None] + rounds[None, :]))


def test_the_spread_is_that_of_the_node_means():
    found = node_spread(times([0.0, 0.0, np.log(1.1), np.log(1.1)], 0.0), {0: "a", 1: "a", 2: "b", 3: "b"})
    assert found == pytest.approx(1.1)


def test_with_a_round_on_each_node_it_is_the_spread_of_the_rounds_and_has_no_share():
    data, nodes = times([0.0, 0.05, 0.02], 0.0), {0: "a", 1: "b", 2: "c"}
    assert node_spread(data, nodes) == pytest.approx(np.exp(0.05))
    assert node_share(data, nodes) is None


def test_one_node_has_no_spread():
    data = times([0.0, 0.0], 0.01)
    assert node_spread(data, {0: "a", 1: "a"}) is None
    assert node_share(data, {0: "a", 1: "a"}) is None


def test_the_share_of_planted_variances_is_found_on_average():
    nodes = {number: f"n{number // 3}" for number in range(24)}
    shares = []
    for seed in range(200):
        effects = np.repeat(0.03 * np.random.default_rng(1000 + seed).standard_normal(8), 3)
        shares.append(node_share(times(effects, 0.03, structures=3, seed=seed), nodes))
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)


def test_alike_nodes_have_next_to_no_share():
    nodes = {number: f"n{number // 3}" for number in range(24)}
    shares = [node_share(times(np.zeros(24), 0.03, structures=3, seed=seed), nodes) for seed in range(100)]
    assert np.mean(shares) < 0.15


def test_a_structure_that_a_round_lacks_does_not_count():
    data = times([0.0, np.log(1.2)], 0.0)
    data.iloc[0, 0] = np.nan
    assert node_spread(data, {0: "a", 1: "b"}) == pytest.approx(1.2)
