"""The verb ``reference``: labels at a level of theory, by a fake level in an adapter file of the user."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.build import molecule

from bench.data import references
from bench.data.structures import load_dataset
from bench.protocols.accuracy.record import SinglePoint
from bench.results import store

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
PESBENCH = [sys.executable, "-m", "bench.cli"]
COUNT = 6
THEORY = '{ functional = "PBE", basis = "toy", dispersion = "none", source = "a test" }'


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """Return an adapter file with more levels of theory: the fakes, in the environment that they have already."""
    text = FAKES.read_text()
    for method, level in (("slow", "sluggish"), ("fails-to-load", "broken"), ("always-fails", "bad")):
        heading = f"# [tool.pesbench.methods.{method}]\n"
        assert heading in text
        text = text.replace(heading, f'{heading}# level = "{level}"\n# theory = {THEORY}\n')
    heading = "# [tool.pesbench.methods.dies]\n"
    path = tmp_path_factory.mktemp("adapter") / "fakes.py"
    path.write_text(text.replace(heading, f'{heading}# level = "of-no-theory"\n'))
    return path


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    images = [molecule("CH3OH") for _ in range(COUNT)]
    for number, image in enumerate(images[1:]):
        image.rattle(0.05, seed=number)
    path = tmp_path_factory.mktemp("structures") / "methanol.xyz"
    ase.io.write(path, images, format="extxyz", columns=["symbols", "positions"])
    return path


@pytest.fixture
def reference(pesbench, adapter, structures, tmp_path):
    """Return a function that runs the verb with its own cache."""

    def run(level, *arguments):
        return pesbench(
            *("reference", "--level", level, "--adapter", adapter, "--structures", structures, *arguments),
            PESBENCH_CACHE=str(tmp_path / "cache"),
        )

    return run


def run_of(tmp_path, structures, level):
    """Return the run directory of a level."""
    dataset = load_dataset(structures)
    return tmp_path / "cache" / "references" / "runs" / f"{references.key(dataset.name, dataset.digest)}-{level}"


def labels_in(folder, structures):
    dataset = load_dataset(structures)
    return references.labels_of(dataset.name, dataset.digest, [folder])


def minimum_file(folder, structures):
    """Return where the minimum of the level ``toy`` is written."""
    return folder / "minima" / f"{references.molecule_key(load_dataset(structures).reference)}-toy.json"


def refused(done):
    """Return the one sentence with which bad input is refused."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("pesbench: ")
    assert line.endswith(".")
    return line


def test_an_unknown_level_is_refused_in_a_sentence_that_names_the_known_ones(reference, tmp_path):
    line = refused(reference("b3lyp-lots"))
    assert "there is no level of theory 'b3lyp-lots'; use " in line
    assert "toy" in line
    assert "pbe0-def2-svp" in line
    assert not (tmp_path / "cache").exists()


def test_a_level_is_required_and_explained(pesbench):
    assert "reference needs --level" in refused(pesbench("reference"))
    text = " ".join(pesbench("reference", "--help").stdout.split())
    assert "--level NAME functional and basis, such as pbe0-def2-svp" in text


def test_a_level_without_a_theory_is_refused_by_the_name_of_its_file(reference, adapter):
    line = refused(reference("of-no-theory"))
    assert str(adapter) in line
    assert "theory" in line


def test_labels_are_written_where_the_user_wants_them_and_never_computed_twice(reference, structures, tmp_path):
    output = tmp_path / "labels"
    done = reference("toy", "--output", output)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{next(output.glob('methanol-*')) / 'toy.jsonl'}: energies and forces of {COUNT} of {COUNT} structures",
        f"{minimum_file(output, structures)}: the minimum and its Hessian",
    ]
    found = labels_in(output, structures)["toy"]
    assert found.origin.theory == {"functional": "springs", "basis": "-", "dispersion": "none"}
    dataset = load_dataset(structures)
    rest = dataset.reference.get_all_distances()
    energies = [1.25 * ((atoms.get_all_distances() - rest) ** 2).sum() for atoms in dataset.atoms]
    assert [found.energies[i] for i in range(COUNT)] == pytest.approx(energies, abs=1e-6)
    minimum = references.minima_of(dataset.reference, [output])["toy"]
    assert minimum.energy == pytest.approx(0.0, abs=1e-6)
    assert np.linalg.eigvalsh(minimum.hessian)[0] > -0.01

    records = (run_of(tmp_path, structures, "toy") / "records.jsonl").read_bytes()
    files = {path: path.read_bytes() for path in output.rglob("*.json*")}
    again = reference("toy", "--output", output)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert (run_of(tmp_path, structures, "toy") / "records.jsonl").read_bytes() == records
    assert {path: path.read_bytes() for path in output.rglob("*.json*")} == files


def test_a_smaller_set_without_a_minimum_is_a_beginning_and_the_methods_of_a_run_are_compared_with_it(
    reference, structures, tmp_path, pesbench, adapter
):
    done = reference("toy", "--limit", "2", "--no-minimum")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.endswith(f"energies and forces of 2 of {COUNT} structures")
    folder = tmp_path / "cache" / "references"
    first = labels_in(folder, structures)["toy"]
    done = reference("toy", "--limit", "4")
    assert done.returncode == 0, done.stderr
    second = labels_in(folder, structures)["toy"]
    assert len(second.energies) == 4
    assert first.energies.items() < second.energies.items()
    assert minimum_file(folder, structures).is_file()

    done = pesbench(
        *("run", "--adapter", adapter, "--methods", "direct", "--structures", structures, "--rounds", "1"),
        *("--protocols", "accuracy", "--threads", "1", "--no-repeats", "--output", tmp_path / "results"),
        PESBENCH_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "results").iterdir()
    shown = pesbench("table", run, "--format", "json", PESBENCH_CACHE=str(tmp_path / "cache"))
    (row,) = json.loads(shown.stdout)["rows"]
    assert row["references"]["toy"]["structures"] == 4
    assert row["references"]["toy"]["force_mae_mev_per_angstrom"]["estimate"] > 1.0


