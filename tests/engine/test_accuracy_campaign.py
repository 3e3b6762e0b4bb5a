"""Accuracy through real workers, over the fakes: single points, the minimum, labels from a run, and the table."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.build import molecule
from rich.console import Console

from bench.core.description import ParallelSpeed
from bench.core.records import Finished, NotMeasured
from bench.core.settings import Settings
from bench.core.task import Item
from bench.data import references, rmd17
from bench.data.structures import MD17, Wanted, load_dataset
from bench.engine.display import PlainProgress
from bench.engine.runner import Campaign
from bench.engine.schedule import items
from bench.environments.catalogue import Catalogue
from bench.errors import BadInput
from bench.protocols.accuracy.read import read as truths
from bench.protocols.accuracy.record import SinglePoint, Vibrations
from bench.protocols.relax.record import Relaxation
from bench.render.shown import SHOWN
from bench.results import labels, store, tables
from bench.results.dataframes import load

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
COUNT = 8
PBE = {"functional": "PBE", "basis": "def2-SVP", "dispersion": "none"}
PBE0 = {"functional": "PBE0", "basis": "def2-SVP", "dispersion": "none"}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """Keep the labels of the user's cache out of the tests, and those of the tests out of the cache."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PESBENCH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Return methanol and distorted copies of it: a molecule of which pesbench ships no labels."""
    images = [molecule("CH3OH") for _ in range(COUNT)]
    for number, image in enumerate(images[1:]):
        image.rattle(0.05, seed=number)
    path = tmp_path_factory.mktemp("structures") / "methanol.xyz"
    ase.io.write(path, images, format="extxyz", columns=["symbols", "positions"])
    return load_dataset(path)


def settings_of(*methods, **changes):
    fields = {"protocols": ("accuracy",), "rounds": 2, "repeats": False, "budget_s": dict.fromkeys(methods)}
    return Settings(methods=methods, **{**fields, **changes})


def measure(directory, dataset, settings, adapter=FAKES):
    """Run a campaign, or go on with it; returns what was said and the records."""
    said = io.StringIO()
    progress = PlainProgress(settings, Console(file=said, width=200))
    campaign = Campaign(directory, settings, Catalogue([adapter]), dataset, progress, ParallelSpeed(1, 1.0))
    campaign.resume() if directory.exists() else campaign.begin()
    campaign.run()
    return said.getvalue(), store.read(directory)


@pytest.fixture(scope="module")
def both(tmp_path_factory, dataset):
    """Return what relax and accuracy measured together, in two rounds."""
    directory = tmp_path_factory.mktemp("both") / "run"
    settings = settings_of("toy", "direct", "architecture", protocols=("relax", "accuracy"), limit=4)
    return directory, *measure(directory, dataset, settings)


def of(contents, kind, method):
    return [one for one in contents.of(kind) if one.method == method]


def test_single_points_and_vibrations_are_planned_once_and_relaxations_in_each_round():
    settings = settings_of("toy", protocols=("relax", "accuracy"), limit=2)
    single = [Item("single-point", 0), Item("single-point", 4)]
    first, second = (items(settings, "none", [0, 4, 2], number) for number in (0, 1))
    assert first == [Item("relax", 0), Item("relax", 4), *single, Item("vibrations", 0)]
    assert second == [Item("relax", 4), Item("relax", 0)]
    without = dataclasses.replace(settings, vibrations=False, protocols=("accuracy",))
    assert items(without, "none", [0, 4, 2], 0) == single


def test_each_structure_is_measured_once_and_in_the_first_round(both):
    for name in ("toy", "direct"):
        points, vibrations = of(both[2], SinglePoint, name), of(both[2], Vibrations, name)
        assert sorted(one.structure for one in points) == sorted({one.structure for one in points})
        assert len(points) == 4
        assert {(one.round, one.status) for one in points} == {(0, "done")}
        assert [one.round for one in vibrations] == [0]
        assert len(of(both[2], Relaxation, name)) == 8


def test_the_answers_are_those_of_the_springs_at_the_structures(both, dataset):
    rest = dataset.reference.get_all_distances()
    for point in of(both[2], SinglePoint, "toy"):
        stretch = dataset.atoms[point.structure].get_all_distances() - rest
        assert point.energy == pytest.approx(1.25 * (stretch**2).sum(), abs=1e-9)
        assert np.array(point.forces).shape == (6, 3)
    (vibrations,) = of(both[2], Vibrations, "toy")
    assert (vibrations.status, vibrations.source, vibrations.force_calls) == ("converged", "central differences", 36)
    assert vibrations.energy == pytest.approx(0.0, abs=1e-6)


