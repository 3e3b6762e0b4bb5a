"""Doubtful methods: the ones that answer differently each time, or alter what they are given, and no others."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import measurements, method, relaxations, replays

from bench.analysis.doubts import ALTERS, VARIES, doubts
from bench.analysis.measurements import ANSWERS
from bench.analysis.summary import summarise

FORCES = np.array([[2.0, 0.0, 0.0], [-1.0, 0.5, 0.0]])
"""The largest is 2 eV/Angstrom, as in the relaxations and paths of synthetic campaigns; their energy is -8 eV."""


def answers(energy=-8.0, forces=FORCES, changed=(), structures=(0, 1)):
    return pd.DataFrame([("a", "cpu", i, energy, forces, changed) for i in structures], columns=list(ANSWERS))


def found(told=None, relaxed=None, replayed=None, **facts):
    one = method("a", **{"dtype": "float64", **facts})
    measured = measurements([one], [relaxed] if relaxed is not None else (), [replayed] if replayed is not None else ())
    told = measured.answers if told is None else told
    return doubts([one], told, measured.structures, measured.replays)["a", "cpu"]


def few(**changes):
    return relaxations("a", 10.0, count=2, rounds=2, **changes)


def test_a_method_that_says_the_same_each_time_is_not_doubted():
    assert found(answers(), few(), replays("a", 9.0, count=2)) == ()
    assert found(answers(energy=-8.0 + 1e-7, forces=FORCES * (1 + 1e-7)), few()) == ()


@pytest.mark.parametrize(
    ("energy", "scale", "says"),
    [
        (-8.3, 1.0, f"{VARIES}: energies by up to 0.3 eV"),
        (-8.0, 1.05, f"{VARIES}: forces by up to 0.1 eV/Å"),
        (-8.3, 1.05, f"{VARIES}: energies by up to 0.3 eV, forces by up to 0.1 eV/Å"),
    ],
)
def test_an_answer_that_the_first_force_call_does_not_bear_out_is_told(energy, scale, says):
    assert found(answers(energy, FORCES * scale), few()) == (says,)
    assert found(answers(energy, FORCES * scale), None, replays("a", 9.0, count=2)) == (says,)


def test_rounds_and_protocols_are_held_against_each_other_where_there_was_no_answer():
    relaxed = few()
    relaxed.loc[relaxed["round"] == 1, "first_energy"] = -8.5
    assert found(None, relaxed) == (f"{VARIES}: energies by up to 0.5 eV",)
    assert found(None, few(), replays("a", 9.0, count=2, first_energy=-7.0)) == (f"{VARIES}: energies by up to 1 eV",)


def test_structures_are_not_held_against_each_other():
    relaxed = few()
    relaxed.loc[relaxed["structure"] == 1, "first_energy"] = -9.0
    assert found(answers(structures=(0,)), relaxed) == ()


def test_single_precision_scfs_and_large_numbers_have_the_room_that_they_take():
    assert found(answers(-8.0005), few(), dtype="float32") == ()
    assert found(answers(-8.0005), few(), dtype="float64") != ()
    assert found(answers(-8.0001), few(), kind="dft") == ()
    random = few(first_fmax=1e6)
    assert found(answers(forces=FORCES * 5e5 * (1 + 1e-6)), random, dtype="float32", weights="random") == ()


def test_a_native_optimiser_tells_nothing_to_hold_an_answer_against():
    assert found(answers(), few(native=True), optimizer="native") == ()
    assert found(None, few(native=True), optimizer="native") == ()


def test_a_call_that_gave_no_number_says_nothing():
    relaxed = few()
    relaxed.loc[0, ["first_energy", "first_fmax"]] = None
    assert found(answers(), relaxed) == ()


def test_what_a_force_call_changed_of_its_atoms_is_told():
    told = pd.concat([answers(changed=("positions",)), answers(changed=("cell", "positions"))])
    assert found(told, few()) == (f"{ALTERS}: positions, cell",)


def test_every_row_of_a_doubtful_method_is_marked_and_no_other_one():
    both = measurements(
        [method("a", dtype="float64"), method("b")],
        [few(), relaxations("b", 5.0, count=2)],
        [replays("a", 9.0, count=2)],
        answers=answers(-9.0),
    )
    settings = dataclasses.replace(both.description.settings, protocols=("relax", "replay"))
    both = dataclasses.replace(both, description=dataclasses.replace(both.description, settings=settings))
    rows = {(row.method, row.protocol): row.doubts for row in summarise(both).rows}
    assert rows["a", "relax"] == rows["a", "replay"] == (f"{VARIES}: energies by up to 1 eV",)
    assert rows["b", "relax"] == rows["b", "replay"] == ()
