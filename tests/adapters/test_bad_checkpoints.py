"""Bad checkpoints and elements, for each model of the published table: a row that says so, and nothing run.

For one model the row itself is read, from a run by the command line. The others differ in what their own libraries do
with such a file or atom, so of them the worker's records are read, from which the row is made.
"""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import write

from bench.commands._planning import with_own
from bench.core.description import ParallelSpeed
from bench.core.failure import Failure
from bench.core.message import Result
from bench.core.settings import Settings
from bench.core.task import Item
from bench.data.structures import load_dataset
from bench.engine import tasks
from bench.engine.ready import Ready
from bench.environments.catalogue import Catalogue
from bench.paths import PROJECT

pytestmark = pytest.mark.environment

CATALOGUE = Catalogue()
TABLE_1 = [
    method.name for method in CATALOGUE.methods.values() if method.paper and method.default and method.checkpoint
]


class Payload:
    """What runs when somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def run(pesbench, tmp_path):
    """Return a function that measures one method on water and returns its row."""
    water = tmp_path / "water.xyz"
    write(water, molecule("H2O"))

    def measure(name, *options, structures=water, **environ):
        done = pesbench(
            *(
                "run",
                "--no-repeats",
                "--methods",
                name,
                "--structures",
                structures,
                "--rounds",
                "1",
                "--threads",
                "1",
                "--json",
            ),
            *("--output", tmp_path / "runs", "--replay-points", "2", "--max-steps", "2", *options),
            **{"PESBENCH_CACHE": str(PROJECT / ".cache" / "tests"), **environ},
        )
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 1), done.stderr
        (row,) = json.loads(done.stdout)["rows"]
        return row

    return measure


def as_checkpoint(name: str, content: bytes, tmp_path: Path) -> Path:
    """Return a file (for GRACE the folder that it takes) with this content in the place of the weights."""
    checkpoint = CATALOGUE.methods[name].checkpoint
    path = tmp_path / "bad" / checkpoint.file
    path.parent.mkdir()
    if checkpoint.unpack:
        path.mkdir()
        (path / "saved_model.pb").write_bytes(content)
    else:
        path.write_bytes(content)
    return path


def bad_files(name: str, tmp_path: Path) -> list[Path]:
    """Return two files in the place of a model's checkpoint: of another model, and the same cut off."""
    other = tmp_path / "other.zip"
    # a valid file of the format that most of them have, and no model
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weights": [1.0, 2.0]}))
        archive.writestr("archive/version", "3")
    found = []
    for number, content in enumerate((other.read_bytes(), other.read_bytes()[:80])):
        (tmp_path / str(number)).mkdir()
        found.append(as_checkpoint(name, content, tmp_path / str(number)))
    return found


def test_a_checkpoint_that_is_cut_off_or_of_another_model_is_a_row(run, tmp_path):
    for path in bad_files("pet-mad-1.5-s", tmp_path):
        row = run("pet-mad-1.5-s", "--checkpoint", path, "--trust-checkpoint")
        assert row["failures"] == {"load": 1}, row
        assert row["message"]
        assert row["ms_per_step"]["estimate"] is None


@pytest.fixture
def failures(forked, tmp_path, monkeypatch):
    """Return a function that measures one structure with one method; returns the failures in the records."""
    monkeypatch.setenv("PESBENCH_CACHE", str(PROJECT / ".cache" / "tests"))

    def measure(name: str, atoms: Atoms, part: str, checkpoint: Path | None = None, **more) -> list[Failure]:
        structures = tmp_path / "structures.xyz"
        write(structures, atoms)
        catalogue = Catalogue()
        (method,) = with_own(catalogue.select(name), checkpoint, catalogue)
        own = {method.name: method.own_checkpoint} if method.own_checkpoint else {}
        settings = Settings(methods=(method.name,), threads=1, trust=True, checkpoints=own, replay_points=2, **more)
        dataset = load_dataset(structures)
        prepared = Ready(settings, catalogue, dataset, ParallelSpeed(1, 1.0), print).of(method, "cpu")
        if isinstance(prepared, Failure):
            return [prepared]
        task = tasks.measure(prepared, settings, dataset, [Item(part, 0)], 0)
        worker = forked(task)
        records = [said.record for said in worker.messages() if isinstance(said, Result)]
        found = [record.failure for record in records if getattr(record, "failure", None) is not None]
        assert worker.failure() is None
        return found

    return measure


@pytest.mark.parametrize("name", TABLE_1)
def test_a_checkpoint_that_is_cut_off_or_of_another_model_does_not_load(failures, tmp_path, name):
    for path in bad_files(name, tmp_path):
        (failure,) = failures(name, molecule("H2O"), "relax", path)
        assert failure.kind == "load", failure
        assert failure.message


@pytest.mark.parametrize("name", TABLE_1)
def test_a_file_with_a_payload_in_the_place_of_the_official_one_is_not_unpickled(run, tmp_path, name):
    mark = tmp_path / "the-payload-ran"
    path = as_checkpoint(name, pickle.dumps(Payload(mark)), tmp_path)
    row = run(
        name, "--weights", "pretrained", PESBENCH_WEIGHTS=str(path.parent), PESBENCH_CACHE=str(tmp_path / "cache")
    )
    assert row["failures"] == {"no-weights": 1}
    assert not mark.exists()
    # the payload is a real one
    pickle.loads(pickle.dumps(Payload(mark)))
    assert mark.is_dir()
