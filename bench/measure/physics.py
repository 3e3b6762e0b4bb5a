"""The checks of the conformance kit that any potential-energy surface must pass: derivatives, units, symmetry."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase.data import covalent_radii

from bench.measure.probe import Finding, Probe, Skip, apart, compare

DIRECTIONS = 3  # random ones for each structure, in addition to the one along the forces
STIFFNESS = (5.0, 150.0)  # eV/Å²; C-H 31, O-H 50, LiH 6 at the minimum. C-H would be 715 in kcal/mol, 1.1 in Hartree
FORCES = (0.05, 50.0)  # eV/Å, rms component


def forces_are_the_derivative(probe: Probe) -> Finding:
    """Compare forces with Richardson-extrapolated central differences of the energy.

    The mean square of the difference along random unit vectors equals that of its components; the direction of
    the forces themselves shows a wrong scale best.
    """
    # along a unit vector of all coordinates, so that atoms of small and large molecules move equally far
    step = probe.tolerances.step * np.sqrt(3 * len(probe.structures[0]))
    differences, scaled, components = [], [], []
    random = np.random.default_rng(0)
    for index, structure in enumerate(probe.structures[: probe.given]):
        energy, forces = probe.first(index)
        norm = float(np.linalg.norm(forces))
        components.append(norm**2 / forces.size)
        directions = [vector / np.linalg.norm(vector) for vector in random.normal(size=(DIRECTIONS, *forces.shape))]
        differences += [_difference(probe, structure, forces, unit, step) for unit in directions]
        if norm > 0:
            scaled.append(_difference(probe, structure, forces, forces / norm, step) / np.sqrt(forces.size))
    found = max(float(np.sqrt(np.mean(np.square(differences)))), max(map(abs, scaled), default=0.0))
    rms = float(np.sqrt(np.mean(components)))
    noise = probe.tolerances.epsilon * abs(energy) / step
    # the energy of a random model can have more curvature than that of a real molecule
    slope = probe.tolerances.slope * (10 if probe.facts["weights"] == "random" else 1)
    allowed = _declared(probe, "force_tolerance", slope * rms) + noise
    figure = f"rms difference {found:.1e} of {rms:.2g} eV/Å"
    if not probe.facts["conservative"]:
        return Finding(True, f"direct: {figure}", "none: predicted separately from the energy")
    return Finding(
        found <= allowed,
        figure,
        f"{allowed:.1g} eV/Å",
        "return the full derivative of the returned energy (sign, unit, all terms), or set "
        "conservative = false in the header; where upstream is known to be inexact, set force-tolerance",
    )


def _difference(probe: Probe, structure: Any, forces: np.ndarray, unit: np.ndarray, step: float) -> float:
    """Return the slope of the energy along `unit` plus the forces' component, eV/Angstrom: zero if all is well."""

    def energy(displacement: float) -> float:
        moved = structure.copy()
        moved.positions += displacement * unit
        return probe.answer(moved)[0]

    near = (energy(step) - energy(-step)) / (2 * step)
    far = (energy(2 * step) - energy(-2 * step)) / (4 * step)
    return (4 * near - far) / 3 + float((forces * unit).sum())


def units_are_plausible(probe: Probe) -> Finding:
    """Check the stiffness of a bond to hydrogen; without hydrogen, the size of the forces."""
    if probe.facts["weights"] == "random":
        raise Skip("random weights have no units")
    advice = "convert to eV and Angstrom with ase.units; the figure is far from that of any molecule"
    structure = probe.adapter.reference if probe.adapter.reference is not None else probe.structures[0]
    hydrogens = np.flatnonzero(structure.numbers == 1)
    if len(hydrogens) and len(structure) > 1:
        vectors = structure.get_all_distances(vector=True)[hydrogens[0]]  # to the others
        lengths = np.linalg.norm(vectors, axis=1)
        lengths[hydrogens[0]] = np.inf
        unit = vectors[lengths.argmin()] / lengths.min()
        along = []
        for displacement in (0.05, -0.05):
            moved = structure.copy()
            moved.positions[hydrogens[0]] += displacement * unit
            along.append(float(probe.answer(moved)[1][hydrogens[0]] @ unit))
        stiffness = (along[1] - along[0]) / 0.1
        low, high = STIFFNESS
        bond = f"H-{structure.symbols[int(lengths.argmin())]}"
        return Finding(low <= stiffness <= high, f"{bond} {stiffness:.1f} eV/Å²", f"{low:g} to {high:g}", advice)
    rms = float(np.sqrt(np.mean([np.mean(probe.first(index)[1] ** 2) for index in range(probe.given)])))
    low, high = FORCES
    return Finding(low <= rms <= high, f"rms force {rms:.2g} eV/Å", f"{low:g} to {high:g} eV/Å", advice)


