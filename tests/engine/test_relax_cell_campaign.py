"""Runs with --relax-cell, as a user types them: records, table, optimisers, scripts, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, fcc111, molecule
from ase.io import read, write

import bench

METALS = Path(__file__).parents[1] / "fakes" / "metals.py"
LATTICE = {"Cu": 3.590, "Al": 3.994}  # EMT's own, Angstrom
HERE = ("--threads", "1", "--rounds", "1", "--no-repeats")


def metal(symbol, constant):
    atoms = bulk(symbol, cubic=True, a=constant)
    atoms.rattle(0.03, seed=1)
    return atoms


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metals")
    slab = fcc111("Cu", (1, 1, 3), a=3.7, vacuum=6.0)
    tilted = slab.copy()
    tilted.rotate(30, "x", rotate_cell=True)
    metals = [metal("Cu", 3.7), metal("Al", 4.1)]
    write(folder / "mixed.xyz", [*metals, slab, molecule("C2H6")])
    write(folder / "copper.xyz", metals[:1])
    write(folder / "molecule.xyz", [molecule("C2H6")])
    write(folder / "tilted.xyz", [tilted])
    return folder


@pytest.fixture(scope="module")
def run(pesbench, files):
    done = pesbench(
        *("run", "--adapter", METALS, "--methods", "emt,emt-no-stress", "--structures", files / "mixed.xyz"),
        *("--relax-cell", "--fmax", "0.01", "--budget", "60", "--output", files / "runs", *HERE),
    )
    assert done.returncode == 0, done.stderr
    assert "cells of periodic systems relax, too" in " ".join(done.stdout.split())
    assert "emt-no-stress (gives no stress): not " in " ".join(done.stdout.split())
    return next((files / "runs").iterdir())


def test_cells_of_periodic_systems_are_in_the_records_and_those_of_molecules_are_not(run):
    records = {(one.method, one.structure): one for one in bench.load(run).contents.relaxations}
    assert records.keys() == {("emt", 0), ("emt", 1), ("emt", 2), ("emt", 3), ("emt-no-stress", 3)}
    for number, symbol in enumerate(("Cu", "Al")):
        lengths = np.linalg.norm(records["emt", number].cell, axis=1)
        assert lengths == pytest.approx([LATTICE[symbol]] * 3, abs=0.005)
    assert records["emt", 2].volume_change < 0
    for method in ("emt", "emt-no-stress"):
        assert records[method, 3].status == "converged"
        assert records[method, 3].cell is records[method, 3].volume_change is None


def test_the_table_has_the_mean_change_and_each_systems_own(run, pesbench):
    records = [one for one in bench.load(run).contents.relaxations if one.cell]
    rows = {one["method"]: one for one in json.loads(pesbench("table", run, "--json").stdout)["rows"]}
    row, other = rows["emt"], rows["emt-no-stress"]
    assert row["volume_change"] == pytest.approx(np.mean([one.volume_change for one in records]))
    assert other["volume_change"] is None
    assert row["doubts"] == []
    shown = pesbench("table", run, "--wide").stdout
    assert f"{100 * row['volume_change']:+.1f} %" in shown
    by_system = json.loads(pesbench("table", run, "--by", "system", "--json").stdout)["rows"]
    mine = {one["system"]: one["volume_change"] for one in by_system if one["method"] == "emt"}
    assert sorted(one for one in mine.values() if one is not None) == pytest.approx(
        sorted(one.volume_change for one in records)
    )
    assert len(mine) == 4


def test_a_run_that_was_cut_off_continues_with_cells(pesbench, files):
    begun = pesbench(
        *("run", "--adapter", METALS, "--methods", "emt", "--structures", files / "mixed.xyz", "--relax-cell"),
        *("--budget", "0.001", "--output", files / "cut", *HERE),
    )
    assert begun.returncode == 0, begun.stderr
    (run,) = (files / "cut").iterdir()
    before = len(bench.load(run).contents.relaxations)
    assert before < 4
    done = pesbench("run", "--resume", run, "--budget", "60", "--adapter", METALS)
    assert done.returncode == 0, done.stderr
    records = bench.load(run).contents.relaxations
    assert {one.structure for one in records} == {0, 1, 2, 3}
    assert {one.structure for one in records if one.cell} >= {0, 1, 2}


def test_optimisers_of_ase_are_compared_with_cells(pesbench, files):
    done = pesbench(
        *("run", "--adapter", METALS, "--methods", "emt", "--structures", files / "copper.xyz", "--relax-cell"),
        *("--optimizers", "BFGS,FIRE2", "--budget", "60", "--output", files / "compared", *HERE),
    )
    assert done.returncode == 0, done.stderr
    (run,) = (files / "compared").iterdir()
    from bench.protocols.optimizers.record import Optimization

    records = bench.load(run).contents.of(Optimization)
    assert {one.optimizer for one in records} == {"BFGS", "FIRE2"}
    for one in records:
        assert one.status == "converged"
        assert np.linalg.norm(one.cell, axis=1) == pytest.approx([LATTICE["Cu"]] * 3, abs=0.002)
        assert one.calls_at_fmax <= one.force_calls


@pytest.mark.parametrize("words", [(), ("--plain", "relax")])
def test_a_script_relaxes_the_cell_as_the_row_does(pesbench, files, tmp_path, words):
    script = tmp_path / "script.py"
    done = pesbench(
        *("script", "emt", "--adapter", METALS, "--structures", files / "mixed.xyz", "--index", "2", "--relax-cell"),
        *("--repeats", "1", "--output", script, *words),
    )
    assert done.returncode == 0, done.stderr
    assert "FrechetCellFilter(atoms, mask=[True, True, False, False, False, True])" in script.read_text()
    ran = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    if words:
        before, after = read(files / "mixed.xyz", index=2), read(tmp_path / "relaxed.xyz")
        assert after.cell.array[0, 0] < before.cell.array[0, 0] - 0.01
        assert after.cell.array[2, 2] == pytest.approx(before.cell.array[2, 2])


@pytest.mark.parametrize(
    ("file", "words", "said"),
    [
        ("molecule.xyz", (), "--relax-cell has no cell to relax: no system is periodic; leave it out."),
        ("tilted.xyz", (), "--relax-cell cannot relax "),
        ("copper.xyz", ("--protocols", "relax,replay"), "--relax-cell belongs to --protocols relax and optimizers"),
        ("copper.xyz", ("--optimizer", "Sella"), "Sella relaxes atoms only; with --relax-cell use one of BFGS, LBFGS"),
        ("copper.xyz", ("--optimizers", "BFGS,Berny"), "Berny relaxes atoms only; with --relax-cell use one of BFGS"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(pesbench, files, file, words, said):
    done = pesbench(
        *("run", "--adapter", METALS, "--methods", "emt", "--structures", files / file, "--relax-cell", *words),
        *("--output", files / "refused"),
    )
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not (files / "refused").exists()


def test_a_method_without_stress_is_named_before_anything_is_loaded(pesbench, files):
    done = pesbench(
        *("run", "--adapter", METALS, "--methods", "emt-no-stress", "--structures", files / "copper.xyz"),
        *("--relax-cell", "--output", files / "none", *HERE),
    )
    assert done.returncode == 1
    assert "emt-no-stress gives no stress, which --relax-cell needs" in " ".join((done.stdout + done.stderr).split())
