"""Reference labels and minima: what is written is read, and what cannot be trusted is refused."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from bench.data import references, rmd17
from bench.data.references import Labels, Minimum, Origin
from bench.errors import BadInput

DIGEST = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
WATER = molecule("H2O")
RANDOM = np.random.default_rng(11)


def origin(level="pbe-toy", **changes):
    fields = {
        "level": level,
        "theory": {"functional": "PBE", "basis": "toy", "dispersion": "none"},
        "settings": {"grid": [99, 590], "density-fitting": True},
        "versions": {"pyscf": "2.9.0"},
        "created": "2026-11-25T10:00:00+00:00",
        "pesbench": "0.1.0",
    }
    return Origin(**{**fields, **changes})


def labels(level="pbe-toy", digest=DIGEST, shift=0.0, name="water.xyz"):
    structures = (7, 0, 3)
    return Labels(
        origin=origin(level),
        dataset=name,
        digest=digest,
        energies={i: -76.4 + shift + RANDOM.normal() for i in structures},
        forces={i: RANDOM.normal(size=(3, 3)) for i in structures},
    )


def minimum(level="pbe-toy", atoms=WATER, energy=-76.40000049):
    half = RANDOM.normal(size=(3 * len(atoms),) * 2)
    return Minimum(
        origin=origin(level),
        molecule=atoms,
        hessian=half + half.T,
        energy=energy,
        fmax=0.00012,
        source="native",
    )


def one_sentence(error):
    """Return a message, which must be one sentence."""
    text = str(error.value)
    assert text.endswith(".")
    assert ". " not in text
    assert "\n" not in text
    return text


def test_labels_are_read_as_they_were_written_to_their_last_digit(tmp_path):
    made = labels()
    path = references.write_labels(tmp_path, made)
    assert path == tmp_path / "water-01234567" / "pbe-toy.jsonl"
    found = references.labels_of("water.xyz", DIGEST, [tmp_path])["pbe-toy"]
    assert (found.origin, found.dataset, found.digest) == (made.origin, "water.xyz", DIGEST)
    assert list(found.energies) == list(found.forces) == [0, 3, 7]
    for index in made.energies:
        assert found.energies[index] == pytest.approx(made.energies[index], abs=0.51e-6)
        assert found.forces[index] == pytest.approx(made.forces[index], abs=0.51e-5)


def test_a_minimum_is_read_as_it_was_written_with_the_whole_hessian(tmp_path):
    made = minimum()
    path = tmp_path / "minima" / f"{references.molecule_key(WATER)}-pbe-toy.json"
    assert references.write_minimum(tmp_path, made) == path
    found = references.minima_of(WATER, [tmp_path])["pbe-toy"]
    assert (found.origin, found.source, found.fmax) == (made.origin, "native", 0.00012)
    assert found.energy == pytest.approx(-76.4, abs=1e-9)
    assert found.molecule.get_chemical_symbols() == ["O", "H", "H"]
    assert found.molecule.positions == pytest.approx(WATER.positions, abs=0.51e-6)
    assert found.hessian == pytest.approx(made.hessian, abs=0.51e-5)
    assert (found.hessian == found.hessian.T).all()


def test_a_hessian_of_differences_is_kept_as_its_symmetric_part(tmp_path):
    made = minimum()
    skew = np.triu(np.full((9, 9), 0.5), 1)
    references.write_minimum(tmp_path, dataclasses.replace(made, hessian=made.hessian + skew - skew.T))
    found = references.minima_of(WATER, [tmp_path])["pbe-toy"]
    assert found.hessian == pytest.approx(made.hessian, abs=0.51e-5)


def test_writing_again_replaces_the_file_and_leaves_no_other(tmp_path):
    references.write_labels(tmp_path, labels())
    path = references.write_labels(tmp_path, labels(shift=5.0))
    assert [one.name for one in path.parent.iterdir()] == ["pbe-toy.jsonl"]
    assert references.read_labels(path).energies[0] > -74.4 - 4


def test_a_folder_that_cannot_be_written_is_told_with_the_option_that_helps(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="choose another folder with --output") as error:
        references.write_labels(tmp_path / "file", labels())
    assert str(tmp_path / "file") in one_sentence(error)


def test_labels_for_another_digest_are_refused_by_the_name_of_their_file(tmp_path):
    path = references.write_labels(tmp_path, labels(digest=DIGEST[:8] + OTHER))
    with pytest.raises(BadInput, match="labels for a data set with the digest") as error:
        references.labels_of("water.xyz", DIGEST, [tmp_path])
    assert str(path) in one_sentence(error)


def test_the_labels_of_another_data_set_are_not_looked_at(tmp_path):
    references.write_labels(tmp_path, labels(digest=OTHER))
    assert references.labels_of("water.xyz", DIGEST, [tmp_path]) == {}


def test_a_file_of_structures_that_was_renamed_finds_its_labels(tmp_path):
    made = labels(name="steam.xyz")
    references.write_labels(tmp_path, made)
    found = references.labels_of("water.xyz", DIGEST, [tmp_path])["pbe-toy"]
    assert found.dataset == "steam.xyz"
    assert found.energies[3] == pytest.approx(made.energies[3], abs=1e-6)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "\x00\x01",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"forces"', '"force"'),
        lambda text: text.replace('"energy":', '"energy":null,"e":', 1),
        lambda text: text.replace('"level"', '"niveau"'),
        lambda text: text.splitlines()[0] + '\n{"structure":0,"energy":-1.0,"forces":[[1.0,2.0]]}\n',
        lambda text: text.splitlines()[0] + '\n{"structure":0,"energy":-1.0,"forces":[[1.0,2.0,null]]}\n',
        lambda text: text.splitlines()[0] + '\n{"structure":0,"energy":NaN,"forces":[[1.0,2.0,3.0]]}\n',
        lambda text: "[1, 2]\n",
    ],
)
def test_a_damaged_file_of_labels_is_refused_by_its_name(tmp_path, damage):
    path = references.write_labels(tmp_path, labels())
    path.write_text(damage(path.read_text()))
    with pytest.raises(BadInput, match="is not a file of reference labels") as error:
        references.labels_of("water.xyz", DIGEST, [tmp_path])
    assert str(path) in one_sentence(error)


def change(text, **fields):
    return json.dumps({**json.loads(text), **fields})


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: change(text, hessian_lower=[1.0] * 44),
        lambda text: change(text, hessian_lower=[1.0]),
        lambda text: change(text, hessian_lower=[None] * 45),
        lambda text: change(text, positions=[[0.0, 0.0, 0.0]]),
        lambda text: change(text, positions=[[0.0, 0.0, None]] * 3),
        lambda text: change(text, origin={"level": "pbe-toy"}),
        lambda text: change(text, energy=float("nan")),
        lambda text: change(text, fmax=None),
        lambda text: change(text, numbers=["x", "y", "z"]),
        lambda text: change(text, info=[1]),
    ],
)
def test_a_damaged_minimum_is_refused_by_its_name(tmp_path, damage):
    path = references.write_minimum(tmp_path, minimum())
    path.write_text(damage(path.read_text()))
    with pytest.raises(BadInput, match="is not a file with a reference minimum") as error:
        references.minima_of(WATER, [tmp_path])
    assert str(path) in one_sentence(error)


def test_the_minimum_of_another_molecule_or_of_another_order_of_atoms_is_not_taken(tmp_path):
    references.write_minimum(tmp_path, minimum("ethanol", molecule("CH3CH2OH")))
    references.write_minimum(tmp_path, minimum("turned", WATER[[1, 0, 2]]))
    assert references.minima_of(WATER, [tmp_path]) == {}
    assert list(references.minima_of(WATER[[1, 0, 2]], [tmp_path])) == ["turned"]
    assert references.minima_of(molecule("CH3OCH3"), [tmp_path]) == {}, "an isomer"


def two_rings(*sizes):
    """Return the hydrocarbon of two regular rings with a bond in common, its carbon atoms first."""
    carbon, hydrogen = [], []
    for size, side in zip(sizes, ((1, 1), (-1, 1)), strict=True):
        angles = np.pi + np.pi / size * (2 * np.arange(size) + 1)
        circle = side * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        centre = side * np.array((0.7 / np.tan(np.pi / size), 0.0))
        radius = 0.7 / np.sin(np.pi / size)
        carbon += [*(centre + radius * circle)][1 if carbon else 0 : -1 if carbon else None]
        hydrogen += [*(centre + (radius + 1.09) * circle)][1:-1]
    flat = np.array(carbon + hydrogen)
    return Atoms(f"C{len(carbon)}H{len(hydrogen)}", np.column_stack([flat, 0 * flat[:, 0]]))


def test_an_isomer_with_the_same_order_of_elements_but_other_bonds_has_no_minimum(tmp_path):
    naphthalene, azulene = two_rings(6, 6), two_rings(7, 5)
    assert (naphthalene.numbers == azulene.numbers).all()
    references.write_minimum(tmp_path, minimum(atoms=naphthalene))
    assert references.minima_of(azulene, [tmp_path]) == {}
    naphthalene.rattle(0.02, seed=1)
    assert list(references.minima_of(naphthalene, [tmp_path])) == ["pbe-toy"], "the same bonds at other lengths"


def test_an_ion_or_another_multiplicity_has_no_minimum_of_the_neutral_molecule(tmp_path):
    references.write_minimum(tmp_path, minimum())
    cation, triplet, usual = WATER.copy(), WATER.copy(), WATER.copy()
    cation.info |= {"charge": 1, "spin": 2}
    triplet.info |= {"charge": 0, "spin": 3}
    usual.info |= {"charge": 0, "spin": 1}
    assert references.minima_of(cation, [tmp_path]) == references.minima_of(triplet, [tmp_path]) == {}
    assert list(references.minima_of(usual, [tmp_path])) == ["pbe-toy"]
    references.write_minimum(tmp_path, minimum("ion", cation))
    found = references.minima_of(cation, [tmp_path])
    assert list(found) == ["ion"]
    assert found["ion"].molecule.info == {"charge": 1, "spin": 2}


def test_a_folder_without_labels_has_none(tmp_path):
    assert references.labels_of("water.xyz", DIGEST, [tmp_path / "nowhere"]) == {}
    assert references.minima_of(WATER, [tmp_path / "nowhere"]) == {}


def test_the_users_own_labels_replace_those_of_pesbench_level_by_level(tmp_path, monkeypatch):
    shipped, cache = tmp_path / "datasets", tmp_path / "cache"
    monkeypatch.setattr("bench.paths.datasets_dir", lambda: shipped)
    monkeypatch.setenv("PESBENCH_CACHE", str(cache))
    assert references.folders() == [shipped / "references", cache / "references"]
    ours = {level: labels(level) for level in ("pbe-toy", "pbe0-toy")}
    own = labels("pbe-toy", shift=100.0)
    for one in ours.values():
        references.write_labels(shipped / "references", one)
    references.write_labels(references.own_folder(), own)
    found = references.labels_of("water.xyz", DIGEST)
    assert found["pbe-toy"].energies[0] == pytest.approx(own.energies[0], abs=1e-6)
    assert found["pbe0-toy"].energies[0] == pytest.approx(ours["pbe0-toy"].energies[0], abs=1e-6)

    for level, folder, energy in (
        ("pbe-toy", shipped / "references", -1.0),
        ("pbe0-toy", shipped / "references", -2.0),
        ("pbe-toy", references.own_folder(), -3.0),
    ):
        references.write_minimum(folder, minimum(level, energy=energy))
    assert {level: one.energy for level, one in references.minima_of(WATER).items()} == {
        "pbe-toy": -3.0,
        "pbe0-toy": -2.0,
    }


@pytest.fixture
def two_files(tmp_path, monkeypatch):
    """Make two small files with the fields of rMD17's take the place of its ten; returns their folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    hashes = {}
    for name, indices in (("one.npz", [10, 3]), ("two.npz", [7, 5])):
        forces = np.array([np.full((2, 3), float(index)) for index in indices])
        np.savez(folder / name, old_indices=indices, energies=100.0 * np.array(indices), forces=forces)
        hashes[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    monkeypatch.setattr(rmd17, "SHA256", hashes)
    monkeypatch.setenv("PESBENCH_DATA", str(folder))
    return folder


def test_the_labels_of_rmd17_are_found_by_their_index_and_are_in_electronvolt(two_files, tmp_path):
    found = rmd17.labels(tmp_path / "cache", {3, 5, 99})
    assert set(found) == {3, 5}
    kcal = 0.0433641  # eV per molecule
    assert found[3][0] == pytest.approx(300 * kcal, rel=1e-5)
    assert found[5][1] == pytest.approx(np.full((2, 3), 5 * kcal), rel=1e-5)


def test_labels_of_rmd17_that_are_not_here_are_not_fetched(two_files, tmp_path):
    (two_files / "two.npz").unlink()
    with pytest.raises(rmd17.Unavailable, match=r"two\.npz is not here"):
        rmd17.labels(tmp_path / "cache", {3, 5})


def test_labels_of_rmd17_with_other_contents_are_refused(two_files, tmp_path):
    (two_files / "one.npz").write_bytes(b"something else")
    with pytest.raises(BadInput, match="delete or replace it"):
        rmd17.labels(tmp_path / "cache", {3})


def test_a_minimum_of_which_only_the_geometry_is_known_is_read_as_it_was_written(tmp_path):
    references.write_minimum(tmp_path, dataclasses.replace(minimum(), hessian=None, source=""))
    found = references.minima_of(WATER, [tmp_path])["pbe-toy"]
    assert found.hessian is None
    assert found.molecule.positions == pytest.approx(WATER.positions, abs=1e-6)
