"""The reference labels that come with pesbench: for its own data sets, sound, and in accord with those of others."""

import json

import numpy as np
import pytest

from bench import paths
from bench.analysis.vibrations import harmonic, imaginary
from bench.commands.reference import nearly_relaxed
from bench.data import rmd17
from bench.data.references import labels_of, minima_of, molecule_key, read_labels, read_minimum
from bench.data.structures import GFN2, MD17, load_dataset
from bench.environments.catalogue import Catalogue
from bench.protocols.accuracy.force_errors import force_errors
from bench.protocols.accuracy.geometry import bond_errors
from bench.protocols.accuracy.levels import near_limit

FOLDER = paths.datasets_dir() / "references"
LABELS = sorted(FOLDER.glob("*/*.jsonl"))
MINIMA = sorted((FOLDER / "minima").glob("*.json"))
LEVELS = {method.level: method for method in Catalogue(()).methods.values() if method.level}
MOLECULE = load_dataset(GFN2).reference


def name_of(path):
    return f"{path.parent.name}-{path.stem}"


def md17():
    """Return MD17's data set; skips the test where its files are not here."""
    try:
        return load_dataset(MD17)
    except Exception as error:
        pytest.skip(f"MD17's frames are not here: {error}")


def test_labels_are_those_of_levels_that_pesbench_can_compute():
    assert {"pbe0-def2-svp", "pbe-def2-svp", "pbe0-def2-tzvp"} <= {path.stem for path in LABELS} <= set(LEVELS)
    assert {"pbe0-def2-svp", "pbe-def2-svp"} <= set(minima_of(MOLECULE, [FOLDER]))


def test_a_triple_zeta_basis_shortens_the_bonds_by_what_potentials_were_said_to_err():
    minima = minima_of(MOLECULE, [FOLDER])
    for functional in ("pbe", "pbe0"):
        small, good = (minima[f"{functional}-{basis}"].molecule for basis in ("def2-svp", "def2-tzvpp"))
        found = bond_errors(MOLECULE.numbers, small.positions, good.positions).mae
        assert found["C-H"] == pytest.approx(9.5, abs=1.0)  # mAngstrom
        assert found["C-C"] == pytest.approx(7.2, abs=0.7)


@pytest.mark.parametrize("path", LABELS, ids=name_of)
def test_labels_name_their_theory_and_have_forces_that_add_up_to_nothing(path):
    labels = read_labels(path)
    theory = LEVELS[labels.origin.level].theory
    assert labels.origin.theory == {key: getattr(theory, key) for key in ("functional", "basis", "dispersion")}
    assert {"xc", "basis", "grid-level", "density-fitting"} <= labels.origin.settings.keys()
    net = [np.linalg.norm(forces.sum(axis=0)) for forces in labels.forces.values()]
    # what a quadrature that does not move with the atoms leaves, and rounding
    assert max(net) < 0.01
    energies = np.array(list(labels.energies.values()))
    assert len(energies) >= 3
    assert np.ptp(energies) < 5  # eV: frames of one molecule at 500 K


@pytest.mark.parametrize("path", [path for path in LABELS if path.parent.name.startswith(MD17)], ids=name_of)
def test_labels_of_md17_belong_to_it(path):
    dataset = md17()
    assert read_labels(path).digest == dataset.digest
    assert path.stem in labels_of(dataset.name, dataset.digest, [FOLDER])


def test_our_pbe_labels_meet_those_of_rmd17():
    dataset = md17()
    ours = labels_of(dataset.name, dataset.digest, [FOLDER])["pbe-def2-svp"]
    theirs = rmd17.labels(paths.cache_dir(), {int(dataset.labels[i]) for i in ours.forces})
    pairs = [(ours.forces[i], ours.energies[i], *theirs[int(dataset.labels[i])]) for i in sorted(ours.forces)]
    forces, energies, their_energies, their_forces = (np.array(column) for column in zip(*pairs, strict=True))
    found = force_errors(forces, their_forces, energies, their_energies)
    assert found.force_mae.high < 1.0  # meV/Angstrom
    assert found.energy_mae.estimate < 1.0  # meV


@pytest.mark.parametrize("path", MINIMA, ids=name_of)
def test_a_minimum_is_one_and_is_planar(path):
    minimum = read_minimum(path)
    assert minimum.fmax < 0.001 + 1e-5
    good = near_limit(minimum.origin.theory)
    assert minimum.source in ({"", "central differences"} if good else {"native"})
    centred = minimum.molecule.positions - minimum.molecule.positions.mean(axis=0)
    assert np.linalg.svd(centred)[1][-1] < 0.02
    if minimum.hessian is None:
        return
    modes = harmonic(minimum.hessian, minimum.molecule.get_masses(), minimum.molecule.positions)
    assert imaginary(modes.wavenumbers) == 0
    assert len(modes.wavenumbers) == 48
    assert modes.residue < 30  # cm-1, before the projection: the quadrature's again
    # 167 cm-1 was measured for the softest mode, and theory is within a tenth; C-H stretches are the highest
    assert modes.wavenumbers[0] == pytest.approx(172, rel=0.1)
    assert 3050 < modes.wavenumbers[-1] < 3300


def test_experiment_has_bonds_of_the_molecule_and_a_source_for_each_fundamental():
    fields = json.loads((paths.datasets_dir() / "experiment" / f"{molecule_key(MOLECULE)}.json").read_text())
    assert fields["numbers"] == MOLECULE.numbers.tolist()
    distances = MOLECULE.get_all_distances()
    for bond in fields["bonds"]:
        for first, second in bond["pairs"]:
            assert distances[first, second] == pytest.approx(bond["angstrom"], abs=0.03)
    assert sum(len(bond["pairs"]) for bond in fields["bonds"]) == 11
    assert all(one["source"] and 100 < one["cm1"] < 2800 for one in fields["fundamentals"])
    assert len({(one["species"], one["place"]) for one in fields["fundamentals"]}) == 15


def test_a_reference_is_relaxed_from_the_nearest_known_minimum():
    dataset = load_dataset(GFN2)
    minima = minima_of(MOLECULE, [FOLDER])
    for level, start in (("pbe0-def2-tzvp", "pbe0-def2-tzvpp"), ("wb97m-v-def2-tzvp", "pbe0-def2-tzvpp")):
        found = nearly_relaxed(dataset, LEVELS[level])
        assert found.reference.positions == pytest.approx(minima[start].molecule.positions)
        assert molecule_key(found.reference) == molecule_key(MOLECULE)
        assert (found.digest, dataset.reference) == (dataset.digest, MOLECULE), "the set itself stays as it is"
