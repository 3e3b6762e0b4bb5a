"""Runs of md on crystals and slabs, as a user types them: verdict, temperature, notes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ase.build import bulk, fcc111
from ase.constraints import FixAtoms
from ase.io import write

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
