"""A small part of the study of coverage, which fails where an interval or an estimate is wrong."""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest

# by its path, because the usual module of that name measures something else
_spec = importlib.util.spec_from_file_location("coverage_study", Path(__file__).with_name("coverage.py"))
study = importlib.util.module_from_spec(_spec)
sys.modules["coverage_study"] = study
_spec.loader.exec_module(study)
Campaign = study.Campaign


@pytest.mark.parametrize(
    "kind",
    [
        Campaign(3, 101, process=0.05, common=0.1),
        Campaign(3, 101, study.ROTATED, 5.0, process=0.2, common=0.1),
        Campaign(5, 101, study.PREFIX, 4.0, process=0.2, common=0.1),
        Campaign(12, 12, process=0.05),
        Campaign(12, 101, process=0.05, common=0.1, bursts=0.3),
        Campaign(5, 101, study.ROTATED, 4.0, process=0.05, common=0.1, faster=8.0),
    ],
    ids=lambda kind: f"{kind.rounds} rounds, {kind.structures} structures, {kind.window}, {kind.process}",
)
def test_intervals_contain_the_truth_and_estimates_are_right_on_average(kind):
    for found in study.study(kind, 400, seed=1).values():
        assert found["without"] == 0.0
        assert abs(found["bias"]) < 0.005 + 2.5 * found["error"]
        assert 0.92 <= found["covered"] <= 0.99  # 93 to 97.5 %, give or take what chance does in 400


def test_bursts_that_hit_all_methods_leave_a_ratio_right_though_they_end_a_short_round_early():
    found = study.study(Campaign(5, 101, study.ROTATED, 5.0, process=0.05, common=0.1, bursts=0.3), 300, seed=1)
    assert abs(found["ratio"]["bias"]) < 0.005 + 2.5 * found["ratio"]["error"]
    assert found["ratio"]["covered"] >= 0.92


def test_means_over_the_structures_of_all_rounds_would_be_biased_where_time_cuts_them():
    """What the estimate was before: a late structure, reached by fast processes alone, counted as any other."""
    rng = np.random.default_rng(1)
    kind = Campaign(3, 101, study.PREFIX, 4.0, process=0.2)
    before = []
    for _ in range(300):
        (logs, did), _ = study.simulated(rng, kind)
        means = [line[~np.isnan(line)].mean() for line in logs if not np.isnan(line).all()]
        before.append(np.mean(means) - did)
    assert np.mean(before) < -0.025


def test_a_single_process_or_structure_claims_no_interval():
    for kind in study.CORNERS[-2:]:
        found = study.study(kind, 20, seed=1)
        assert found["row"]["without"] == found["ratio"]["without"] == 1.0
        assert math.isnan(found["row"]["covered"])