def test_random_weights_are_relaxed_and_compared_with_nothing(both):
    for kind in (SinglePoint, Vibrations):
        assert of(both[2], kind, "architecture") == []
    assert "architecture: random weights" in both[1]
    row = next(row for row in tables.shown_as(both[0], "accuracy").rows if row.method == "architecture")
    assert row.refused == "random weights, whose energies mean nothing"


def test_without_vibrations_there_are_single_points_only_and_a_resumed_run_adds_the_minimum(tmp_path, dataset):
    settings = settings_of("toy", limit=2, vibrations=False)
    _, contents = measure(tmp_path / "run", dataset, settings)
    assert len(contents.of(SinglePoint)) == 2
    assert contents.of(Vibrations) == []
    assert contents.of(Relaxation) == []
    more = dataclasses.replace(settings, limit=3, vibrations=True)
    _, again = measure(tmp_path / "run", dataset, more)
    assert [one.structure for one in again.of(SinglePoint)][:2] == [one.structure for one in contents.of(SinglePoint)]
    assert again.of(SinglePoint)[:2] == contents.of(SinglePoint), "what was measured is not measured again"
    assert len(again.of(SinglePoint)) == 3
    assert len(again.of(Vibrations)) == 1
    before = len(again.records)
    said, last = measure(tmp_path / "run", dataset, more)
    assert (len(last.records), said) == (before, ""), "no worker starts where nothing is missing"


def test_a_budget_leaves_single_points_that_a_larger_one_measures(tmp_path, dataset):
    settings = settings_of("slow", rounds=1, budget_s={"slow": 0.12})
    _, first = measure(tmp_path / "run", dataset, settings)
    points = first.of(SinglePoint)
    assert 1 <= len(points) < COUNT
    assert {one.status for one in points} == {"done"}
    assert all(one.hessian is None and one.status == "censored" for one in first.of(Vibrations))
    _, second = measure(tmp_path / "run", dataset, dataclasses.replace(settings, budget_s={"slow": None}))
    assert second.of(SinglePoint)[: len(points)] == points
    assert {one.structure for one in second.of(SinglePoint)} == set(range(COUNT))
    (vibrations,) = second.of(Vibrations)
    assert vibrations.status == "converged"


def test_a_structure_that_fails_is_a_record_and_the_others_have_answers(tmp_path, dataset):
    _, contents = measure(tmp_path / "run", dataset, settings_of("always-fails"))
    failed = [one for one in contents.of(SinglePoint) if one.status == "failed"]
    assert len(contents.of(SinglePoint)) == COUNT
    assert len(failed) == 3  # the fake is right five times after its warm-up
    assert {one.failure.kind for one in failed} == {"calculator"}
    assert [one.failure.kind for one in contents.of(Vibrations)] == ["calculator"]
    (row,) = tables.shown_as(tmp_path / "run", "accuracy").rows
    assert row.failures == {"calculator": 3}


def test_a_worker_that_dies_loses_one_structure_and_then_its_minimum(tmp_path, dataset):
    enough = "if self.starts < 7:\n"
    text = FAKES.read_text()
    assert text.count(enough) == 1
    # four structures, then the fifth in a first worker; three and the minimum, then its last call, in a second one
    (tmp_path / "fakes.py").write_text(text.replace(enough, "if self.starts < 6:\n"))
    _, contents = measure(tmp_path / "run", dataset, settings_of("dies"), tmp_path / "fakes.py")
    points = contents.of(SinglePoint)
    assert [one.status for one in points].count("done") == COUNT - 1
    assert [one.failure.kind for one in points if one.failure] == ["crash"]
    (vibrations,) = contents.of(Vibrations)
    assert (vibrations.status, vibrations.failure.kind) == ("failed", "crash")
    assert contents.of(NotMeasured) == [], "its answers still count"
    assert contents.of(Finished) == []


