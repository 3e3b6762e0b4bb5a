"""Runs of md on crystals and slabs, as a user types them: verdict, temperature, notes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.constraints import FixAtoms
from ase.io import write

import bench
from bench.protocols.md.plan import structure_of
from bench.protocols.md.record import Trajectory

METALS = Path(__file__).parents[1] / "fakes" / "metals.py"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("crystals") / "metals.xyz"
    crystal = bulk("Al", cubic=True)
    crystal.rattle(0.05, seed=1)
    slab = fcc111("Al", (2, 2, 3), vacuum=6.0)
    slab.set_constraint(FixAtoms(mask=slab.get_tags() == 3))
    crystal.info, slab.info = {"name": "aluminium"}, {"name": "slab"}
    write(path, [crystal, slab])
    return path


@pytest.mark.parametrize(("system", "motions"), [("aluminium", 9), ("slab", 24)])
def test_md_of_a_crystal_and_of_a_slab_with_fixed_atoms(pesbench, file, tmp_path, system, motions):
    done = pesbench(
        *("run", "--adapter", METALS, "--methods", "emt", "--structures", file, "--systems", system),
        *("--protocols", "md", "--duration", "6", "--nvt-duration", "5", "--time-step", "4", "--temperature", "300"),
        *("--limit", "2", "--threads", "1", "--rounds", "1", "--budget", "120", "--output", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert "compared with those in each method's own minimum" in " ".join(done.stdout.split())
    table = json.loads(pesbench("table", next(tmp_path.iterdir()), "--protocols", "md", "--json").stdout)
    (row,) = table["rows"]
    assert row["refused"] is None
    assert row["periodic"] is True
    assert [one["survival"]["ended"] for one in row["ensembles"]] == [0, 0]
    assert row["temperature"] == pytest.approx(300.0, rel=0.15)
    (element,) = row["temperatures"].values()
    moving = 4 if system == "aluminium" else 8
    assert element == pytest.approx(row["temperature"] * motions / (3 * moving), rel=1e-6)
    assert abs(row["drift"]) < 0.1
    assert row["rigid_share"] < 1e-9
    assert row["rotation"] is row["net_torque"] is row["distribution"] is None
    assert row["verdict"] in ("pass", "warn")


@pytest.fixture(scope="module")
def of_several(pesbench, tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    crystal, water = bulk("Al", cubic=True), molecule("H2O")
    ion = Atoms("OH", positions=[(0, 0, 0), (0, 0, 0.97)])
    crystal.info, water.info, ion.info = {"name": "aluminium"}, {"name": "water"}, {"name": "hydroxide", "charge": -1}
    write(folder / "mixed.xyz", [water, crystal, ion, molecule("H")])
    done = pesbench(
        *("run", "--adapter", METALS, "--methods", "emt,gfn2-xtb", "--structures", folder / "mixed.xyz"),
        *("--protocols", "md", "--duration", "0.6", "--nvt-duration", "0.6", "--time-step", "1", "--limit", "2"),
        *("--temperature", "300", "--threads", "1", "--rounds", "2", "--budget", "200", "--output", folder / "runs"),
    )
    assert done.returncode == 0, done.stderr
    return next((folder / "runs").iterdir())


@pytest.mark.environment
def test_md_of_several_systems_has_a_row_for_each_and_a_verdict_for_each_method(of_several, pesbench):
    table = json.loads(pesbench("table", of_several, "--protocols", "md", "--json").stdout)
    rows = {(row["method"], row["system"]): row for row in table["rows"]}
    assert rows.keys() == {("emt", "water"), ("emt", "aluminium"), ("gfn2-xtb", "water"), ("gfn2-xtb", "hydroxide")}
    assert [rows["emt", name]["periodic"] for name in ("water", "aluminium")] == [False, True]
    for row in rows.values():
        assert row["expected_temperature"] == 300.0
        assert row["examined"] == 1
        assert sum(one["simulated_ps"] for one in row["ensembles"]) == pytest.approx(2.4)
    methods = {one["method"]: one for one in table["methods"]}
    assert methods["emt"]["systems"].keys() == {"water", "aluminium"}
    assert methods["gfn2-xtb"]["systems"].keys() == {"water", "hydroxide"}
    for name, one in methods.items():
        verdicts = [row["verdict"] for (method, _), row in rows.items() if method == name]
        assert one["verdict"] == max(verdicts, key=("pass", "warn", "fail").index)
        assert all(reason.partition(": ")[0] in one["systems"] for reason in one["reasons"])
    shown = pesbench("table", of_several, "--protocols", "md", COLUMNS="120").stdout
    assert "Does it hold the systems together?" in shown
    assert "GFN2-xTB (tblite), hydroxide" in shown


@pytest.mark.environment
def test_each_trajectory_says_of_which_system_it_is_and_has_a_file_of_its_own(of_several):
    records = bench.load(of_several).contents.of(Trajectory)
    assert {one.structure for one in records if one.method == "emt"} == {0, 1}
    assert {one.structure for one in records if one.method == "gfn2-xtb"} == {0, 2}
    assert {structure_of(one.trajectory) for one in records} == {0, 1, 2}
    assert len({one.file for one in records}) == len(records)
    atoms = {0: 3, 1: 4, 2: 2}
    for one in records:
        assert bench.load(of_several).trajectory(one.file).positions.shape[1] == atoms[one.structure]


@pytest.mark.environment
def test_the_page_of_several_systems_has_the_section(of_several, pesbench):
    done = pesbench("report", of_several, "--output", of_several / "page.html")
    assert done.returncode == 0, done.stderr
    assert "Does it hold the systems together?" in (of_several / "page.html").read_text()
