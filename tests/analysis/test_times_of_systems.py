"""The model of times where a data set has several systems: planted truths, with rounds that a budget cuts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import synthetic

from bench.analysis.at_system import at_system
from bench.analysis.by_system import by_system
from bench.analysis.model import difference, fit
from bench.analysis.paired import ratio
from bench.analysis.summary import summarise
from bench.analysis.times import SYSTEM, by_structure, mean_time, per_round, systems_of
from bench.core.description import MethodFacts, SystemFacts
from bench.data.selection import measuring_order
from bench.engine.schedule import in_order_of

CAMPAIGNS = 300
ROUNDS = 6


def campaign(rng, frames: int, gain: float = 0.0, cut: bool = True):
    """Return the logarithms of two methods' times and the system of each structure.

    Eight systems, whose sizes make the slowest 30 times slower than the fastest; method B grows with size a little
    less. Each round has an effect on both methods and one on each; a faster process reaches more structures, so the
    last ones, which are the large systems, are known only from fast processes.
    """
    systems = np.repeat(np.arange(8), frames)
    of_system = np.linspace(0.0, np.log(30.0), 8)
    of_structure = rng.normal(0, 0.05, len(systems))
    tables = []
    for method in range(2):
        slope = 1.0 - 0.1 * method
        base = slope * of_system[systems] + gain * method
        own = of_structure + rng.normal(0, 0.03, len(systems))
        rounds = rng.normal(0, 0.15, ROUNDS)
        table = base[:, None] + own[:, None] + rounds + rng.normal(0, 0.02, (len(systems), ROUNDS))
        if cut:
            for number, effect in enumerate(rounds):
                reached = int(len(systems) * np.clip(0.8 - 0.9 * effect, 0.3, 1.0))
                table[reached:, number] = np.nan
        tables.append(table)
    return tables, systems, (of_system, 0.9 * of_system + gain)


def reached(table, systems) -> np.ndarray:
    """Return which systems a method was measured at."""
    return np.isin(np.arange(8), systems[~np.isnan(table).all(axis=1)])


@pytest.mark.parametrize("frames", [1, 4])
def test_a_mean_over_systems_has_no_bias_and_its_interval_is_about_these_systems(frames):
    rng = np.random.default_rng(frames)
    errors, inside, widths = [], 0, []
    for _ in range(CAMPAIGNS):
        (one, _), systems, (of_system, _) = campaign(rng, frames)
        found = fit(one, systems=systems)
        errors.append(found.mean - of_system[reached(one, systems)].mean())
        inside += abs(errors[-1]) <= found.reach()
        widths.append(found.reach())
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(CAMPAIGNS) + 0.002
    assert 0.93 <= inside / CAMPAIGNS <= 0.995
    # as if the sizes of the systems were errors, it would reach a factor of two
    assert np.median(widths) < 0.35


@pytest.mark.parametrize("frames", [1, 4])
def test_a_ratio_over_systems_has_no_bias_where_budgets_cut_the_large_ones(frames):
    rng = np.random.default_rng(10 + frames)
    errors, inside = [], 0
    for _ in range(CAMPAIGNS):
        (one, other), systems, truth = campaign(rng, frames, gain=np.log(2))
        found = ratio(other, one, systems)
        assert found is not None
        both = reached(one, systems) & reached(other, systems)
        errors.append(found.mean - (truth[1] - truth[0])[both].mean())
        inside += abs(errors[-1]) <= found.reach()
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(CAMPAIGNS) + 0.002
    assert 0.93 <= inside / CAMPAIGNS <= 0.995


BURST, SLOWEST = 0.3, (1.5, 3.0)
"""The probability that a round has a burst, and by what it multiplies the times."""


def with_bursts(rng, frames: int, largest: bool, apart: bool):
    """Return as :func:`campaign`, in the order of real rounds, cut by a budget of 0.6 of the time of all structures.

    A burst slows one system of a round: any, or always the largest; of both methods, or of each on its own. The truth
    is that of a machine with bursts, and with what the rounds of this campaign did.
    """
    systems = np.tile(np.arange(8), frames)
    order = [k * 8 + number for k in range(frames) for number in measuring_order(8)]
    of_structure, common = rng.normal(0, 0.05, len(systems)), rng.normal(0, 0.1, ROUNDS)
    bursts = np.zeros((2, len(systems), ROUNDS))
    for number in range(ROUNDS):
        for hit in [[0], [1]] if apart else [[0, 1]]:
            if rng.uniform() < BURST:
                where = systems == (7 if largest else rng.integers(8))
                bursts[np.ix_(hit, np.flatnonzero(where), [number])] = rng.uniform(*np.log(SLOWEST))
    expected = BURST * np.log(SLOWEST).mean() * (np.arange(8) == 7 if largest else np.full(8, 1 / 8))
    tables, truth = [], []
    for method in range(2):
        of_system = (1.0 - 0.1 * method) * np.linspace(0.0, np.log(30.0), 8) + np.log(2) * method
        rounds = common + rng.normal(0, 0.1, ROUNDS)
        own = of_system[systems] + of_structure + rng.normal(0, 0.03, len(systems))
        table = own[:, None] + rounds + bursts[method] + rng.normal(0, 0.02, bursts[method].shape)
        budget = 0.6 * np.exp(of_system[systems]).sum()
        for number in range(ROUNDS):
            taken = np.array(in_order_of(order, number))
            stop = int(np.searchsorted(np.exp(table[taken, number]).cumsum(), budget))
            table[taken[stop + 1 :], number] = np.nan  # what is in progress when the time ends counts
        tables.append(table)
        truth.append((of_system + expected, rounds.mean()))
    return tables, systems, truth


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_bursts_at_one_system_leave_ratios_right_and_rows_within_two_percent(frames, largest, apart):
    """A burst also ends a round earlier, so rows come out a little slow, as with one system; ratios do not."""
    rng = np.random.default_rng(20 + frames)
    of_row, of_ratio, inside = [], [], np.zeros(2)
    for _ in range(CAMPAIGNS):
        tables, systems, truth = with_bursts(rng, frames, largest, apart)
        there = [reached(table, systems) for table in tables]
        row, found = fit(tables[0], systems=systems), ratio(tables[1], tables[0], systems)
        right = truth[0][0][there[0]].mean()
        of_row.append(row.mean - right - truth[0][1])
        of_ratio.append(found.mean - (truth[1][0] - truth[0][0])[there[0] & there[1]].mean())
        inside += abs(row.mean - right) <= row.reach(), abs(of_ratio[-1]) <= found.reach()
    error = [np.std(errors) / np.sqrt(CAMPAIGNS) for errors in (of_row, of_ratio)]
    assert -0.01 < np.mean(of_row) < 0.02 + error[0]
    assert abs(np.mean(of_ratio)) < 3 * error[1]
    assert (inside / CAMPAIGNS > 0.91).all()


def test_only_systems_that_both_have_are_in_a_ratio():
    """B takes twice A's time at each system; A was not measured at the last one, where B is slow."""
    a = np.log([[1.0, 1.1], [3.0, 3.3], [np.nan, np.nan]])
    b = np.log([[2.0, 2.2], [6.0, 6.6], [900.0, 990.0]])
    found = ratio(b, a, np.array([0, 1, 2]))
    assert found is not None
    assert np.exp(found.mean) == pytest.approx(2.0)
    assert found.structures == 2
    assert ratio(b[2:], a[2:], np.array([2])) is None


