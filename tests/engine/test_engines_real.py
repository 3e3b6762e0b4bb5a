"""Engines of real methods: the same answers as their references."""

import contextlib
import io
import json
import os
from pathlib import Path

import pytest

from bench import cli
from bench.engine import engines, turns

pytestmark = pytest.mark.environment
SHORT = [
    *((engines, "FEWEST_ROUNDS", 1), (engines, "MOST_ROUNDS", 1), (engines, "ROUND_SECONDS", 0.2)),
    *((engines, "DIRECTIONS", 2), (engines, "POINTS", 2), (turns, "POINTS", 2)),
]
"""What is less than in a user's comparison; speeds are tested with fakes."""
MACE = "mace_mp_small.model"
FOLDER = os.environ.get("PESBENCH_WEIGHTS")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return a function that compares a method with its engines, in one short round."""

    def run(method, *more):
        words = ("engines", method, "--atoms", "18", "--budget", "20", "--json", "--threads", "1")
        said, complained = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for module, name, value in SHORT:
                patch.setattr(module, name, value)
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
                status = cli.main([*words, "--output", str(tmp_path_factory.mktemp("engines")), *more])
        assert status == 0, complained.getvalue()
        return json.loads(said.getvalue())

    return run


def test_the_library_of_xtb_gives_the_answers_of_tblite(measured):
    (xtb,) = measured("gfn2-xtb", "--engines", "xtb")["engines"]
    assert xtb["same_answers"] is True
    assert xtb["derivative_difference_mev_per_angstrom"] < 0.5


def test_dxtb_gives_the_answers_of_tblite(measured):
    (dxtb,) = measured("gfn1-xtb", "--engines", "dxtb")["engines"]
    assert dxtb["same_answers"] is True
    assert dxtb["derivative_difference_mev_per_angstrom"] < 0.5


def test_uff_of_rdkit_is_another_force_field_but_its_forces_are_the_derivative(measured):
    found = measured("uff-ase")
    (rdkit,) = found["engines"]
    assert rdkit["same_answers"] is False
    assert rdkit["force_difference_mev_per_angstrom"] > 100
    assert rdkit["derivative_difference_mev_per_angstrom"] < 0.1
    assert found["recommended"] is None


@pytest.fixture(scope="module")
def of_mace(measured):
    """Return the comparison of MACE with both of its engines."""
    if not (FOLDER and list(Path(FOLDER).rglob(MACE))):
        pytest.skip(f"{MACE} is not in PESBENCH_WEIGHTS")
    return measured("mace-mp-0-small", "--engines", "torch-sim,symmetrix")


def of(found, name):
    (engine,) = (one for one in found["engines"] if one["engine"] == name)
    return engine


def test_torch_sim_gives_the_answers_of_mace(of_mace):
    engine = of(of_mace, "torch-sim")
    assert engine["same_answers"] is True
    assert engine["settings"]["cutoff"] == 6.0
    (mine,), (theirs,) = engine["systems"], of_mace["reference"]["systems"]
    assert (mine["driver"], theirs["driver"]) == ("torch-sim", "ASE")
    for one in (mine, theirs):
        assert 0 < one["driver_ms_per_step"]["estimate"] < one["ms_per_call"]["estimate"]


def test_symmetrix_gives_the_answers_of_mace(of_mace):
    engine = of(of_mace, "symmetrix")
    assert engine["same_answers"] is True
    assert engine["conversion_s"] > 0
    assert engine["settings"]["cutoff"] == 6.0
    (system,) = engine["systems"]
    assert system["edges"] > 0
    assert 0 <= system["lists_per_call"] < 1