def test_a_worker_that_dies_in_its_hessian_loses_that_and_no_structure_that_was_left_out(tmp_path, dataset):
    slow = 'if self.method == "slow":\n'
    dies = "            if self.calls > 3:\n                os.kill(os.getpid(), signal.SIGSEGV)\n"
    text = FAKES.read_text()
    assert text.count(slow) == 1
    settings = settings_of("slow", rounds=1, budget_s={"slow": 10.0})
    # five are quick, and one takes more than half of the budget
    (tmp_path / "fakes.py").write_text(
        text.replace(slow, slow + dies).replace("time.sleep(0.05)", "time.sleep(5.2 if self.starts == 7 else 0.01)")
    )
    _, contents = measure(tmp_path / "run", dataset, settings, tmp_path / "fakes.py")
    (vibrations,) = contents.of(Vibrations)
    assert (vibrations.status, vibrations.failure.kind) == ("failed", "crash")
    assert {one.status for one in contents.of(SinglePoint)} == {"done"}


@pytest.fixture(scope="module")
def labelled(both, tmp_path_factory, dataset):
    """Return a run of two methods after labels were made by the same two: springs, and springs with a swirl."""
    folder, told = tmp_path_factory.mktemp("labels"), []
    for name, level, theory in (("toy", "pbe-toy", PBE), ("direct", "pbe0-toy", PBE0)):
        measure(folder / name, dataset, settings_of(name, limit=4, rounds=1))
        told += labels.write(folder / name, level, theory, dataset.reference, references.own_folder())
    made = references.minima_of(dataset.reference)["pbe-toy"]  # the swirl has no minimum; this one is stiffer
    stiffer = dataclasses.replace(made.origin, level="pbe0-toy", theory=PBE0)
    references.write_minimum(
        references.own_folder(), dataclasses.replace(made, origin=stiffer, hessian=1.21 * made.hessian)
    )
    return both[0], told


def test_labels_from_a_run_are_read_as_references_of_its_data_set(labelled, both, dataset):
    assert [line.partition(".json")[2].partition(": ")[2] for line in labelled[1]] == [
        f"energies and forces of 4 of {COUNT} structures",
        "the minimum and its Hessian",
        f"energies and forces of 4 of {COUNT} structures",
        "",
    ]
    assert labelled[1][-1] == "no minimum: its forces did not vanish"
    found = references.labels_of(dataset.name, dataset.digest)
    assert set(found) == {"pbe-toy", "pbe0-toy"}
    assert found["pbe-toy"].origin.theory == PBE
    assert set(found["pbe-toy"].origin.versions) == {"ase", "numpy"}
    for point in of(both[2], SinglePoint, "toy"):
        assert found["pbe-toy"].energies[point.structure] == pytest.approx(point.energy, abs=1e-6)
        assert found["pbe-toy"].forces[point.structure] == pytest.approx(np.array(point.forces), abs=1e-5)
    (vibrations,) = of(both[2], Vibrations, "toy")
    minimum = references.minima_of(dataset.reference)["pbe-toy"]
    symmetric = (np.array(vibrations.hessian) + np.array(vibrations.hessian).T) / 2
    assert minimum.hessian == pytest.approx(symmetric, abs=1e-4)


def test_a_run_without_answers_makes_no_labels(tmp_path, dataset):
    measure(tmp_path / "run", dataset, settings_of("fails-to-load"))
    assert labels.write(tmp_path / "run", "pbe-toy", PBE, dataset.reference, tmp_path / "labels") == []
    assert not (tmp_path / "labels").exists()


@pytest.fixture
def document(labelled):
    text = SHOWN["accuracy"].render(tables.shown_as(labelled[0], "accuracy"), "json")
    return json.loads(text)


def shape(value):
    """Return the keys of nested objects; names of levels count as keys."""
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None


INTERVAL = dict.fromkeys(("estimate", "low", "high"))
PROMISED_LEVELS = ["pbe-toy", "pbe0-toy"]
PROMISED = {
    "references": {"force_mae_mev_per_angstrom": INTERVAL, "force_rmse_mev_per_angstrom": INTERVAL}
    | {"energy_mae_mev": INTERVAL, "structures": None},
    "geometry": dict.fromkeys(("cc_bond_mae_mangstrom", "ch_bond_mae_mangstrom")),
    "frequencies": dict.fromkeys(("rmsd_cm1", "largest_cm1", "modes", "imaginary", "hessian_seconds")),
}


