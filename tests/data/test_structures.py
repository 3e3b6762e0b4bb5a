"""bench.data.structures: where data sets come from, what is selected, and what is refused."""

from __future__ import annotations

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from bench.core.description import DataSetFacts, Description
from bench.data import rmd17, structures
from bench.data.structures import load_dataset
from bench.errors import BadInput
from bench.paths import datasets_dir
from bench.results import store

EXPECTED_INDICES = [int(line) for line in (Path(__file__).parent / "md17_indices_101.txt").read_text().split()]
FIRST_FILE = "rmd17_naphthalene_test_01.npz"


def _real_folder() -> Path | None:
    given = os.environ.get("PESBENCH_DATA", "")
    candidates = (Path(given), Path(given, "rmd17-naphthalene")) if given else ()
    return next((folder.resolve() for folder in candidates if (folder / FIRST_FILE).is_file()), None)


REAL_FOLDER = _real_folder()
needs_real_files = pytest.mark.skipif(
    REAL_FOLDER is None, reason="PESBENCH_DATA names no folder with the rMD17 naphthalene files"
)


@pytest.fixture(autouse=True)
def nothing_at_hand(monkeypatch, tmp_path):
    """No data folder, an empty cache, and a host on which nothing listens."""
    monkeypatch.delenv("PESBENCH_DATA", raising=False)
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(rmd17, "URL", "http://127.0.0.1:9/")


@pytest.fixture
def serve(monkeypatch):
    """Serve a folder over HTTP in place of GitHub; the list holds the paths asked for."""
    servers = []

    def start(folder: Path) -> list[str]:
        asked: list[str] = []

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_args: object) -> None:
                asked.append(self.path)

        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(rmd17, "URL", f"http://127.0.0.1:{server.server_port}/")
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def written(tmp_path):
    def write(*images: Atoms, name: str = "molecules.extxyz") -> Path:
        path = tmp_path / name
        ase.io.write(path, list(images), format="extxyz")
        return path

    return write


def refusal(name_or_file: str | Path) -> str:
    """Return the one sentence that refuses the data set."""
    with pytest.raises(BadInput) as caught:
        load_dataset(name_or_file)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


# MD17


@needs_real_files
@pytest.mark.parametrize("parent", [False, True])
def test_md17_frames_are_those_of_the_published_indices(monkeypatch, parent):
    monkeypatch.setenv("PESBENCH_DATA", str(REAL_FOLDER.parent if parent else REAL_FOLDER))
    if parent and REAL_FOLDER.name != "rmd17-naphthalene":
        pytest.skip("the files do not lie in a sub-folder rmd17-naphthalene")
    data = load_dataset("naphthalene-md17")
    assert [int(label) for label in data.labels] == EXPECTED_INDICES
    assert (data.name, data.formula, len(data.atoms), data.fallback) == ("naphthalene-md17", "C10H8", 101, "")
    assert "CC0" in data.description
    # pins the selection and its coordinates: records of this data set are comparable across versions
    assert data.digest == "1514011801cbf66b7a73ffada380c2153ad0ddce709e91551d03a4ecaa6584a7"


@needs_real_files
def test_md17_frames_have_the_bonds_of_the_reference_molecule(monkeypatch):
    monkeypatch.setenv("PESBENCH_DATA", str(REAL_FOLDER))
    data = load_dataset("naphthalene-md17")
    reference = bonds(data.reference)
    assert len(reference) == 19
    for atoms, label in zip(data.atoms, data.labels, strict=True):
        assert bonds(atoms) == reference, label


def bonds(atoms: Atoms) -> set[tuple[int, int]]:
    """Return the pairs of atoms closer than 1.75 (C-C) or 1.45 Angstrom (C-H), not between hydrogens."""
    distances = atoms.get_all_distances()
    return {
        (i, j)
        for i in range(len(atoms))
        for j in range(i + 1, len(atoms))
        if atoms.numbers[i] == 6 and distances[i, j] < (1.75 if atoms.numbers[j] == 6 else 1.45)
    }


@needs_real_files
def test_without_a_name_md17_is_taken_where_it_is_at_hand(monkeypatch):
    monkeypatch.setenv("PESBENCH_DATA", str(REAL_FOLDER))
    assert load_dataset().name == "naphthalene-md17"


@needs_real_files
def test_md17_is_fetched_once_into_the_cache(serve, tmp_path):
    asked = serve(REAL_FOLDER)
    first = load_dataset("naphthalene-md17")
    assert len(list((tmp_path / "cache" / "data" / "rmd17-naphthalene").glob("*.npz"))) == 10
    assert load_dataset("naphthalene-md17").digest == first.digest
    assert len(asked) == 10