def test_a_level_that_does_not_load_makes_nothing_and_says_where_to_look(reference, structures, tmp_path):
    done = reference("broken")
    assert done.returncode == 1
    logs = run_of(tmp_path, structures, "broken") / "logs"
    assert done.stdout == f"nothing was computed; {logs} says why\n"
    assert "these weights are for another model" in next(logs.iterdir()).read_text()
    assert "these weights are for another model" in " ".join(done.stderr.split())


def test_what_failed_is_told_and_tried_again(reference, structures, tmp_path):
    done = reference("bad")
    assert done.returncode == 0, done.stderr
    labels, minimum, failed = done.stdout.splitlines()
    assert labels.endswith(f"energies and forces of 5 of {COUNT} structures")
    assert minimum == "no minimum: calculator: RuntimeError: the matrix is singular"
    assert failed.startswith("1 ")
    assert failed.endswith("failed, the first with: RuntimeError: the matrix is singular")
    records = run_of(tmp_path, structures, "bad") / "records.jsonl"
    before = store.read(records.parent).of(SinglePoint)

    done = reference("bad")  # the fake fails late in a process, and less is left for this one
    assert done.returncode == 0, done.stderr
    labels, minimum = done.stdout.splitlines()
    assert labels.endswith(f"energies and forces of {COUNT} of {COUNT} structures")
    assert minimum.endswith("the minimum and its Hessian")
    after = store.read(records.parent).of(SinglePoint)
    assert [one for one in before if one.status == "done"] == [one for one in after if one in before]

    text = records.read_bytes()
    assert reference("bad").stdout == done.stdout
    assert records.read_bytes() == text, "what failed once and was done later is done"


def test_nothing_is_missing_where_labels_are_known_without_their_run(reference, structures, tmp_path):
    assert reference("toy").returncode == 0
    folder = tmp_path / "cache" / "references"
    shutil.rmtree(folder / "runs")
    done = reference("toy")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("nothing is missing: the labels for toy are in ")
    assert str(folder) in line


def test_where_nothing_is_missing_no_environment_is_made(reference, adapter, pesbench, structures, tmp_path):
    assert reference("toy", "--no-minimum").returncode == 0
    shutil.rmtree(tmp_path / "cache" / "references" / "runs")
    text = adapter.read_text()
    first = next(line for line in text.splitlines() if line.startswith("# dependencies"))
    elsewhere = tmp_path / "fakes.py"
    elsewhere.write_text(text.replace(first, '# dependencies = ["six==99.0"]'))
    done = pesbench(
        *("reference", "--level", "toy", "--adapter", elsewhere, "--structures", structures, "--no-minimum"),
        PESBENCH_CACHE=str(tmp_path / "cache"),
    )
    assert (done.returncode, "preparing" in done.stderr) == (0, False), done.stderr
    assert done.stdout.startswith("nothing is missing: ")


def test_a_part_of_the_labels_is_not_all_where_the_rest_cannot_be_computed(reference, structures, tmp_path):
    assert reference("toy", "--limit", "2", "--no-minimum").returncode == 0
    folder = tmp_path / "cache" / "references"
    known = labels_in(folder, structures)["toy"]
    broken = dataclasses.replace(known, origin=dataclasses.replace(known.origin, level="broken"))
    references.write_labels(folder, broken)
    done = reference("broken")
    logs = run_of(tmp_path, structures, "broken") / "logs"
    assert (done.returncode, done.stdout) == (1, f"nothing was computed; {logs} says why\n")
    done = reference("broken", "--limit", "2", "--no-minimum")
    assert done.returncode == 0
    assert done.stdout.startswith("nothing is missing: ")


def test_a_run_for_other_structures_is_not_continued(reference, structures, tmp_path):
    assert reference("toy", "--limit", "1", "--no-minimum").returncode == 0
    path = run_of(tmp_path, structures, "toy") / "campaign.json"
    fields = json.loads(path.read_text())
    fields["dataset"]["digest"] = "0" * 64
    path.write_text(json.dumps(fields))
    assert "holds labels for other structures; delete it" in refused(reference("toy"))


def test_ctrl_c_keeps_what_is_there_and_the_same_command_continues(reference, adapter, structures, tmp_path):
    arguments = ("reference", "--level", "sluggish", "--adapter", adapter, "--structures", structures)
    process = subprocess.Popen(
        [*PESBENCH, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PESBENCH_CACHE": str(tmp_path / "cache")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    )
    records = run_of(tmp_path, structures, "sluggish") / "records.jsonl"
    for _ in range(6000):
        # its Hessian takes two seconds
        if records.exists() and records.read_bytes().count(b'"record":"single-point"') == COUNT:
            break
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "pesbench: stopped; the same command continues." in errors
    assert output.splitlines()[0].endswith(f"energies and forces of {COUNT} of {COUNT} structures")
    assert not (tmp_path / "cache" / "references" / "minima").exists()
    before = store.read(records.parent).records
    done = reference("sluggish")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].endswith("the minimum and its Hessian")
    after = [one for one in store.read(records.parent).records if one.record == "single-point"]
    assert after == [one for one in before if one.record == "single-point"]
