"""How long the analysis of a usual run takes: the table of fifteen methods, one interval, a comparison."""

import numpy as np
import pandas as pd
import pytest
from synthetic import measurements, method, relaxations

from bench.analysis import regression
from bench.analysis.model import fit
from bench.analysis.ordering import half_widths
from bench.analysis.summary import summarise

NAMES = [f"method-{number}" for number in range(15)]


@pytest.fixture(scope="module")
def run():
    relaxed = [relaxations(name, 10.0 * (number + 1)) for number, name in enumerate(NAMES)]
    return measurements([method(name) for name in NAMES], relaxed)


def test_the_table_of_fifteen_methods(benchmark, run):
    table = benchmark(summarise, run)
    assert len(table.rows) == 15


def test_one_interval(benchmark):
    logs = np.random.default_rng(1).normal(0.0, 0.1, (101, 3))
    found = benchmark(fit, logs).estimate()
    assert found.low < 1 < found.high


def test_the_widths_by_which_a_campaign_plans_its_rounds(benchmark):
    rng = np.random.default_rng(1)
    times = {(name, "cpu"): pd.DataFrame(np.exp(rng.normal(0.0, 0.1, (101, 10)))) for name in NAMES}
    assert len(benchmark(half_widths, times, (NAMES[0], "cpu"))) == 14


def test_the_comparison_of_two_runs(benchmark, run):
    def compare():
        return regression.compare(regression.Side.of(run), regression.Side.of(run), 0.05, {})

    assert {one.ratio.estimate for one in benchmark(compare)} == {1.0}
