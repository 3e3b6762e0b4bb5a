"""Bad checkpoints, charges and elements, for each model of the published table: a row that says so, and nothing run."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import zipfile
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import write

from bench.methods.catalogue import Catalogue
from bench.paths import PROJECT, adapters_dir

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
            **environ,
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


def test_a_charge_is_refused_before_anything_is_started(pesbench, tmp_path):
    ion = molecule("H2O")
    ion.info["charge"] = 1
    write(tmp_path / "ion.xyz", ion, format="extxyz")
    done = pesbench("run", "--methods", "uff", "--structures", tmp_path / "ion.xyz", "--output", tmp_path / "runs")
    assert done.returncode == 2
    assert "is charged, but only neutral molecules are measured" in done.stderr


ION = """
import json, sys
from ase.build import molecule
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
ion = molecule("H2O")
adapter.reference = molecule("H2O")
adapter.load(sys.argv[2], "cpu", sys.argv[3], 1, None)
for info in ({"charge": 1, "spin": 2}, {"spin": 3}):
    ion.info = info
    try:
        adapter.prepare(ion)
    except ValueError as error:
        print(json.dumps(str(error)))
neutral = molecule("H2O")
assert adapter.prepare(neutral) is not None
"""


@pytest.mark.parametrize(
    ("file", "name", "dtype", "label"),
    [("uff.py", "uff-ase", "float64", "UFF"), ("sevennet.py", "7net-0", "float32", "SevenNet")],
)
def test_an_adapter_itself_refuses_what_its_method_would_pass_over(method_python, file, name, dtype, label):
    done = subprocess.run(
        [method_python(file), "-c", ION, adapters_dir() / file, name, dtype],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    refusals = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('"')]
    assert refusals == [
        f"{label} knows neutral singlets only, not charge 1, multiplicity 2",
        f"{label} knows neutral singlets only, not charge 0, multiplicity 3",
    ]


def test_tblite_takes_the_charge_and_the_spin_of_an_ion(method_python):
    script = (
        "from ase.build import molecule; from bench.measure.loading import load_adapter; import sys;"
        "adapter = load_adapter(sys.argv[1]);"
        "energies = []\n"
        "for info in ({}, {'charge': 0, 'spin': 1}, {'charge': 1, 'spin': 2}):\n"
        "    calculator = adapter.load('gfn2-xtb', 'cpu', 'float64', 1, None)\n"
        "    atoms = molecule('H2O'); atoms.info = info; atoms = adapter.prepare(atoms)\n"
        "    atoms.calc = calculator; energies.append(float(atoms.get_potential_energy()))\n"
        "print(energies)"
    )
    done = subprocess.run(
        [method_python("xtb.py"), "-c", script, adapters_dir() / "xtb.py"],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    unsaid, neutral, cation = json.loads(done.stdout.splitlines()[-1])
    assert unsaid == neutral
    assert 10 < cation - neutral < 20  # eV: water's first ionisation takes 12.6