def holds(found, promised):
    """Tell whether an object has the promised keys at each depth."""
    return all(key in found and (inner is None or holds(found[key], inner)) for key, inner in promised.items())


def test_the_json_has_the_keys_that_scripts_rely_on(document):
    rows = {row["method"]: row for row in document["rows"]}
    assert list(rows) == ["toy", "direct", "architecture"]
    for name in ("toy", "direct"):
        assert "theory" in rows[name]
        for part, promised in PROMISED.items():
            assert list(rows[name][part]) == PROMISED_LEVELS
            for found in rows[name][part].values():
                assert holds(shape(found), promised), (part, found)
        assert rows[name]["nearest_minimum"] in PROMISED_LEVELS
        assert {"stability", "no_minimum"} <= rows[name].keys()
    (pair,) = document["floor"]
    assert holds(shape(pair), {"a": None, "b": None, "force_mae_mev_per_angstrom": INTERVAL})
    assert (pair["a"], pair["b"]) == ("pbe-toy", "pbe0-toy")


def test_the_errors_are_those_of_the_swirl(document, dataset):
    rows = {row["method"]: row for row in document["rows"]}
    swirl = [
        1000 * 0.004 * np.abs(np.cross((0, 0, 1), atoms.positions - atoms.positions.mean(axis=0))).mean()
        for atoms in (dataset.atoms[i] for i in (0, 2, 4, 6))
    ]
    expected = pytest.approx(np.mean(swirl), rel=0.01)

    def mae(method, level):
        return rows[method]["references"][level]["force_mae_mev_per_angstrom"]["estimate"]

    assert mae("toy", "pbe-toy") == pytest.approx(0.0, abs=0.01)
    assert mae("direct", "pbe0-toy") == pytest.approx(0.0, abs=0.01)
    assert mae("toy", "pbe0-toy") == expected
    assert mae("direct", "pbe-toy") == expected
    assert document["floor"][0]["force_mae_mev_per_angstrom"]["estimate"] == expected
    assert document["spread_mev_per_angstrom"] is None, "toys do not say how far theories differ"
    assert document["spread"] is None
    (one, _) = document["minima"]
    assert one["level"] == "pbe-toy"
    assert one["hessian_source"] == "central differences"
    assert rows["toy"]["references"]["pbe-toy"]["structures"] == 4
    assert rows["toy"]["frequencies"]["pbe-toy"]["modes"] == 12
    assert rows["toy"]["frequencies"]["pbe-toy"]["rmsd_cm1"] == pytest.approx(0.0, abs=1.0)
    own = np.array(rows["toy"]["minimum"]["wavenumbers_cm1"])
    assert rows["toy"]["frequencies"]["pbe0-toy"]["rmsd_cm1"] == pytest.approx(0.1 * np.sqrt((own**2).mean()), rel=0.01)
    assert rows["architecture"]["refused"] == "random weights, whose energies mean nothing"


def test_the_accuracy_is_rendered_in_all_formats_and_fits_a_narrow_terminal(labelled):
    table = tables.shown_as(labelled[0], "accuracy")
    shown = SHOWN["accuracy"]
    assert shown.formats == ("terminal", "markdown", "latex", "csv", "json")
    narrow = shown.render(table, "terminal", width=80)
    assert max(map(len, narrow.splitlines())) <= 80
    for words in ("How far are its forces from the level that matches its own?", "The floor", "direct forces", "PBE0"):
        assert words in narrow
    assert "not compared: random weights" in " ".join(narrow.split())
    for form in shown.formats:
        assert "springs between all atoms" in " ".join(shown.render(table, form).split()) or form == "csv"
    lines = shown.render(table, "csv").splitlines()
    assert len(lines) == 1 + 2 * 2 + 1
    assert lines[0].startswith("method,device,")
    rows = [*csv.DictReader(lines)]
    assert "nearest" not in rows[0]
    nearest = {row.method: row.nearest for row in table.rows}
    verdicts = {row.method: row.verdict or "" for row in table.rows}
    for row in rows:
        assert row["verdict"] == (verdicts[row["method"]] if row["reference"] == nearest[row["method"]] else "")
    assert not any(row["verdict"] for row in rows), "toys do not say how far theories differ"