def like_atoms_can_change_places(probe: Probe) -> Finding:
    """Permute atoms of one element; if bonds come from the reference, only such that bonds stay bonds."""
    structure = probe.structures[0]
    order = _permutation(structure.numbers)
    if order is None:
        raise Skip("no two of its atoms are of the same element")
    advice = "return forces in the order of the given atoms, and do not let answers depend on that order"
    refused = ""
    try:
        finding = _permuted(probe, structure, order, advice)
        if finding.passed:
            return finding
    except ValueError as error:  # an adapter may refuse a molecule that it was not set up for
        refused = str(error)
    molecule = probe.adapter.reference if probe.adapter.reference is not None else structure
    order = automorphism(molecule.numbers, bonds(molecule))
    if order is not None:
        try:
            kept = _permuted(probe, structure, order, advice)
        except ValueError as error:
            refused = str(error)
        else:
            return Finding(kept.passed, f"{kept.figure} where bonds stay bonds", kept.tolerance, advice)
    if refused:
        raise Skip(f"refused: {refused}")
    return finding


def _permuted(probe: Probe, structure: Any, order: np.ndarray, advice: str) -> Finding:
    energy, forces = probe.first(0)
    found = probe.answer(structure[order])
    return compare(probe, [apart(found, (energy, forces[order]))], probe.tolerances.symmetry, advice)


def _permutation(numbers: np.ndarray) -> np.ndarray | None:
    """Return an order in which atoms of the same element change places; None if no element occurs twice."""
    random = np.random.default_rng(0)
    order = np.arange(len(numbers))
    for number in np.unique(numbers):
        equals = random.permutation(np.flatnonzero(numbers == number))
        order[equals] = np.roll(equals, 1)
    return order if (order != np.arange(len(numbers))).any() else None


def bonds(atoms: Any) -> np.ndarray:
    """Return which atoms are bonded, (n, n): closer than 1.25 times the sum of their covalent radii."""
    radii = covalent_radii[atoms.numbers]
    return (atoms.get_all_distances() < 1.25 * (radii[:, None] + radii)) & ~np.eye(len(atoms), dtype=bool)


def automorphism(numbers: np.ndarray, bonded: np.ndarray) -> np.ndarray | None:
    """Return a nontrivial permutation that maps atoms to the same element and bonds to bonds; None if none exists."""
    walk: list[int] = []  # along the bonds, so that each atom has few possible places
    for first in range(len(numbers)):
        reached = [first] if first not in walk else []
        while reached:
            atom = reached.pop(0)
            if atom not in walk:
                walk.append(atom)
                reached += [int(other) for other in np.flatnonzero(bonded[atom]) if other not in walk]

    def extend(image: list[int]) -> list[int] | None:
        if len(image) == len(walk):
            return image if image != walk else None
        atom = walk[len(image)]
        for place in range(len(numbers) - 1, -1, -1):
            if (
                place not in image
                and numbers[place] == numbers[atom]
                and bonded[place].sum() == bonded[atom].sum()
                and (bonded[place][image] == bonded[atom][walk[: len(image)]]).all()
            ):
                found = extend([*image, place])
                if found is not None:
                    return found
        return None

    image = extend([])
    if image is None:
        return None
    order = np.empty(len(walk), dtype=int)
    order[walk] = image
    return order


def a_shift_changes_nothing(probe: Probe) -> Finding:
    """Move the molecules as a whole."""
    pairs = []
    for index, structure in enumerate(probe.structures[: probe.given]):
        moved = structure.copy()
        moved.positions += (3.3, -1.7, 0.9)
        pairs.append(apart(probe.answer(moved), probe.first(index)))
    advice = "use only distances between atoms; a box made by prepare() must follow the molecule"
    return compare(probe, pairs, probe.tolerances.symmetry, advice)


def a_rotation_turns_the_forces(probe: Probe) -> Finding:
    """Rotate the molecules as a whole."""
    random = np.random.default_rng(0)
    pairs = []
    for index in range(probe.given):
        orthogonal = np.linalg.qr(random.normal(size=(3, 3)))[0]
        pairs.append(_turned(probe, index, orthogonal * np.linalg.det(orthogonal)))
    tolerance = _declared(probe, "rotation_tolerance", probe.tolerances.rotation)
    advice = (
        "energies must not depend on the orientation of the molecule, and forces must rotate with it; for a model that "
        "only learns this, set rotation-tolerance (eV/Angstrom) in the header"
    )
    found = compare(probe, pairs, tolerance, advice)
    if not found.passed and probe.facts["weights"] == "random":
        raise Skip(f"{found.figure}; random weights cannot have learnt this symmetry")
    return found


def a_mirror_image(probe: Probe) -> Finding:
    """Mirror a molecule. For information: some models distinguish mirror images, which is harmless here."""
    found = compare(probe, [_turned(probe, 0, np.diag([1.0, 1.0, -1.0]))], np.inf, "")
    return Finding(True, found.figure, "for information")


def _turned(probe: Probe, index: int, turn: np.ndarray) -> tuple[float, float]:
    turned = probe.structures[index].copy()
    turned.positions = turned.positions @ turn.T
    energy, forces = probe.answer(turned)
    return apart((energy, forces @ turn), probe.first(index))


def _declared(probe: Probe, name: str, default: float) -> float:
    value = probe.facts.get(name)
    return default if value is None else float(value)