@needs_real_files
@pytest.mark.parametrize("where", ["data", "cache"])
def test_a_file_with_a_flipped_byte_is_refused_by_name(monkeypatch, tmp_path, where):
    folder = tmp_path / "cache" / "data" / "rmd17-naphthalene" if where == "cache" else tmp_path / "mine"
    shutil.copytree(REAL_FOLDER, folder, copy_function=shutil.copyfile)
    if where == "data":
        monkeypatch.setenv("PESBENCH_DATA", str(folder))
    damaged = folder / "rmd17_naphthalene_train_03.npz"
    content = bytearray(damaged.read_bytes())
    content[5000] ^= 1
    damaged.chmod(0o644)
    damaged.write_bytes(content)
    for name in ("naphthalene-md17", None):
        with pytest.raises(BadInput, match=r"train_03\.npz has the SHA-256"):
            load_dataset(name)


def test_without_a_network_the_generated_set_stands_in_and_says_why():
    data = load_dataset()
    assert data.name == "naphthalene-gfn2"
    assert data.fallback.startswith("naphthalene-gfn2 replaces naphthalene-md17 because ")
    assert "could not be fetched from 127.0.0.1 (ConnectionError)" in data.fallback


def test_without_a_network_md17_asked_by_name_is_refused():
    sentence = refusal("naphthalene-md17")
    assert "could not be fetched" in sentence
    assert "PESBENCH_DATA" in sentence
    assert "naphthalene-gfn2" in sentence


def test_a_page_sent_instead_of_a_file_is_not_kept(serve, tmp_path):
    (tmp_path / "portal").mkdir()
    (tmp_path / "portal" / FIRST_FILE).write_text("<html>please log in</html>")
    serve(tmp_path / "portal")
    assert "wrong SHA-256" in refusal("naphthalene-md17")
    assert "wrong SHA-256" in load_dataset().fallback
    assert not list((tmp_path / "cache").rglob(FIRST_FILE))