def test_labels_that_cannot_be_read_leave_the_times_and_are_named(labelled, dataset):
    path = references.own_folder() / references.key(dataset.name, dataset.digest) / "pbe-toy.jsonl"
    text = path.read_text()
    said = []
    try:
        path.write_text("damaged")
        rows = tables.table_of(labelled[0], said.append).rows
        with pytest.raises(BadInput, match="is not a file of reference labels"):
            tables.shown_as(labelled[0], "accuracy")
    finally:
        path.write_text(text)
    assert [row.measured for row in rows if row.method == "toy"] == [True]
    assert len(said) == 1
    assert said[0].startswith("the results of accuracy are left out: ")
    assert str(path) in said[0]


def test_random_weights_alone_are_not_measured_and_say_why(tmp_path, dataset):
    said, contents = measure(tmp_path / "run", dataset, settings_of("architecture"))
    assert "it has only random weights" in said
    assert {type(one) for one in contents.records} == {NotMeasured}
    (row,) = tables.shown_as(tmp_path / "run", "accuracy").rows
    assert row.refused == "it has only random weights, whose energies mean nothing"


def test_the_labels_of_rmd17_check_a_run_over_its_frames_by_their_names(tmp_path, dataset, monkeypatch):
    frames = dataclasses.replace(dataset, name=MD17, labels=tuple(str(3250 * i) for i in range(COUNT)))
    measure(tmp_path / "run", frames, settings_of("toy", limit=2, rounds=1, vibrations=False))
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path / "cache"))  # the same structures have labels in the other
    known = {3250 * i: (-float(i), np.full((6, 3), float(i))) for i in (0, 4)}
    monkeypatch.setattr(rmd17, "labels", lambda cache, wanted: {i: known[i] for i in wanted if i in known})
    (found,) = truths(load(tmp_path / "run"))
    control = next(level for level in found.levels if level.control)
    assert (control.name, control.theory["functional"], control.label) == ("rMD17", "PBE", "PBE/def2-SVP (rMD17)")
    assert control.energies == {0: 0.0, 4: -4.0}
    assert control.forces[4][0, 0] == 4.0
    (row,) = tables.shown_as(tmp_path / "run", "accuracy").rows
    assert row.refused == "no structure of the run has labels", "it is no reference"

    def damaged(cache, wanted):
        raise BadInput("one.npz has other contents; delete or replace it.")

    monkeypatch.setattr(rmd17, "labels", damaged)
    (found,) = truths(load(tmp_path / "run"))
    assert found.levels == ()
    assert found.missing.startswith(f"There are no reference labels for {MD17}")
    assert found.missing.endswith("rMD17's labels are left out: one.npz has other contents; delete or replace it.")


def test_the_command_line_shows_the_accuracy_that_it_measured(pesbench, tmp_path, cache):
    images = [molecule("CH3OH"), molecule("CH3OH")]
    images[1].rattle(0.05, seed=1)
    ase.io.write(tmp_path / "two.xyz", images, format="extxyz", columns=["symbols", "positions"])
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy", "--structures", tmp_path / "two.xyz", "--rounds", "1"),
        *("--protocols", "accuracy", "--threads", "1", "--no-repeats", "--output", tmp_path / "results"),
        PESBENCH_CACHE=str(cache),
    )
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    (directory,) = (tmp_path / "results").iterdir()
    assert len(store.read(directory).of(SinglePoint)) == 2
    assert "There are no reference labels for two.xyz" in " ".join(done.stdout.split())