def test_each_system_has_the_same_weight_however_many_frames_it_has():
    logs = np.log(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [4.0, 4.0]]))
    assert np.exp(fit(logs, systems=[0, 0, 0, 1]).mean) == pytest.approx(2.0)
    assert np.exp(fit(logs).mean) == pytest.approx(4.0**0.25)


def test_a_round_that_reached_other_systems_only_is_no_round_of_another_speed():
    """Rounds 0 and 1 reach systems 0 and 1, rounds 2 and 3 systems 1 and 2; each takes 1, 4 and 16."""
    table = np.full((3, 4), np.nan)
    table[0, :2], table[1, :], table[2, 2:] = 0.0, np.log(4), np.log(16)
    found = fit(table, systems=[0, 1, 2])
    assert np.exp(found.mean) == pytest.approx(4.0)
    assert found.reach() == pytest.approx(0.0, abs=1e-6)


def test_rounds_that_nothing_connects_leave_the_systems_random():
    """Round 0 reached system 0 alone, round 1 system 1 alone: nothing tells a slow round from a large system."""
    table = np.array([[0.0, np.nan], [np.nan, np.log(9)]])
    found = fit(table, systems=[0, 1])
    assert np.exp(found.mean) == pytest.approx(3.0)
    assert found.reach() > np.log(9)


