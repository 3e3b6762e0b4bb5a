"""Steps are compared with like steps: simulated relaxations whose first steps are dearer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.analysis.like_steps import pair, step_times, sums
from bench.analysis.times import mean_time, paired_ratio

DEAR = 1.0 + 0.5 * np.exp(-np.arange(200) / 5.0)
"""A step's time over that of a late one: the first takes half as long again."""


def relaxed(name, ms, rng, budget_ms=np.inf, rounds=3, structures=8, dear=None, process=0.0):
    """Return relaxations and their steps; a round ends within its budget, and the relaxation in progress is cut."""
    lengths = 20 + np.arange(structures) * 7 % 40
    rows, steps = [], []
    for number in range(rounds):
        left, speed = budget_ms, np.exp(rng.normal(0.0, process))
        for structure in range(structures):
            each = ms * speed * (DEAR if dear is None else dear)[: lengths[structure]] * np.exp(rng.normal(0.0, 0.01))
            count = int(np.searchsorted(np.cumsum(each), left)) if left < each.sum() else len(each)
            if count == 0:
                break
            left -= each.sum()
            of = {"method": name, "device": "cpu", "round": number, "structure": structure}
            status = "converged" if count == len(each) else "censored"
            rows.append({**of, "status": status, "steps": count, "step_ns": 1e6 * each[:count].sum()})
            times = np.concatenate([[1e9], 1e6 * each[:count]])  # the force call before the first step
            steps.append(
                pd.DataFrame({**of, "step": np.arange(count + 1), "calculator_ns": times, "optimizer_ns": 0.0})
            )
            if count < len(each):
                break
    return pd.DataFrame(rows), pd.concat(steps, ignore_index=True)


def whole_mean(name, ms, rng, **changes):
    structures, steps = relaxed(name, ms, rng, **changes)
    return mean_time(step_times(structures, steps)[name, "cpu"]).estimate


def test_the_time_of_a_relaxation_that_was_cut_is_as_if_it_had_been_whole():
    truth = whole_mean("scf", 1000.0, np.random.default_rng(1), structures=3, rounds=40)
    as_they_are, found = [], []
    for seed in range(40):
        structures, steps = relaxed("scf", 1000.0, np.random.default_rng(seed), budget_ms=60_000.0)
        assert list(structures.loc[structures["status"] == "censored", "structure"]) == [2, 2, 2]
        found.append(np.log(mean_time(step_times(structures, steps)["scf", "cpu"]).estimate / truth))
        as_they_are.append(np.log(mean_time(step_times(structures, None)["scf", "cpu"]).estimate / truth))
    # what is left is that whole relaxations, of the first two structures, have fewer steps than the third would have
    assert np.mean(found) == pytest.approx(0.0, abs=0.015)
    assert np.mean(as_they_are) > 0.04


def test_whole_relaxations_alone_would_favour_fast_processes():
    """The rule that was not taken: it is biased where processes differ, and this one is not."""
    rng = np.random.default_rng(2)
    flat = np.ones(200)
    found, whole_only = [], []
    for _ in range(150):
        structures, steps = relaxed("scf", 1000.0, rng, 45_000.0, dear=flat, process=0.2, rounds=4, structures=2)
        if (structures["status"] == "censored").all() or not (structures["status"] == "censored").any():
            continue
        found.append(np.log(mean_time(step_times(structures, steps)["scf", "cpu"]).estimate / 1000.0))
        whole = structures[(structures["status"] == "converged") & (structures["structure"] == 1)]
        if len(whole):
            whole_only.append(np.log(mean_time(step_times(whole, None)["scf", "cpu"]).estimate / 1000.0))
    assert np.mean(found) == pytest.approx(0.0, abs=0.03)
    assert np.mean(whole_only) < -0.08