def test_a_short_part_ends_after_its_seconds_and_leaves_the_budget_alone(tmp_path, dataset):
    short = {"phase_s": {"accuracy": 0.12}, "vibrations": False, "protocols": ("relax", "accuracy"), "rounds": 1}
    settings = settings_of("slow", "architecture", **short, budget_s={"slow": 60.0, "architecture": 60.0})
    said, contents = measure(tmp_path / "run", dataset, settings)
    assert 0 < len(of(contents, SinglePoint, "slow")) < len(dataset.order)
    assert len(of(contents, Relaxation, "slow")) == len(dataset.order)
    assert of(contents, Vibrations, "slow") == of(contents, SinglePoint, "architecture") == []
    assert "not measured by accuracy" not in said
    assert "random weights" not in SHOWN["accuracy"].render(tables.shown_as(tmp_path / "run", "accuracy"), "terminal")


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    """Return a file of water and ethane with labels: the springs' own forces, each component off by a known error."""
    images = []
    for name, error in (("H2O", 0.010), ("C2H6", 0.050)):
        rest = molecule(name)
        for number in range(3):
            image = rest.copy()
            image.info = {"name": name, "REF_energy": 1000.0 * len(rest)}
            if number:
                image.rattle(0.05, seed=number)
            ways = image.positions[None] - image.positions[:, None]
            lengths = np.linalg.norm(ways, axis=-1) + np.eye(len(image))
            stretch = lengths - np.eye(len(image)) - rest.get_all_distances()
            image.info["REF_energy"] += 1.25 * (stretch**2).sum()
            forces = (5.0 * stretch / lengths)[..., None] * ways
            image.arrays["REF_forces"] = forces.sum(axis=1) + error * np.sign(
                np.random.default_rng(number).normal(size=(len(image), 3))
            )
            images.append(image)
    path = tmp_path_factory.mktemp("two") / "two.extxyz"
    ase.io.write(path, images, columns=["symbols", "positions", "REF_forces"])
    return path, Wanted(energy_key="REF_energy", forces_key="REF_forces")


@pytest.fixture(scope="module")
def measured_two(of_two, tmp_path_factory):
    directory = tmp_path_factory.mktemp("measured") / "run"
    settings = settings_of("toy", "only-hydrogen", rounds=1, minima=(0, 3))
    return directory, *measure(directory, load_dataset(of_two[0], wanted=of_two[1]), settings)


def test_two_compositions_of_a_file_have_their_own_errors_and_minima(measured_two):
    found = json.loads(SHOWN["accuracy"].render(tables.shown_as(measured_two[0], "accuracy"), "json"))
    each = {one["system"]: one for one in found["by_system"] if one["method"] == "toy"}
    level = "of-the-file"
    for name, error in (("H2O", 10.0), ("C2H6", 50.0)):
        errors = each[name]["references"][level]
        assert errors["force_mae_mev_per_angstrom"]["estimate"] == pytest.approx(error, abs=0.01)
        assert errors["energy_mae_mev"]["estimate"] == pytest.approx(0.0, abs=0.01)
        assert each[name]["minimum"]["status"] == "converged"
        assert each[name]["ms_per_call"]["estimate"] > 0
    assert len(each["C2H6"]["minimum"]["wavenumbers_cm1"]) == 18
    (row,) = [one for one in found["rows"] if one["method"] == "toy"]
    assert row["references"][level]["force_mae_mev_per_angstrom"]["estimate"] == pytest.approx(30.0, abs=0.01)
    assert (row["references"][level]["systems"], row["references"][level]["structures"]) == (2, 6)
    assert row["minimum"] is None
    assert "There is no reference minimum of any of the systems" in " ".join(found["notes"])


def test_the_records_of_a_system_have_its_structures_and_its_atoms(measured_two):
    for one in of(measured_two[2], SinglePoint, "toy"):
        assert len(one.forces) == (3 if one.structure < 3 else 8)
    minima = {one.molecule: one for one in of(measured_two[2], Vibrations, "toy")}
    assert {number: len(one.positions) for number, one in minima.items()} == {0: 3, 3: 8}


def test_a_method_that_takes_none_of_the_systems_says_why(measured_two):
    rows = {row.method: row for row in tables.shown_as(measured_two[0], "accuracy").rows}
    assert "only-hydrogen" in rows["only-hydrogen"].refused


def test_labels_of_a_system_alone_are_used_in_a_run_of_several(of_two, measured_two, tmp_path):
    path, wanted = of_two
    alone = load_dataset(path, wanted=dataclasses.replace(wanted, systems=("C2H6",)))
    measure(tmp_path / "alone", alone, settings_of("toy", rounds=1, vibrations=False))
    labels.write(tmp_path / "alone", "pbe-alone", PBE, alone.reference, references.own_folder())
    every = truths(load(measured_two[0]))
    assert [[level.name for level in one.levels] for one in every] == [["of-the-file"], ["of-the-file", "pbe-alone"]]
    assert set(every[1].levels[1].forces) == {3, 4, 5}
    rows = {row.method: row for row in tables.shown_as(measured_two[0], "accuracy").rows}
    assert rows["toy"].references["pbe-alone"].force_mae.estimate == pytest.approx(0.0, abs=0.01)
    assert rows["toy"].nearest == "of-the-file", "it has both systems"
