"""Which method is advised: the fastest that agrees with the most trusted one, from planted measurements."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations, relaxed

from bench.analysis.choice import Advised, Known, choose
from bench.analysis.plans import Wish, plan
from bench.core.description import SystemFacts

COUNT = 4
KNOWN = {
    "ff": Known("ff", "ff", -1),
    "semi": Known("semi", "semi", 0),
    "good": Known("ccsd(t)", "good", 5),
    "hybrid": Known("pbe0", "hybrid", 3),
    "crystal": Known("pbe", "crystal", 1, ("trained on crystals, and this is a molecule",)),
}
MS = {"ff": 0.1, "semi": 1.0, "good": 10.0, "hybrid": 20.0, "crystal": 0.5}
OFF = {"ff": 1.5, "semi": 0.15, "good": 0.0, "hybrid": 0.05, "crystal": 0.1}
"""eV/Angstrom, from the planted forces."""
ENERGIES = {"good": (0.0, 1.0, 2.0, 3.0)}


def planted(**changes):
    """Return what five methods showed, and choose; `changes` are the columns of a method's relaxations."""
    relaxed_ = [
        relaxations(name, ms, count=COUNT, rounds=1, positions=list(relaxed(COUNT, 1, 0.0)), **changes.get(name, {}))
        if "positions" not in changes.get(name, {})
        else relaxations(name, ms, count=COUNT, rounds=1, **changes[name])
        for name, ms in MS.items()
    ]
    answers = pd.DataFrame(
        [
            (name, "cpu", i, ENERGIES.get(name, (0.0, 2.0, 1.0, 3.0))[i], np.full((18, 3), off), ())
            for name, off in OFF.items()
            for i in range(COUNT)
        ],
        columns=["method", "device", "structure", "energy", "forces", "changed"],
    )
    described = campaign(COUNT)
    described = dataclasses.replace(
        described,
        dataset=dataclasses.replace(
            described.dataset, total=COUNT, systems=(SystemFacts("m", "C10H8", 18, frames=tuple(range(COUNT))),)
        ),
    )
    kinds = {"ff": "force-field", "semi": "semi-empirical"}
    methods = [method(name, kind=kinds.get(name, "mlip"), peak_memory_bytes=10**8) for name in MS]
    return measurements(methods, relaxed_, description=described, answers=answers)


def test_the_highest_level_is_trusted_among_those_that_disagree_least_and_the_fastest_agrees_with_it():
    found = choose(planted(), KNOWN, {}, md=False)
    assert found.trusted.method == "good"
    assert found.fastest.method == "semi"  # the force field is faster and 1500 meV/A away
    assert "ff" not in found.agreeing
    assert [one.method for one in found.methods] == ["ff", "crystal", "semi", "good", "hybrid"]


def test_a_method_far_from_what_it_was_made_for_is_neither_trusted_nor_the_fastest_while_there_is_another():
    found = choose(planted(), KNOWN, {}, md=False)
    assert "crystal" in found.agreeing
    assert found.fastest.method != "crystal"
    alone = {name: known for name, known in KNOWN.items() if name in ("crystal", "ff")}
    assert choose(planted(), alone, {}, md=False).trusted.method == "ff"


def test_another_minimum_is_no_agreement():
    far = list(relaxed(COUNT, 1, 0.5))
    found = choose(planted(semi={"positions": far}), KNOWN, {}, md=False)
    semi = next(one for one in found.methods if one.method == "semi")
    assert semi.rmsd_to_trusted > 0.25
    assert found.fastest.method == "good"


def test_the_order_of_conformers_is_compared_and_energies_are_not():
    found = {one.method: one for one in choose(planted(), KNOWN, {}, md=False).methods}
    assert found["semi"].order_like_trusted == pytest.approx(2 / 3)
    assert found["good"].order_like_trusted is None


def test_what_did_not_converge_has_no_time_of_a_relaxation_but_one_of_md():
    found = choose(planted(semi={"status": "step-cap"}), KNOWN, {}, md=False)
    semi = next(one for one in found.methods if one.method == "semi")
    assert semi.seconds_per_relaxation is None
    assert semi.hours_per_ns.estimate == pytest.approx(0.9 / 1.8, rel=0.1)
    assert semi.unconverged == COUNT
    assert found.fastest.method == "good"


