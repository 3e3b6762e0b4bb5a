"""Bad checkpoints and elements, for each model of the published table: a row that says so, and nothing run."""

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


@pytest.mark.parametrize("name", TABLE_1)
def test_a_checkpoint_that_is_cut_off_or_of_another_model_is_a_row(run, tmp_path, name):
    other = tmp_path / "other.zip"
    # a valid file of the format that most of them have, and no model
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weights": [1.0, 2.0]}))
        archive.writestr("archive/version", "3")
    for number, content in enumerate((other.read_bytes(), other.read_bytes()[:80])):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = as_checkpoint(name, content, folder)
        row = run(name, "--checkpoint", path, "--trust-checkpoint")
        assert row["failures"] == {"load": 1}, row
        assert row["message"]
        assert row["ms_per_step"]["estimate"] is None


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


@pytest.mark.parametrize("name", TABLE_1)
def test_an_element_that_the_model_does_not_know_is_a_row(run, tmp_path, name):
    heavy = tmp_path / "og.xyz"
    write(heavy, Atoms("OgH", [(0, 0, 0), (0, 0, 1.7)]))
    row = run(name, "--weights", "random", structures=heavy)
    if name == "sevennet-mf-ompa":  # its table is the periodic one
        assert row["failures"] == {}
    else:
        assert set(row["failures"]) <= {"calculator", "elements"}
        assert row["failures"]
        assert row["calculator_ms_per_call"]["estimate"] is None
