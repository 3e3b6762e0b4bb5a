"""Real methods, measured by a user's own command: real packages, real weights, real molecules."""

import json
import shutil

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

import bench

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def run(real_run):
    return real_run


def measured(run):
    return [name for name in run.methods.method if name != "sevennet-mf-ompa"]


def test_every_method_relaxes_the_molecule(run):
    for method in measured(run):
        mine = run.structures[run.structures.method == method]
        assert mine.status.tolist() == ["converged"], mine[["method", "status", "message"]]
        assert (mine.steps > 5).all()


def test_bfgs_makes_one_force_call_a_step_and_one_before_the_first(run):
    for method in set(measured(run)) - {"uff"}:
        mine = run.structures[run.structures.method == method]
        assert (mine.force_calls == mine.steps + 1).all(), method


def test_open_babels_own_optimiser_ends_where_the_force_field_does(run):
    energies = run.structures[run.structures.method == "uff"].energy
    kilojoule_per_mol = 96.485
    assert (energies * kilojoule_per_mol).tolist() == pytest.approx([91.05], abs=0.1)
    under_ase = run.structures[run.structures.method == "uff-ase"].energy
    assert energies.to_numpy() == pytest.approx(under_ase.to_numpy(), abs=2e-3)


def test_every_method_finds_naphthalenes_bonds(run):
    for method in measured(run):
        for positions in run.structures[run.structures.method == method].positions:
            lengths = Atoms("C10H8", positions).get_all_distances()
            carbon, mixed = lengths[:10, :10], lengths[:10, 10:]
            assert np.sort(carbon[np.triu_indices(10, 1)])[:11] == pytest.approx(1.40, abs=0.06), method
            assert mixed.min(axis=0) == pytest.approx(1.09, abs=0.02), method


def test_the_parameter_counts_are_the_published_ones(run):
    counts = {record.method: record.parameters for record in run.contents.started}
    published = {"7net-0": 842_440, "7net-l3i5": 1_171_144, "so3lr": 529_852, "nequix-mp-1": 707_658}
    published |= {"ani-1ccx": 8 * 326_660, "chgnet-0.3.0": 412_525, "mace-mp-0-small": 3_847_696}
    for method in set(published) & set(counts):
        assert counts[method] == published[method]


# energy and rms force component of the first structure, eV and eV/Angstrom, from one run; and their tolerance
KNOWN = {
    "ani-1ccx": (-10485.304363, 1.278566, 1e-5),
    "chgnet-0.3.0": (-117.78656, 1.302329, 2e-3),
    "mace-mp-0-small": (-118.56521, 1.267345, 2e-3),
    "orb-d3-xs-v2": (-118.58755, 1.257833, 2e-3),
}


@pytest.mark.parametrize("method", KNOWN)
def test_a_model_gives_the_energy_and_forces_that_it_gave_before(run, method):
    if method not in set(run.methods.method):
        pytest.skip(f"the checkpoint of {method} is not in PESBENCH_WEIGHTS")
    (answer,) = run.answers[(run.answers.method == method) & (run.answers.structure == 0)].itertuples()
    energy, rms, tolerance = KNOWN[method]
    assert answer.energy == pytest.approx(energy, abs=tolerance)
    assert np.sqrt(np.mean(answer.forces**2)) == pytest.approx(rms, abs=tolerance)


def test_one_thread_is_one_thread(run):
    for record in run.contents.started:
        assert {pool["num_threads"] for pool in record.thread_pools} <= {1}, record.method


def test_a_checkpoint_that_is_not_here_is_a_row_that_says_how_to_get_it(run):
    row = run.methods.set_index("method").loc["sevennet-mf-ompa"]
    assert row.failure == "no-weights"
    assert "'pesbench prepare sevennet-mf-ompa --trust-checkpoint' fetches it" in row.message


def test_two_programs_relax_water_to_the_same_molecule_with_the_same_functional(pesbench, tmp_path):
    water = Atoms("OH2", [(0, 0, 0), (0.80, 0.60, 0), (-0.75, 0.62, 0.05)])
    write(tmp_path / "water.xyz", water, format="extxyz")
    methods = ["pbe0-def2-svp"] + (["pbe0-def2-svp-nwchem"] if shutil.which("nwchem") else [])
    done = pesbench(
        *(
            "run",
            "--no-repeats",
            "--methods",
            ",".join(methods),
            "--structures",
            tmp_path / "water.xyz",
            "--rounds",
            "1",
        ),
        *("--threads", "1", "--budget", "none", "--output", tmp_path / "results", "--json"),
    )
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row for row in json.loads(done.stdout)["rows"]}
    assert all(rows[method]["structures"] == {"done": 1, "total": 1} for method in methods)
    run = bench.load(tmp_path / "results")
    shapes = {}
    for method in methods:
        (positions,) = run.structures[run.structures.method == method].positions
        relaxed = Atoms("OH2", positions)
        shapes[method] = (relaxed.get_distance(0, 1), relaxed.get_distance(0, 2), relaxed.get_angle(1, 0, 2) / 57.3)
        assert shapes[method][:2] == pytest.approx((0.96, 0.96), abs=0.01)
    if len(methods) == 1:
        pytest.skip("nwchem is not on PATH: only PySCF relaxed the molecule")
    assert shapes["pbe0-def2-svp"] == pytest.approx(shapes["pbe0-def2-svp-nwchem"], abs=4e-3)


# the nine models of the published table; in CI none of their checkpoints can be had but one
TABLE_1 = {
    "mace-mh-1": 6_439_878,
    "grace-2l-oam": 12_597_516,
    "mattersim-v1-5m": 4_549_142,
    "eqv2-m": 86_590_000,
    "orb-v3": 25_510_000,
    "sevennet-mf-ompa": 25_734_966,
    "uma-s-1p2": 291_500_000,
    "nequix-mp-1": 707_658,
    "pet-mad-1.5-s": 25_924_122,
}
TAKES_ALL = "sevennet-mf-ompa"
"""Its table of elements is the periodic one."""


@pytest.mark.parametrize("name", TABLE_1)
def test_every_model_of_the_published_table_can_be_timed_with_random_weights(pesbench, random_run, name):
    done = pesbench("table", random_run(name).directory, "--format", "json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["paper"], row["weights"], row["protocol"]) == (name, "random", "replay")
    assert row["parameters"] == pytest.approx(TABLE_1[name], rel=1e-3)
    assert row["structures"] == {"done": 1 + (name == TAKES_ALL), "total": 2}
    # along a replayed path the optimiser makes its update, so a step takes longer than its force call
    assert 0 < row["calculator_ms_per_call"]["estimate"] < row["ms_per_step"]["estimate"]


@pytest.mark.parametrize("name", TABLE_1)
def test_an_element_that_the_model_does_not_know_is_a_failure_of_that_molecule_alone(random_run, name):
    replays = random_run(name).replays.set_index("structure")
    assert replays.status[0] == "converged"
    assert replays.failure[1] in ((None,) if name == TAKES_ALL else ("calculator", "elements"))