def test_a_method_without_a_whole_relaxation_is_compared_by_as_many_first_steps():
    rng = np.random.default_rng(3)
    slow, slow_steps = relaxed("slow", 2000.0, rng, budget_ms=12_000.0)
    quick, quick_steps = relaxed("quick", 1000.0, rng)
    flat, flat_steps = relaxed("flat", 10.0, rng, dear=np.ones(200))
    times = step_times(pd.concat([slow, quick, flat]), pd.concat([slow_steps, quick_steps, flat_steps]))
    assert times.cut == {("slow", "cpu"): 4}
    # both have dear first steps, so the ratio is 2, as that of whole relaxations is
    assert paired_ratio(*pair(times, ("slow", "cpu"), ("quick", "cpu"))).estimate == pytest.approx(2.0, rel=0.02)
    as_they_are = paired_ratio(times["slow", "cpu"], times["quick", "cpu"]).estimate
    assert as_they_are > 2.3
    # against steps that all take the same, it says how much longer the first steps take
    found = paired_ratio(*pair(times, ("slow", "cpu"), ("flat", "cpu")))
    assert found.estimate == pytest.approx(200.0 * DEAR[:4].mean(), rel=0.02)
    assert pair(times, ("quick", "cpu"), ("flat", "cpu"))[0].equals(times["quick", "cpu"])


def test_two_runs_that_were_cut_after_unlike_numbers_of_steps_are_compared_by_like_steps():
    rng = np.random.default_rng(4)
    old, new = (step_times(*relaxed("scf", 1000.0, rng, budget_ms=budget)) for budget in (4_500.0, 16_000.0))
    assert (old.cut["scf", "cpu"], new.cut["scf", "cpu"]) == (3, 13)
    above, below = pair(new, ("scf", "cpu"), ("scf", "cpu"), old)
    assert (np.log(above).mean(axis=None) - np.log(below).mean(axis=None)) == pytest.approx(0.0, abs=0.02)


def test_the_force_call_before_the_first_step_and_failed_relaxations_count_in_nothing():
    structures, steps = relaxed("scf", 1000.0, np.random.default_rng(5), budget_ms=70_000.0)
    clean = step_times(structures, steps)["scf", "cpu"]
    failed = structures.iloc[:1].assign(structure=7, status="failed")
    odd = steps[steps["structure"] == 0].assign(structure=7, calculator_ns=1e15)
    assert step_times(pd.concat([structures, failed]), pd.concat([steps, odd]))["scf", "cpu"].equals(clean)


def test_a_native_optimiser_tells_only_whole_steps():
    _, steps = relaxed("uff", 1.0, np.random.default_rng(6), rounds=1, structures=1)
    native = steps.assign(optimizer_ns=steps["calculator_ns"], calculator_ns=np.nan)
    assert sums(native)["uff", "cpu"][0, 0] == pytest.approx(sums(steps)["uff", "cpu"][0, 0])


def test_a_cut_relaxation_is_held_against_the_whole_ones_that_are_as_long():
    whole = {0: [4.0, 2.0, 2.0], 1: [4.0, 1.0]}
    cut = {2: [6.0, 6.0], 3: [6.0], 4: [6.0, 6.0, 6.0], 5: [6.0, 6.0, 6.0, 6.0]}
    rows, steps = [], []
    for structure, each in (whole | cut).items():
        of = {"method": "scf", "device": "cpu", "round": 0, "structure": structure}
        status = "censored" if structure in cut else "converged"
        rows.append({**of, "status": status, "steps": len(each), "step_ns": 1e6 * sum(each)})
        steps += [
            {**of, "step": number, "calculator_ns": 1e6 * ms, "optimizer_ns": 0.0}
            for number, ms in enumerate([1e3, *each])
        ]
    times = step_times(pd.DataFrame(rows), pd.DataFrame(steps))["scf", "cpu"][0]
    first_two = np.sqrt((3.0 / (8 / 3)) * (2.5 / 2.5))  # over all steps, of both whole ones
    first_one = np.sqrt((4.0 / (8 / 3)) * (4.0 / 2.5))
    assert times.tolist() == pytest.approx([8 / 3, 2.5, 6.0 / first_two, 6.0 / first_one, 6.0, 6.0])