def test_a_data_folder_that_does_not_exist_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("PESBENCH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(BadInput, match=r"PESBENCH_DATA names .*nowhere, which is not a folder"):
        load_dataset()


# the complete MD17 file


@pytest.fixture(scope="module")
def complete_file(tmp_path_factory) -> Path:
    """Write a file of MD17's layout and length; frame i is naphthalene moved by i * 1e-4 Angstrom."""
    reference = ase.io.read(datasets_dir() / "naphthalene.xyz")
    shift = 1e-4 * np.arange(structures.MD17_FRAMES, dtype=np.float32)
    path = tmp_path_factory.mktemp("complete") / "md17_naphthalene.npz"
    np.savez(path, z=reference.numbers, R=reference.positions.astype(np.float32) + shift[:, None, None])
    return path


@pytest.mark.parametrize("name", ["naphthalene-md17-exact", None])
def test_the_complete_md17_file_gives_the_exact_grid(monkeypatch, complete_file, name):
    monkeypatch.setenv("PESBENCH_DATA", str(complete_file.parent))
    data = load_dataset(name)
    assert data.name == "naphthalene-md17-exact"
    assert [int(label) for label in data.labels] == [3250 * k for k in range(101)]
    shifts = [(atoms.positions - data.reference.positions).mean() for atoms in data.atoms]
    assert np.allclose(shifts, [0.325 * k for k in range(101)], atol=1e-4)


def test_the_exact_grid_without_the_complete_file_is_refused():
    assert "needs the complete md17_naphthalene.npz" in refusal("naphthalene-md17-exact")


def test_a_shortened_md17_file_is_refused(monkeypatch, tmp_path):
    np.savez(tmp_path / "md17_naphthalene.npz", z=np.full(18, 6), R=np.zeros((1000, 18, 3)))
    monkeypatch.setenv("PESBENCH_DATA", str(tmp_path))
    assert "is not MD17's complete file" in refusal("naphthalene-md17-exact")


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_what_is_not_md17s_file_is_refused(monkeypatch, tmp_path, content):
    path = tmp_path / "md17_naphthalene.npz"
    if content is None:
        np.savez(path, positions=np.zeros(3))
    else:
        path.write_bytes(content)
    monkeypatch.setenv("PESBENCH_DATA", str(tmp_path))
    assert "is not MD17's file" in refusal("naphthalene-md17-exact")


# files of the user


def test_a_file_of_molecules_is_a_data_set_with_its_first_image_as_the_reference(written):
    water = molecule("H2O")
    moved = water.copy()
    moved.positions[0, 2] += 0.05
    data = load_dataset(written(water, moved))
    assert (data.name, data.formula, data.labels) == ("molecules.extxyz", "H2O", ("0", "1"))
    assert np.allclose(data.reference.positions, water.positions)
    assert np.allclose(data.atoms[1].positions, moved.positions)


def test_only_numbers_and_positions_reach_the_methods(written):
    water = molecule("H2O", vacuum=3.0)
    water.set_momenta(np.ones((3, 3)))
    atoms = load_dataset(str(written(water))).atoms[0]
    assert set(atoms.arrays) == {"numbers", "positions"}
    assert (atoms.calc, atoms.info, atoms.cell.rank) == (None, {}, 0)


def test_the_digest_tells_structures_apart_and_ignores_what_lies_below_a_millionth_of_an_angstrom(written):
    water = molecule("H2O")
    water.positions = water.positions.round(4)
    nearly, other = water.copy(), water.copy()
    nearly.positions[0, 0] += 1e-7
    other.positions[0, 0] += 2e-6
    first, second, third = (load_dataset(written(image)).digest for image in (water, nearly, other))
    assert first == second != third


def test_a_file_with_an_at_sign_in_its_name_is_read_whole(written):
    assert len(load_dataset(written(molecule("H2O"), molecule("H2O"), name="water@0.extxyz")).atoms) == 2


def test_an_unknown_name_is_refused_with_the_known_ones():
    sentence = refusal("naphtalene")
    assert "naphtalene is neither a file, a folder nor a data set; did you mean naphthalene-" in sentence
    for name in structures.DATA_SETS:
        assert name in sentence


def test_a_file_that_does_not_exist_is_refused(tmp_path):
    assert "missing.xyz is neither a file, a folder nor a data set" in refusal(tmp_path / "missing.xyz")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_coordinate_that_is_not_finite_is_refused(written, value):
    water = molecule("H2O")
    broken = water.copy()
    broken.positions[2, 1] = value
    assert "has a coordinate of atom 2 that is not a finite number" in refusal(written(water, broken))


def test_overlapping_atoms_are_refused_by_name(written):
    water = molecule("H2O")
    water.positions[2] = water.positions[1] + [0.0, 0.0, 0.1]
    assert "frame 0" in (sentence := refusal(written(water)))
    assert "the atoms 1 (H) and 2 (H) only 0.100 Angstrom apart" in sentence


def test_coordinates_in_nanometres_are_refused(written):
    benzene = molecule("C6H6")
    benzene.positions /= 10
    assert "are its coordinates in Angstrom?" in refusal(written(benzene))


@pytest.mark.parametrize("symbol", ["H2", "LiF", "C2H2", "F2", "NaCl", "CO"])
def test_real_molecules_compressed_by_a_third_are_not_refused(written, symbol):
    atoms = molecule(symbol)
    atoms.positions *= 2 / 3
    assert load_dataset(written(atoms)).formula


def test_a_dummy_atom_is_refused(written):
    assert "dummy or ghost atom" in refusal(written(Atoms("XH2", positions=molecule("H2O").positions)))


# charge and spin


def water(**info) -> Atoms:
    atoms = molecule("H2O")
    atoms.info = info
    return atoms


def test_an_ordinary_set_carries_no_charge_and_no_spin_whether_they_are_written_or_not(written):
    bare, explicit = load_dataset(written(water())), load_dataset(written(water(charge=0, spin=1)))
    (system,) = bare.systems
    assert (system.charge, system.spin, system.lowest_spin) == (0, 1, True)
    assert bare.digest == explicit.digest
    assert explicit.atoms[0].info == explicit.reference.info == {}


def test_each_charge_and_each_spin_has_a_digest_of_its_own(written):
    states = [{}, {"charge": 1}, {"charge": -1}, {"spin": 3}, {"charge": 1, "spin": 4}]
    assert len({load_dataset(written(water(**state))).digest for state in states}) == len(states)


@pytest.mark.parametrize(("state", "lowest"), [({"charge": -1, "spin": 2}, True), ({"charge": 0, "spin": 3}, False)])
def test_charge_and_spin_come_back_from_a_run_directory(written, tmp_path, state, lowest):
    data = load_dataset(written(water(**state), water(**state)))
    (system,) = data.systems
    assert (system.charge, system.spin, system.lowest_spin) == (state["charge"], state["spin"], lowest)
    described = Description(dataset=DataSetFacts(name=data.name, digest=data.digest))
    store.create(tmp_path / "run", described, data).close()
    stored = store.stored_dataset(tmp_path / "run", described)
    assert (stored.systems[0].charge, stored.systems[0].spin) == (system.charge, system.spin)
    assert [atoms.info for atoms in (*stored.atoms, stored.reference)] == [state] * 3


def test_labels_that_are_no_level_are_named(tmp_path):
    """A level of reference has an energy and forces at a structure; half of them is used by nothing."""
    frame = "1\nProperties=species:S:1:pos:R:3{} energy=-1.0\nAr 0 0 0{}\n"
    (tmp_path / "a.xyz").write_text(frame.format("", "") + frame.format(":forces:R:3", " 0 0 0"))
    dataset = load_dataset(tmp_path / "a.xyz")
    assert dataset.unused_labels(compared=True) == "the labels of 1 structure, which lacks energy or forces"
    assert "--protocols accuracy" in dataset.unused_labels(compared=False)
    (tmp_path / "b.xyz").write_text("1\n\nAr 0 0 0\n")
    assert not load_dataset(tmp_path / "b.xyz").unused_labels(compared=False)
