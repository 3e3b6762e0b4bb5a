"""bench.data.rmd17: the sets of the nine molecules of rMD17 other than naphthalene."""

from __future__ import annotations

import hashlib
import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from ase import units
from ase.build import molecule

from bench.data import rmd17
from bench.data.distances import bonds
from bench.data.structures import DATA_SETS, load_dataset
from bench.errors import BadInput

REAL = Path(os.environ.get("PESBENCH_DATA") or "nowhere")
FORMULAS = {
    "aspirin": "C9H8O4",
    "azobenzene": "C12H10N2",
    "benzene": "C6H6",
    "ethanol": "C2H6O",
    "malonaldehyde": "C3H4O2",
    "paracetamol": "C8H9NO2",
    "salicylic": "C7H6O3",
    "toluene": "C7H8",
    "uracil": "C4H4N2O2",
}
KCAL = units.kcal / units.mol  # eV
ETHANOL = "rmd17_ethanol_test_01.npz"
LOWEST = 123
"""Place in the small file of the frame with the lowest energy."""


@pytest.fixture
def small_file(tmp_path, monkeypatch):
    """Write a file of 400 frames with ethanol's atoms in no order, known by its SHA-256; returns its folder.

    A frame is moved as a whole by a hundredth of its index, in Angstrom; its forces, kcal/mol/Angstrom, are its index.
    """
    folder = tmp_path / "files"
    folder.mkdir()
    rng = np.random.default_rng(3)
    ethanol = molecule("CH3CH2OH")
    indices = rng.choice(40_000, 400, replace=False)
    energies = rng.uniform(-97_000, -96_900, 400)
    energies[LOWEST] = -97_100
    np.savez(
        folder / ETHANOL,
        nuclear_charges=ethanol.numbers.astype(np.uint8),
        coords=ethanol.positions + 0.01 * indices[:, None, None],
        energies=energies,
        forces=np.broadcast_to(indices[:, None, None].astype(float), (400, 9, 3)),
        old_indices=indices,
    )
    monkeypatch.setitem(rmd17.OTHERS, "ethanol", hashlib.sha256((folder / ETHANOL).read_bytes()).hexdigest())
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(rmd17, "URL", "http://127.0.0.1:9/")
    monkeypatch.delenv("PESBENCH_DATA", raising=False)
    return folder


@pytest.mark.parametrize("name", FORMULAS)
def test_the_frames_of_a_molecule_are_evenly_spread_and_have_its_bonds(name, monkeypatch, tmp_path):
    if not (REAL / "rmd17" / f"rmd17_{name}_test_01.npz").is_file():
        pytest.skip("PESBENCH_DATA names no folder with rMD17's file of this molecule")
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path))
    data = load_dataset(f"{name}-rmd17")
    (system,) = data.systems  # frames with other bonds would be another system
    assert (system.name, system.formula, system.charge, system.spin) == (name, FORMULAS[name], 0, 1)
    indices = np.array([int(label) for label in data.labels])
    assert len(data.atoms) == len(set(data.labels)) == 101
    spacing = indices[-1] / 100
    assert np.abs(indices - spacing * np.arange(101)).max() < spacing / 2 + 100  # the last index is not a whole hundred
    for atoms in data.atoms:
        assert bonds(atoms).tolist() == bonds(system.reference).tolist()
    for one in data.known:
        assert np.abs(one.forces.sum(axis=0)).max() < 1e-5


def test_the_sets_are_the_nine_molecules_and_naphthalene_keeps_its_own():
    assert {name for name in DATA_SETS if name.endswith("-rmd17")} == {f"{name}-rmd17" for name in FORMULAS}


@pytest.mark.parametrize("inside", ["", "rmd17"])
def test_a_set_takes_the_frames_nearest_to_an_even_grid_with_their_labels(small_file, monkeypatch, inside):
    folder = small_file
    if inside:
        (folder / inside).mkdir()
        (folder / ETHANOL).rename(folder / inside / ETHANOL)
    monkeypatch.setenv("PESBENCH_DATA", str(folder))
    with np.load(folder / inside / ETHANOL) as stored:
        known, energies = stored["old_indices"], stored["energies"]
    data = load_dataset("ethanol-rmd17")
    grid = (known.max() // 100) * np.arange(101)
    nearest = [int(min(known, key=lambda index: (abs(index - point), index))) for point in grid]
    assert [int(label) for label in data.labels] == nearest
    for atoms, label, one in zip(data.atoms, nearest, data.known, strict=True):
        assert atoms.positions == pytest.approx(molecule("CH3CH2OH").positions + 0.01 * label)
        assert one.energy == pytest.approx(energies[known.tolist().index(label)] * KCAL)
        assert one.forces == pytest.approx(np.full((9, 3), label * KCAL))


def test_the_reference_is_the_frame_with_the_lowest_energy_of_the_whole_file(small_file, monkeypatch):
    monkeypatch.setenv("PESBENCH_DATA", str(small_file))
    with np.load(small_file / ETHANOL) as stored:
        lowest, index = stored["coords"][LOWEST], stored["old_indices"][LOWEST]
    data = load_dataset("ethanol-rmd17")
    assert data.reference.positions == pytest.approx(lowest)
    assert str(index) not in data.labels  # so it was looked for beyond the selection


def test_a_file_is_fetched_once_into_the_cache(small_file, tmp_path, monkeypatch):
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(small_file))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(rmd17, "URL", f"http://127.0.0.1:{server.server_port}/")
        first = load_dataset("ethanol-rmd17")
        assert load_dataset("ethanol-rmd17").digest == first.digest
        server.shutdown()
    assert asked == [f"/{ETHANOL}"]
    here = tmp_path / "cache" / "data" / "rmd17" / ETHANOL
    assert rmd17.local_files(tmp_path / "cache") == [("rmd17", here)]


def test_a_file_with_other_contents_or_none_at_all_is_refused_by_name(small_file, monkeypatch):
    with pytest.raises(BadInput, match=rf"{ETHANOL} could not be fetched .* PESBENCH_DATA"):
        load_dataset("ethanol-rmd17")
    monkeypatch.setenv("PESBENCH_DATA", str(small_file))
    (small_file / ETHANOL).write_bytes(b"something else")
    with pytest.raises(BadInput, match=rf"{ETHANOL} has the SHA-256"):
        load_dataset("ethanol-rmd17")
