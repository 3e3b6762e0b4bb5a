"""Engines of real methods: the same answers as their references."""

import json
import os
from pathlib import Path

import pytest

from bench import cli
from bench.engine import engines

pytestmark = pytest.mark.environment
MACE = "mace_mp_small.model"
FOLDER = os.environ.get("PESBENCH_WEIGHTS")


@pytest.fixture
def measured(monkeypatch, tmp_path, capsys):
    """Return a function that compares a method with its engines, in one round: speeds are tested with fakes."""
    monkeypatch.setattr(engines, "FEWEST_ROUNDS", 1)
    monkeypatch.setattr(engines, "MOST_ROUNDS", 1)

    def run(method, *more):
        words = ("engines", method, "--atoms", "18", "--budget", "20", "--json", "--threads", "1")
        status = cli.main([*words, "--output", str(tmp_path), *more])
        said = capsys.readouterr()
        assert status == 0, said.err
        return json.loads(said.out)

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


@pytest.mark.skipif(not (FOLDER and list(Path(FOLDER).rglob(MACE))), reason=f"{MACE} is not in PESBENCH_WEIGHTS")
def test_torch_sim_gives_the_answers_of_mace(measured):
    found = measured("mace-mp-0-small", "--engines", "torch-sim")
    (engine,) = found["engines"]
    assert engine["same_answers"] is True
    assert engine["settings"]["cutoff"] == 6.0
    (mine,), (theirs,) = engine["systems"], found["reference"]["systems"]
    assert (mine["driver"], theirs["driver"]) == ("torch-sim", "ASE")
    for one in (mine, theirs):
        assert 0 < one["driver_ms_per_step"]["estimate"] < one["ms_per_call"]["estimate"]


@pytest.mark.skipif(not (FOLDER and list(Path(FOLDER).rglob(MACE))), reason=f"{MACE} is not in PESBENCH_WEIGHTS")
def test_symmetrix_gives_the_answers_of_mace(measured):
    (engine,) = measured("mace-mp-0-small", "--engines", "symmetrix")["engines"]
    assert engine["same_answers"] is True
    assert engine["conversion_s"] > 0
    assert engine["settings"]["cutoff"] == 6.0
    (system,) = engine["systems"]
    assert system["edges"] > 0
    assert 0 <= system["lists_per_call"] < 1
