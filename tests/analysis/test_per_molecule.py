"""The time of a relaxed molecule: a planted truth where budgets cut relaxations, one structure, unlike systems."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import campaign, measurements, method, relaxations

from bench.analysis import per_molecule, survival
from bench.analysis.statistics import Estimate
from bench.analysis.summary import summarise
from bench.render.columns import _molecule


def row_of(relaxed, **settings):
    description = campaign(int(relaxed["structure"].max()) + 1, settings=settings)
    (row,) = summarise(measurements([method("a")], [relaxed], description=description)).rows
    return row


def test_it_is_the_time_of_the_steps_and_of_the_first_force_call():
    relaxed = relaxations("a", 10.0, count=20)
    steps = 40 + np.arange(20) % 7
    # 0.9 of a step is its force call, and there is one call more than there are steps
    truth = 10.0 * math.exp(np.log(steps + 0.9).mean())
    found = row_of(relaxed).ms_per_molecule
    assert found.estimate == pytest.approx(truth, rel=1e-6)
    assert found.low < truth < found.high


def test_a_native_optimiser_has_it_too():
    found = row_of(relaxations("a", 0.15, count=10, native=True)).ms_per_molecule
    assert found.estimate == pytest.approx(0.15 * math.exp(np.log(40 + np.arange(10) % 7).mean()))


def cut_by_a_budget(rng, structures=24, rounds=2, most=25):
    """Return relaxations of 10 ms a step and a geometric mean of 20 steps, cut off after some 25 steps."""
    steps = np.maximum(np.round(np.exp(rng.normal(math.log(20), 0.45, structures))), 1)
    relaxed = relaxations("a", 10.0, count=structures, rounds=rounds, noise=0.0)
    limits = rng.integers(most - 8, most + 8, len(relaxed))
    wanted = steps[relaxed["structure"]]
    made = np.minimum(wanted, limits)
    each = relaxed["step_ns"] / relaxed["steps"]
    return relaxed.assign(
        steps=made.astype(int),
        status=np.where(wanted > limits, "censored", "converged"),
        step_ns=each * made,
        step_calculator_ns=0.9 * each * made,
        calculator_ns=0.9 * each * (made + 1),
        step_force_calls=made.astype(int),
    )


def test_a_budget_that_cuts_long_relaxations_does_not_make_a_method_fast():
    rng = np.random.default_rng(4)
    truth = math.log(10.0) + np.mean(
        [math.log(max(round(math.exp(x)), 1) + 0.9) for x in rng.normal(math.log(20), 0.45, 20000)]
    )
    errors, naive, inside = [], [], 0
    for _ in range(100):
        relaxed = cut_by_a_budget(rng)
        taken = per_molecule.steps(relaxed)
        whole = relaxed[relaxed["status"] == "converged"]
        error = taken.found.mean + math.log(10.0) - truth
        errors.append(error)
        naive.append(np.log(whole["steps"] + 0.9).mean() + math.log(10.0) - truth)
        inside += abs(error) <= taken.found.half_width(0.95)
    assert abs(np.mean(errors)) < 0.015
    assert np.mean(naive) < -0.1, "the plant is one where leaving them out is wrong"
    assert inside >= 90


def test_the_number_of_steps_is_not_that_of_the_easy_structures_alone():
    rng = np.random.default_rng(8)
    found = [row_of(cut_by_a_budget(rng, rounds=1)).relaxation.steps_per_structure for _ in range(15)]
    truth = np.exp(rng.normal(math.log(20), 0.45, 20000)).mean()
    assert np.mean(found) == pytest.approx(truth, rel=0.12), "of those that ended it is three quarters of that"


def test_what_was_cut_in_one_round_and_converged_in_another_is_whole():
    relaxed = relaxations("a", 10.0, count=6, rounds=2)
    first = relaxed["round"] == 0
    relaxed.loc[first, "status"] = "censored"
    assert per_molecule.steps(relaxed).cut == 0
    row = row_of(relaxed)
    assert row.relaxation.cut == 0
    assert row.ms_per_molecule is not None


def test_where_nothing_converged_there_is_no_time_and_with_a_single_one_no_interval():
    relaxed = relaxations("a", 10.0, count=4, rounds=2, status="censored")
    assert row_of(relaxed).ms_per_molecule is None
    one = row_of(relaxations("a", 10.0, count=1, rounds=3)).ms_per_molecule
    assert one.estimate == pytest.approx(10.0 * 40.9)
    assert one.low is None


def test_where_the_budget_cut_off_everything_what_that_took_is_a_lower_bound():
    relaxed = relaxations("a", 10.0, count=2, rounds=2, status="censored", noise=0.0)
    relaxed = relaxed.assign(steps=[4, 8, 2, 8], structure=[0, 1, 0, 1], round=[0, 0, 1, 1])
    relaxed = relaxed.assign(step_ns=relaxed["steps"] * 1e7, step_calculator_ns=relaxed["steps"] * 9e6)
    relaxed["calculator_ns"] = relaxed["step_calculator_ns"] + 9e6
    row = row_of(relaxed)
    assert row.ms_per_molecule is None
    assert row.ms_per_molecule_at_least == pytest.approx(math.sqrt(49 * 89)), "the longer round of each"
    assert _molecule(row) == "> 66"
    relaxed.loc[relaxed["structure"] == 1, "status"] = "converged"
    row = row_of(relaxed)
    assert row.ms_per_molecule is None, "one whole relaxation does not tell how long the other would take"
    assert row.ms_per_molecule_at_least == pytest.approx(math.sqrt(49 * 89))


@pytest.mark.parametrize("budget", [0.7, 0.9, 1.2])
def test_where_few_relaxations_ended_there_is_a_lower_bound_and_it_is_one(budget):
    """Three rounds, each with time for about one relaxation: those that end are the easy ones."""
    rng, bounds, times = np.random.default_rng(3), [], []
    for _ in range(30):
        relaxed = relaxations("a", 10.0, count=6, rounds=1, noise=0.0)
        made, whole, left = np.zeros(6), np.zeros(6, dtype=bool), 0.0
        for number in range(6):
            left = budget * 20.0 if number % 2 == 0 else left  # two structures in a round, of which one is cut
            wanted = max(round(math.exp(rng.normal(math.log(20), 0.3))), 1)
            made[number], whole[number] = max(min(wanted, left), 1), wanted <= left
            left -= made[number]
        each = (relaxed["step_ns"] / relaxed["steps"]).mean()
        relaxed = relaxed.assign(
            steps=made,
            step_ns=each * made,
            step_calculator_ns=None,
            calculator_ns=None,
            status=np.where(whole, "converged", "censored"),
        )
        row = row_of(relaxed)
        assert (row.ms_per_molecule is None) != (row.ms_per_molecule_at_least is None)
        (bounds if row.ms_per_molecule is None else times).append(row.ms_per_molecule_at_least or row.ms_per_molecule)
    assert len(bounds) > 10
    assert max(bounds) < each * 20 * 1e-6


def test_the_lower_bound_is_of_all_systems_alike_and_not_of_failures():
    relaxed = relaxations("a", 10.0, count=3, rounds=1, status="censored", noise=0.0).assign(system=[0, 0, 1])
    relaxed = relaxed.assign(step_ns=[1e7, 1e7, 1.6e8], step_calculator_ns=None, calculator_ns=None)
    assert per_molecule.at_least(relaxed) == pytest.approx(40.0)
    relaxed.loc[2, "bonds_changed"] = 3
    assert per_molecule.at_least(relaxed) == pytest.approx(10.0)
    for systems in ([0, 1, 2], [0, 0, 0]):
        three = relaxed.assign(system=systems, step_ns=[1e7, 1e7, 1.6e8], bonds_changed=0)
        assert per_molecule.at_least(three) == pytest.approx(10.0 * 16 ** (1 / 3)), "no median"
        assert per_molecule.steps(three).cut == 3
    assert per_molecule.at_least(relaxed.assign(status="failed")) is None
    assert per_molecule.at_least(relaxed.assign(status="converged")) is None, "there is a time, and no bound"


def test_systems_count_alike():
    many, few = relaxations("a", 10.0, count=8, rounds=1), relaxations("a", 10.0, count=2, rounds=1)
    both = pd.concat([many.assign(system=0, steps=10), few.assign(system=1, steps=90, structure=[8, 9])])
    both["step_ns"] = both["steps"] * 1e7
    both["step_calculator_ns"] = both["calculator_ns"] = None
    found = per_molecule.steps(both).found
    assert found.mean == pytest.approx((math.log(10) + math.log(90)) / 2)
    assert found.half_width(0.95) == pytest.approx(0)


SIZES = np.array([10, 20, 50, 200])
"""Steps of the relaxations of four systems."""


def of_systems(rng, name, ms, factor=1.0, systems=4, frames=4, most=math.inf, rounds=2):
    """Return relaxations of systems whose steps scatter by 30 %; those with more than `most` steps are cut there."""
    relaxed = relaxations(name, ms, count=systems * frames, rounds=rounds, noise=0.0)
    of_system = relaxed["structure"].to_numpy() // frames
    scatter = np.exp(rng.normal(0.0, 0.3, systems * frames))[relaxed["structure"]]
    wanted = factor * SIZES[of_system] * scatter
    steps = np.minimum(wanted, most)
    each = ms * 1e6 * SIZES[of_system] * np.exp(rng.normal(0.0, 0.02, rounds))[relaxed["round"]]
    return relaxed.assign(
        system=of_system,
        steps=steps,
        step_ns=each * steps,
        step_calculator_ns=None,
        calculator_ns=None,
        status=np.where(wanted > most, "censored", "converged"),
    )


def test_the_interval_of_several_systems_is_about_these_and_not_about_others_of_other_sizes():
    rng, inside, widths = np.random.default_rng(2), 0, []
    truth = math.exp(np.log(SIZES * SIZES).mean())
    for _ in range(25):
        found = row_of(of_systems(rng, "a", 1.0)).ms_per_molecule
        inside += found.low <= truth <= found.high
        widths.append(math.log(found.high / found.low) / 2)
    assert inside >= 22
    assert np.median(widths) < 0.35, "as if the sizes were errors, it would reach a factor of two"


def test_a_system_without_a_whole_relaxation_makes_the_time_a_lower_bound():
    relaxed = of_systems(np.random.default_rng(0), "a", 1.0, most=60)
    row = row_of(relaxed)
    assert row.ms_per_molecule is None
    assert row.ms_per_molecule_at_least < math.exp(np.log(SIZES * SIZES).mean())
    small = row_of(relaxed[relaxed["system"] < 2])
    assert small.ms_per_molecule.estimate == pytest.approx(math.sqrt(100 * 400), rel=0.3)


def test_one_structure_of_each_system_is_all_there_is_of_it():
    row = row_of(of_systems(np.random.default_rng(0), "a", 1.0, frames=1, rounds=3))
    per_step, found = row.ms_per_step, row.ms_per_molecule
    assert found.high / found.low == pytest.approx(per_step.high / per_step.low)


@pytest.mark.parametrize(("takes", "most"), [(2, math.inf), (4, 120)])
def test_a_ratio_is_over_the_systems_that_both_relaxed(takes, most):
    """B needs twice the time for a step and 1.5 times the steps; it takes the small ones, or is cut at the last."""
    rng, errors, inside = np.random.default_rng(takes), [], 0
    description = campaign(16)
    for _ in range(12):
        one = of_systems(rng, "a", 1.0)
        other = of_systems(rng, "b", 2.0, factor=1.5, most=most)
        relaxed = [one, other[other["system"] < takes]]
        rows = summarise(measurements([method("a"), method("b")], relaxed, description=description)).rows
        found = next(row for row in rows if row.method == "b").per_molecule_relative
        errors.append(math.log(found.estimate / 3.0))
        inside += found.low <= 3.0 <= found.high
    assert abs(np.mean(errors)) < 0.1, "with the steps of other systems it would be too small by a third or more"
    assert inside >= 10


def test_a_molecule_that_collapsed_is_a_failure_and_not_fast_unless_reactions_are_allowed():
    relaxed = relaxations("a", 10.0, count=6, rounds=2)
    collapsed = relaxed["structure"] == 2
    relaxed.loc[collapsed, ["bonds_changed", "steps"]] = [53, 2]
    row = row_of(relaxed)
    assert (row.done, row.converged, row.failures) == (5, 5, {"bonds changed": 1})
    assert "53 pairs of atoms bonded or parted" in row.message
    assert row.ms_per_molecule.n == 5
    allowed = row_of(relaxed, reactions=True)
    assert (allowed.done, allowed.failures) == (6, {})
    assert allowed.ms_per_molecule.n == 6


def test_other_minima_are_counted_and_a_loose_criterion_or_a_soft_torsion_is_none():
    relaxed = relaxations("a", 10.0, count=6, rounds=1)
    elsewhere = relaxed["positions"].iloc[0].copy()
    elsewhere[0] += [0.0, 0.0, 1.5]
    relaxed["energy"] = [-10.0005, -9.98, -9.996, -10.0, -9.9, -10.0]
    places = list(relaxed["positions"])
    places[1] = places[3] = places[4] = elsewhere
    relaxed["positions"] = places
    row = row_of(relaxed)
    assert (row.relaxation.other_minima, row.relaxation.other_minima_mev) == (2, pytest.approx(60.5))
    two = row_of(relaxed[relaxed["structure"] < 2])
    assert (two.relaxation.other_minima, two.relaxation.other_minima_mev) == (1, pytest.approx(20.5))
    assert row_of(relaxed[relaxed["structure"] < 1]).relaxation.other_minima is None


def test_ratios_per_molecule_have_the_numbers_of_steps_in_them():
    one, other = relaxations("a", 10.0, count=30), relaxations("b", 20.0, count=30)
    steps = other["steps"]
    other = other.assign(
        steps=2 * steps, step_ns=2 * other["step_ns"], step_calculator_ns=2 * other["step_calculator_ns"]
    )
    other["calculator_ns"] = other["step_calculator_ns"] * (1 + 1 / other["steps"])
    rows = summarise(measurements([method("a"), method("b")], [one, other], description=campaign(30))).rows
    slow = next(row for row in rows if row.method == "b")
    assert slow.relative.estimate == pytest.approx(2.0, rel=0.02)
    found = slow.per_molecule_relative
    assert found.estimate == pytest.approx(slow.ms_per_molecule.estimate / rows[0].ms_per_molecule.estimate, rel=0.02)
    assert found.low < found.estimate < found.high
    assert found.estimate > 3.9


@pytest.mark.parametrize(("n", "share"), [(6, 0.0), (20, 0.4), (101, 0.7)])
def test_the_interval_covers_the_truth_where_values_are_cut_at_unlike_places(n, share):
    rng = np.random.default_rng(n)
    inside = 0
    for _ in range(120):
        logs = rng.normal(3.0, 0.35, n)
        limits = rng.normal(3.0 + 0.3 - share, 0.35, n) if share else np.full(n, 99.0)
        found = survival.mean_log(np.minimum(logs, limits), logs > limits)
        inside += abs(found.mean - 3.0) <= found.half_width(0.95)
    assert inside >= 108


def test_the_interval_of_a_ratio_to_several_has_each_number_of_steps_with_its_share():
    @dataclasses.dataclass
    class Method:
        key: tuple[str, str]
        taken: per_molecule.Steps

    def made(name, logs):
        count = len(logs)
        return Method((name, "cpu"), per_molecule.Steps(np.array(logs), np.zeros(count, bool), np.zeros(count, int)))

    slow, one, other = made("s", [4.0, 4.5, 5.0, 4.7]), made("o", [3.0, 3.1, 3.3]), made("p", [2.0, 2.9, 2.2, 2.4, 2.6])
    asked = []

    def per_step(systems):
        asked.append(set(systems))
        return Estimate(10.0, 10.0 / 1.2, 10.0 * 1.2, 9, "structures", 3)

    found = per_molecule.ratio(per_step, [(slow, one), (slow, other)])
    logs = [each.taken.logs for each in (slow, one, other)]
    halves = [stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each)) for each in logs]
    far = math.hypot(math.log(1.2), halves[0], halves[1] / 2, halves[2] / 2)
    assert found.estimate == pytest.approx(10.0 * math.exp(logs[0].mean() - (logs[1].mean() + logs[2].mean()) / 2))
    assert math.log(found.high / found.estimate) == pytest.approx(far)
    assert math.log(found.estimate / found.low) == pytest.approx(far)
    assert (found.n, found.rounds, asked) == (3, 3, [{0}])