def test_a_cut_relaxation_takes_the_steps_of_the_others():
    found = choose(planted(hybrid={"status": "censored", "steps": 5}), KNOWN, {}, md=False)
    hybrid = next(one for one in found.methods if one.method == "hybrid")
    assert not hybrid.steps_measured
    assert 30 < hybrid.steps < 60
    assert hybrid.seconds_per_relaxation.low < hybrid.seconds_per_relaxation.estimate


def test_one_that_made_no_step_is_excluded_with_its_reason():
    failed = {"status": "failed", "steps": 0, "failure": "calculator", "message": "ValueError: no parameters for Si"}
    found = choose(planted(ff=failed), KNOWN, {"x": Advised("x", "X", excluded="no trained weights here")}, md=False)
    excluded = {one.method: one.excluded for one in found.methods if one.excluded}
    assert excluded == {"ff": "ValueError: no parameters for Si", "x": "no trained weights here"}
    assert [one.method for one in found.methods][-2:] == ["ff", "x"]


def test_the_fastest_of_a_screen_is_that_of_the_whole_task_where_memory_lets_it_have_fewer_processes():
    wish = Wish("screen", 10_000, None, threads=1, cores=16, speed=16.0, free_bytes=2 * 10**9)

    def whole_task(one):
        held = 2 * 10**9 if one.method == "semi" else 10**8
        found = plan(dataclasses.replace(one, peak_memory_bytes=held, start_s=0.0), wish)
        return None if found is None else found.seconds.estimate

    found = choose(planted(), KNOWN, {}, md=False, whole_task=whole_task)
    assert found.fastest.method == "good", "it takes ten times as long, and 16 of its processes fit into memory"
    assert [one.method for one in found.methods][:2] == ["ff", "crystal"]
    assert choose(planted(), KNOWN, {}, md=False).fastest.method == "semi"


def test_one_method_alone_is_trusted_without_a_disagreement():
    found = choose(planted(), {"semi": KNOWN["semi"]}, {}, md=False)
    assert found.trusted.method == found.fastest.method == "semi"
    assert found.trusted.disagreement_mev_per_angstrom is None


def test_for_md_the_time_of_a_nanosecond_counts():
    found = choose(planted(), KNOWN, {}, md=True)
    assert found.fastest.method == "semi"
    native = planted(semi={"step_calculator_ns": None, "calculator_ns": None, "step_force_calls": None})
    assert choose(native, KNOWN, {}, md=True).fastest.method == "good"


def test_what_is_at_its_minimum_already_takes_one_force_call():
    still = {"steps": 0, "step_ns": 0.0, "step_calculator_ns": 0.0, "step_force_calls": 0, "calculator_ns": 2e6}
    ff = next(one for one in choose(planted(ff=still), KNOWN, {}, md=False).methods if one.method == "ff")
    assert ff.excluded is None
    assert ff.seconds_per_relaxation.estimate == pytest.approx(0.002)
    assert ff.hours_per_ns.estimate == pytest.approx(2 / 1.8)


def test_a_relaxation_that_broke_bonds_is_a_failure():
    found = choose(planted(semi={"bonds_changed": 2}), KNOWN, {}, md=False)
    semi = next(one for one in found.methods if one.method == "semi")
    assert semi.excluded == "its relaxation made or broke bonds"
    assert found.fastest.method == "good"


def shown_by(name, **changes):
    return next(one for one in choose(planted(**changes), KNOWN, {}, md=False).methods if one.method == name)


def test_a_relaxation_that_was_cut_after_its_first_step_still_tells_the_time_of_a_step():
    assert shown_by("hybrid", hybrid={"status": "censored", "steps": 1}).excluded is None


def test_the_steps_of_a_method_are_those_of_each_structure():
    assert shown_by("hybrid", hybrid={"steps": [10, 20, 40, 90]}).steps == pytest.approx(40.0)


def test_what_showed_nothing_comes_after_what_has_no_time_of_a_relaxation():
    failed = {"status": "failed", "steps": 0, "failure": "calculator", "message": "no parameters"}
    found = choose(planted(ff=failed, semi={"status": "step-cap"}), KNOWN, {}, md=False)
    assert [one.method for one in found.methods][-2:] == ["semi", "ff"]


def test_the_highest_level_is_not_trusted_where_it_disagrees_far_more_than_others(monkeypatch):
    monkeypatch.setitem(OFF, "good", 5.0)
    assert choose(planted(), KNOWN, {}, md=False).trusted.method == "hybrid"
