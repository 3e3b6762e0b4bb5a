"""Dynamics through the command line, over the fakes: plan, trajectories, symmetries, table, resume."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms, units
from ase.build import molecule
from scipy.optimize import minimize

import bench
from bench.core.plain import from_plain
from bench.core.settings import MdSettings, Settings
from bench.core.task import Item
from bench.data.naphthalene import is_naphthalene
from bench.engine.coverage import LeftOut
from bench.engine.ledger import Ledger
from bench.errors import BadInput
from bench.paths import PROJECT
from bench.protocols.md.energies import settled
from bench.protocols.md.plan import TrajectoryPlan, in_round, seconds, trajectories
from bench.protocols.md.record import Trajectory
from bench.protocols.md.seeds import mean

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
STRUCTURES = ("--structures", "naphthalene-gfn2")
SHORT = ("--duration", "0.3", "--nvt-duration", "0.3", "--threads", "1", "--no-repeats")


def test_each_seed_has_both_ensembles_and_the_first_one_half_the_time_step_too():
    found = trajectories(MdSettings(seeds=2))
    assert [(one.ensemble, one.seed, one.time_step_fs, one.duration_ps) for one in found] == [
        ("nve", 0, 0.5, 20.0),
        ("nve", 0, 0.25, 0.5),
        ("nvt", 0, 0.5, 30.0),
        ("nve", 1, 0.5, 20.0),
        ("nvt", 1, 0.5, 30.0),
    ]
    assert [one.trajectory for one in found] == [0, 1, 2, 3, 4]
    assert found[0].steps == 40_000


def test_a_new_run_has_half_the_time_step_for_each_seed_and_an_old_one_for_the_first():
    halves = [one.seed for one in trajectories(MdSettings(seeds=3, half_steps=3)) if one.time_step_fs == 0.25]
    assert halves == [0, 1, 2]
    old = from_plain(MdSettings, {"seeds": 3, "temperature_k": 300.0})
    assert [one.seed for one in trajectories(old) if one.time_step_fs == 0.25] == [0]
    assert {one.temperature_of for one in trajectories(old)} == {"velocities"}


def test_azulene_is_no_naphthalene_and_the_order_of_the_atoms_does_not_matter():
    naphthalene = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
    assert is_naphthalene(naphthalene[::-1])
    assert not is_naphthalene(molecule("C6H6"))
    assert is_naphthalene(fused(5))
    assert not is_naphthalene(fused(4)), "a ring of five beside one of seven"


def fused(second, count=18):
    """Return a C10H8 of two rings, whose bonded atoms are close and whose others are not.

    Carbon atoms 0 and `second` are in both rings.
    """
    bonds = [(n, (n + 1) % 10) for n in range(10)] + [(0, second)]
    bonds += [(carbon, 10 + n) for n, carbon in enumerate(c for c in range(10) if c not in (0, second))]
    bonded = np.zeros((count, count), dtype=bool)
    for one, other in bonds:
        bonded[one, other] = bonded[other, one] = True

    def strain(flat):
        points = flat.reshape(count, 3)
        apart = points[:, None] - points
        lengths = np.linalg.norm(apart, axis=-1) + 9.0 * np.eye(count)  # nobody is too close to itself
        excess = np.where(bonded, lengths - 1.2, np.minimum(lengths - 2.2, 0))
        return (excess**2).sum(), 4 * ((excess / lengths)[..., None] * apart).sum(axis=1).ravel()

    start = np.random.default_rng(0).normal(0, 3, 3 * count)
    found = minimize(strain, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    return Atoms("C10H8", positions=found.x.reshape(count, 3))


def test_seeds_are_spread_over_fresh_processes():
    found = trajectories(MdSettings(seeds=5, ensembles=("nvt",)))
    assert [[one.seed for one in in_round(found, r, 3)] for r in range(3)] == [[0, 3], [1, 4], [2]]


def test_a_round_has_its_part_of_the_time_that_is_left():
    short, long = (TrajectoryPlan(0, "nve", 0, 0.5, 500, duration) for duration in (1.0, 3.0))
    assert seconds(100.0, 20.0, [short], [long]) == pytest.approx(20.0)
    assert seconds(100.0, 120.0, [short], [long]) == 0.0
    assert seconds(100.0, 20.0, [long], []) == pytest.approx(80.0)
    assert seconds(None, 20.0, [short], [long]) is None


def test_a_time_step_longer_than_the_trajectory_is_refused():
    with pytest.raises(BadInput, match="femtoseconds"):
        MdSettings(duration_ps=0.001, time_step_fs=2.0)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, pesbench):
    results = tmp_path_factory.mktemp("dynamics")
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,direct,flies-apart,dies-while-it-moves,architecture"),
        *(*STRUCTURES, "--protocols", "relax,md", "--limit", "2", "--rounds", "2", *SHORT, "--duration", "1.5"),
        *("--output", results),
    )
    assert done.returncode == 0, done.stderr
    return done, next(results.iterdir())


@pytest.fixture(scope="module")
def trajectories_of(simulated):
    return bench.load(simulated[1]).trajectories.set_index("method")


def test_every_planned_trajectory_is_a_record_with_a_file_that_ase_reads(simulated, trajectories_of):
    toy = trajectories_of.loc["toy"]
    assert set(toy.status) == {"done"}
    assert sorted(zip(toy.ensemble, toy.seed, toy.time_step_fs, toy["round"], strict=True)) == [
        ("nve", 0, 0.25, 0),
        ("nve", 0, 0.5, 0),
        ("nve", 1, 0.25, 1),
        ("nve", 1, 0.5, 1),
        ("nvt", 0, 0.5, 0),
        ("nvt", 1, 0.5, 1),
    ]
    for file, step, length in zip(toy.file, toy.time_step_fs, toy.duration_ps, strict=True):
        images = ase.io.read(simulated[1] / file, ":", format="netcdftrajectory")
        assert len(images) == round(1000 * length / step / 10) + 1


def test_forces_that_no_energy_has_are_told_apart_by_drift_and_asymmetry(simulated, pesbench):
    rows = table_of(pesbench, simulated[1])
    toy, direct = rows["toy"], rows["direct"]
    assert direct["asymmetry"] > 10 * toy["asymmetry"]
    assert abs(toy["loop"]) < 1e-6 < abs(direct["loop"])
    assert abs(toy["drift"]) < 5 * toy["drift_error"] + 0.05
    assert abs(direct["drift"]) > 10 * abs(toy["drift"])
    assert direct["verdict"] == "fail"
    assert direct["rigid_share"] > 100 * toy["rigid_share"]


def test_atoms_that_fly_apart_are_failures_of_the_method_and_a_verdict(simulated, trajectories_of, pesbench):
    assert set(trajectories_of.loc["flies-apart"].failure) == {"explosion"}
    row = table_of(pesbench, simulated[1])["flies-apart"]
    assert row["verdict"] == "fail"
    assert any("explosion in 2 of 2 NVE trajectories, first at step" in reason for reason in row["reasons"])


def test_a_worker_that_dies_loses_its_trajectories_and_not_its_speed(simulated, trajectories_of, pesbench):
    died = trajectories_of.loc["dies-while-it-moves"]
    assert set(died.failure) == {"crash"}
    assert len(died) == len(trajectories_of.loc["toy"]), "each planned trajectory is a record"
    structures = bench.load(simulated[1]).structures
    assert (structures[structures.method == "dies-while-it-moves"].status == "converged").sum() == 4
    row = table_of(pesbench, simulated[1])["dies-while-it-moves"]
    assert row["verdict"] is None
    assert row["refused"].startswith("crash: died of SIGSEGV")


def test_random_weights_are_replayed_and_not_simulated(simulated, trajectories_of, pesbench):
    assert "architecture" not in trajectories_of.index
    assert "architecture: not measured by md: it has only random weights" in simulated[0].stderr
    row = table_of(pesbench, simulated[1])["architecture"]
    assert row["refused"] == "random weights, whose energies mean nothing"
    assert row["verdict"] is None


def test_the_main_table_has_the_verdict_the_stable_time_and_the_drift(simulated, pesbench):
    wide = pesbench("table", simulated[1], COLUMNS="160").stdout
    line = next(line for line in wide.splitlines() if "springs and a force" in line)
    assert "fail" in line
    assert "> 1.50 (0/2)" in line
    assert " ± " in line


def test_the_stability_table_is_in_all_formats_and_fits_a_narrow_terminal(simulated, pesbench):
    narrow = pesbench("table", simulated[1], "--protocol", "md", COLUMNS="80").stdout
    assert max(map(len, narrow.splitlines())) <= 80
    for words in (
        "Does it hold the molecule together?",
        "not simulated: random weights",
        "distances are compared with",
    ):
        assert words in " ".join(narrow.split())
    for form in ("markdown", "latex", "csv", "json"):
        done = pesbench("table", simulated[1], "--protocol", "md", "--format", form)
        assert done.returncode == 0, done.stderr
        assert "springs between all atoms" in done.stdout
    refused = pesbench("table", simulated[1], "--protocol", "md", "--format", "html")
    assert refused.returncode == 2
    assert "there is no format 'html'" in refused.stderr


def test_the_figure_is_drawn(simulated, pesbench, tmp_path):
    done = pesbench("plot", simulated[1], "--protocol", "md", "--output", tmp_path / "figure")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png", "figure.svg"]


@pytest.fixture(scope="module", params=[("H2", 1), ("H2O", 3)], ids=["H2", "water"])
def small(request, tmp_path_factory, pesbench):
    """A run of a small molecule with a real method, and the number of its internal motions."""
    formula, motions = request.param
    folder = tmp_path_factory.mktemp(formula)
    ase.io.write(folder / "molecule.xyz", molecule(formula), format="extxyz", columns=["symbols", "positions"])
    done = pesbench(
        *("run", "--methods", "uff-ase", "--structures", folder / "molecule.xyz", "--protocols", "md", "--limit", "3"),
        *("--temperature", "300", "--time-step", "0.4", "--duration", "1.2", "--nvt-duration", "3", "--threads", "1"),
        *("--rounds", "1", "--no-repeats", "--budget", "none", "--output", folder / "results"),
    )
    assert done.returncode == 0, done.stderr
    return done, next((folder / "results").iterdir()), motions


@pytest.mark.environment
def test_a_small_molecule_has_the_temperature_that_was_requested(small, pesbench):
    done, directory, motions = small
    run = bench.load(directory)
    for ensemble, tolerance in (("nve", 0.02), ("nvt", 0.0)):
        rows = run.trajectories[(run.trajectories.ensemble == ensemble) & (run.trajectories.time_step_fs == 0.4)]
        contents = [run.trajectory(file) for file in rows.file]
        kinetic = [one.kinetic[settled(len(one.kinetic), one.time_step_fs)].mean() for one in contents]
        found = mean([2 * one / (motions * units.kB) for one in kinetic])
        assert abs(found.value - 300) <= found.half_width + 300 * tolerance, f"{ensemble}: {found}"
    (row,) = table_of(pesbench, directory).values()
    assert row["expected_temperature"] == pytest.approx(300)
    assert row["temperature"] == pytest.approx(300, rel=0.03)
    said = " ".join(done.stdout.split())
    assert "300 K of the internal motions" in said
    assert "were set for naphthalene at 562.5 K of its internal motions; here these have 300 K" in said


def test_naphthalene_has_md17_s_temperature_and_the_head_says_so(simulated, pesbench):
    done = pesbench("table", simulated[1], "--protocol", "md")
    said = " ".join(done.stdout.split())
    assert "500 K over all 3N velocities, as in MD17" in said
    assert "were set for naphthalene" not in said
    assert set(bench.load(simulated[1]).trajectories.temperature_of) == {"velocities"}


def test_a_run_without_dynamics_has_no_stability_table(fake_run, pesbench):
    done = pesbench("table", fake_run, "--protocol", "md")
    assert done.returncode == 2
    assert "has no records of the protocol md" in done.stderr


def test_dynamics_alone_shows_its_own_table_and_a_lost_file_is_named(pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy", *STRUCTURES, "--protocols", "md", "--ensembles", "nve"),
        *("--limit", "1", "--rounds", "1", *SHORT, "--output", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert "Does it keep its energy?" in done.stdout
    run = next(tmp_path.iterdir())
    compared = pesbench("compare", run, shutil.copytree(run, tmp_path / "other" / run.name))
    assert compared.returncode == 2
    assert "nothing in common that was timed" in compared.stderr
    next((run / "trajectories").iterdir()).unlink()
    done = pesbench("table", run)
    assert done.returncode == 2
    assert "the run is incomplete" in done.stderr


def test_random_weights_alone_have_no_dynamics(pesbench, tmp_path):
    arguments = ("run", "--adapter", FAKES, *STRUCTURES, "--protocols", "md", *SHORT, "--output", tmp_path)
    refused = pesbench(*arguments, "--methods", "toy", "--weights", "random")
    assert refused.returncode == 2
    assert "--weights random allows no md" in refused.stderr
    done = pesbench(*arguments, "--methods", "architecture", "--limit", "1", "--rounds", "1")
    assert done.returncode == 1
    assert "it has only random weights" in done.stdout


def test_a_resumed_run_keeps_what_it_could_not_make_longer():
    def cut_off(seconds):
        plan = dataclasses.asdict(trajectories(settings.md)[0])
        return Trajectory("toy", "cpu", 0, **plan, status="censored", steps=5, wall_ns=int(1e9 * seconds), file="")

    settings = Settings(
        methods=("toy",), protocols=("md",), budget_s={"toy": 100.0}, md=MdSettings(seeds=2, ensembles=("nvt",))
    )
    ledger = Ledger(settings)
    planned = [Item("md", 0)]
    ledger.take_up([cut_off(45.0)])
    assert ledger.open(("toy", "cpu"), 0, planned, again=False) == []
    assert ledger.left(("toy", "cpu"), "md") == 55.0
    ledger = Ledger(settings)
    ledger.take_up([cut_off(10.0)])
    assert ledger.open(("toy", "cpu"), 0, planned, again=False) == planned
    assert ledger.left(("toy", "cpu"), "md") == 100.0, "its time is not lost, for it begins anew"


@pytest.fixture
def of_three_systems():
    """Return settings with a trajectory of three systems in each of two rounds, and books without one of them."""
    md = MdSettings(seeds=2, half_steps=0, ensembles=("nvt",), starts=(0, 3, 7))
    settings = Settings(methods=("toy",), protocols=("md",), rounds=2, budget_s={"toy": 90.0}, md=md)
    return settings, Ledger(settings, {"toy": LeftOut(structures=frozenset((3, 4)))})


def test_a_round_has_no_time_for_systems_that_a_method_cannot_take(of_three_systems):
    settings, ledger = of_three_systems
    items = [Item("md", one.trajectory) for one in trajectories(settings.md) if one.seed == 0 and one.structure != 3]
    assert len(items) == 2
    assert ledger.allowance(("toy", "cpu"), 0, "md", items).end_s == pytest.approx(45.0), "half of it, for two of four"


def test_what_was_cut_off_begins_again_by_its_share_among_the_systems_that_a_method_takes(of_three_systems):
    settings, ledger = of_three_systems
    plan = trajectories(settings.md)[0]
    # a quarter of 90 s is 1.6 times as long, a sixth is not
    record = Trajectory(
        "toy", "cpu", 0, **dataclasses.asdict(plan), status="censored", steps=5, wall_ns=int(14e9), file=""
    )
    ledger.take_up([record])
    item = Item("md", plan.trajectory)
    assert ledger.open(("toy", "cpu"), 0, [item], again=False) == [item]


def test_a_larger_budget_goes_on_with_what_the_time_did_not_suffice_for(pesbench, tmp_path):
    arguments = ("--methods", "toy", *STRUCTURES, "--protocols", "md", "--ensembles", "nve", "--limit", "2")
    done = pesbench(
        *("run", "--adapter", FAKES, *arguments, "--rounds", "1", *SHORT, "--budget", "0.5", "--output", tmp_path)
    )
    assert done.returncode == 0, done.stderr
    run = next(tmp_path.iterdir())
    first = bench.load(run).trajectories
    assert "censored" in set(first.status)
    assert " of 0.6" in done.stdout
    again = pesbench("run", "--resume", run, "--budget", "none", "--adapter", FAKES)
    assert again.returncode == 0, again.stderr
    second = bench.load(run).trajectories
    assert set(second.status) == {"done"}
    assert len(second) == len(first)


def test_a_naphthalene_in_another_order_is_compared_with_its_own_structures(pesbench, tmp_path):
    images = ase.io.read(PROJECT / "datasets" / "naphthalene-gfn2.extxyz", ":4")
    order = [*range(9, -1, -1), *range(10, 18)]
    ase.io.write(
        tmp_path / "other.xyz", [image[order] for image in images], format="extxyz", columns=["symbols", "positions"]
    )
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy", "--structures", tmp_path / "other.xyz", "--protocols", "md"),
        *("--ensembles", "nve", "--limit", "1", "--rounds", "1", *SHORT, "--output", tmp_path / "results"),
    )
    assert done.returncode == 0, done.stderr
    assert "each method's own minimum, distances with the 4 structures of the run" in " ".join(done.stdout.split())
    assert "bond broken" not in done.stdout


def table_of(pesbench, run):
    done: subprocess.CompletedProcess = pesbench("table", run, "--protocol", "md", "--format", "json")
    assert done.returncode == 0, done.stderr
    return {row["method"]: row for row in json.loads(done.stdout)["rows"]}
