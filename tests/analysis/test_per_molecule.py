"""The time of a relaxed molecule: a planted truth where budgets cut relaxations, one structure, unlike systems."""

import math

import numpy as np
import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations

from bench.analysis import per_molecule, survival
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
    assert (row.ms_per_molecule_at_least, row.ms_per_molecule is None) == (None, False)


def test_the_lower_bound_is_of_all_systems_alike_and_not_of_failures():
    relaxed = relaxations("a", 10.0, count=3, rounds=1, status="censored", noise=0.0).assign(system=[0, 0, 1])
    relaxed = relaxed.assign(step_ns=[1e7, 1e7, 1.6e8], step_calculator_ns=None, calculator_ns=None)
    assert per_molecule.at_least(relaxed) == pytest.approx(40.0)
    relaxed.loc[2, "bonds_changed"] = 3
    assert per_molecule.at_least(relaxed) == pytest.approx(10.0)
    assert per_molecule.at_least(relaxed.assign(status="failed")) is None


def test_systems_count_alike():
    many, few = relaxations("a", 10.0, count=8, rounds=1), relaxations("a", 10.0, count=2, rounds=1)
    both = pd.concat([many.assign(system=0, steps=10), few.assign(system=1, steps=90, structure=[8, 9])])
    both["step_ns"] = both["steps"] * 1e7
    both["step_calculator_ns"] = both["calculator_ns"] = None
    found = per_molecule.steps(both).found
    assert found.mean == pytest.approx((math.log(10) + math.log(90)) / 2)


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