def test_two_runs_are_compared_system_by_system():
    rng = np.random.default_rng(5)
    old, systems, _ = campaign(rng, 2, cut=False)
    new = [table + np.log(1.1) for table in old]
    found = difference(new[0], old[0], systems)
    assert np.exp(found.mean) == pytest.approx(1.1)
    assert found.of_structures.variance == 0.0


def test_one_system_is_as_it_was():
    rng = np.random.default_rng(6)
    table = rng.normal(0, 0.1, (12, 4))
    table[8:, 1] = np.nan
    assert fit(table, systems=np.zeros(12)).estimate() == fit(table).estimate()


def test_records_with_a_system_give_times_by_system_and_structure():
    rows = [
        {"method": "a", "device": "cpu", "round": number, "structure": structure, "status": "converged"}
        | {"step_ns": 1e6 * 10**system * 2, "steps": 2, SYSTEM: system}
        for number in range(2)
        for structure, system in ((0, 0), (1, 1), (2, 0))
    ]
    times = per_round(pd.DataFrame(rows))["a", "cpu"]
    assert systems_of(times.index).tolist() == [0, 0, 1]
    assert mean_time(times).estimate == pytest.approx(10**0.5)
    assert by_structure(times).loc[(1, 1)] == pytest.approx(10.0)


FRAMES = 4


def of_several(count, times=lambda system, number: True):
    """Return relaxations and replays of two methods at `count` systems, in the rounds in which `times` has them."""
    systems = tuple(
        SystemFacts(f"system {one}", "C10H8", 18, frames=tuple(range(FRAMES * one, FRAMES * (one + 1))))
        for one in range(count)
    )
    described = synthetic.campaign(FRAMES * count, settings={"protocols": ("relax", "replay")})
    described = dataclasses.replace(
        described,
        dataset=dataclasses.replace(described.dataset, systems=systems),
        methods={name: MethodFacts(label=name, family=name, kind="mlip") for name in "ab"},
    )
    tables = []
    for make, changes in ((synthetic.relaxations, {}), (synthetic.replays, {"update": 0.2})):
        rows = [make(name, ms, count=FRAMES * count, **changes) for name, ms in (("a", 5.0), ("b", 7.0))]
        rows = [one.assign(**{SYSTEM: one["structure"] // FRAMES}) for one in rows]
        tables.append([one[[times(*both) for both in zip(one[SYSTEM], one["round"], strict=True)]] for one in rows])
    return synthetic.measurements([synthetic.method("a"), synthetic.method("b")], *tables, described)


def test_the_times_at_a_system_are_those_of_a_run_of_it_alone():
    several = of_several(3, lambda system, number: system != 1 or number != 1)  # round 1 did not reach the middle one
    for system in several.description.dataset.systems:
        alone = dataclasses.replace(at_system(several, system), part_of=None)
        rows = [one.row for one in by_system(several).rows if one.system == system]
        assert rows
        assert {row.rounds for row in rows} == {2 if system.name == "system 1" else 3}
        expected = {(row.key, row.protocol): row for row in summarise(alone).rows}
        assert all(row == expected[row.key, row.protocol] for row in rows)


def test_more_systems_are_summed_up_in_as_many_tables(monkeypatch):
    made, pivot_table = [], pd.DataFrame.pivot_table

    def counted(*arguments, **named):
        made.append(1)
        return pivot_table(*arguments, **named)

    monkeypatch.setattr(pd.DataFrame, "pivot_table", counted)
    by_system(of_several(2))
    few = len(made)
    made.clear()
    by_system(of_several(6))
    assert few == len(made) > 0
