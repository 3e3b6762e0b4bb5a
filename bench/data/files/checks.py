"""Whether a structure and its labels look right: distances, net force, net torque."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from scipy.spatial import cKDTree

from bench.data.distances import BONDED, closest_pair
from bench.data.files.contents import Frame, Ledger

_TIGHT = 0.55  # in units of the sum of the covalent radii
_EMPTY = 6.0
"""Angstrom: a wider gap than those between the molecules of a crystal."""
_NOBLE = {"He", "Ne", "Ar", "Kr", "Xe", "Rn"}
_NET_FORCE = 0.01  # eV/Angstrom
_NET_TORQUE = 0.05  # eV


def look(frames: Sequence[Frame], ledger: Ledger) -> None:
    """Note frames without bonds or with too short ones, odd numbers of electrons, and labels whose forces or torques
    do not cancel."""
    far: dict[str, list[str]] = {}
    near: dict[str, list[str]] = {}
    fractional: dict[str, list[str]] = {}
    odd: dict[str, list[str]] = {}
    net: dict[str, tuple[float, float]] = {}
    boxes: dict[str, list[str]] = {}
    looked: set[tuple[str, str, int]] = set()
    for frame in frames:
        if frame.atoms.pbc.any():
            kind = (frame.file, frame.atoms.get_chemical_formula(), int(frame.atoms.pbc.sum()))
            if kind not in looked:  # frames of one crystal are alike
                if _fractional(frame.atoms):
                    fractional.setdefault(frame.file, []).append(frame.where)
                elif _scattered(frame.atoms):
                    far.setdefault(frame.file, []).append(frame.where)
                if _boxed(frame.atoms):
                    boxes.setdefault(frame.file, []).append(frame.where)
            looked.add(kind)
            continue
        if frame.charge is None and frame.spin is None and frame.atoms.numbers.sum() % 2:
            odd.setdefault(frame.file, []).append(frame.where)
        nearest = _nearest(frame)
        if nearest.size > 1 and not (nearest < BONDED).any():
            far.setdefault(frame.file, []).append(frame.where)
        elif nearest.size > 1 and (nearest < _TIGHT).all():
            near.setdefault(frame.file, []).append(frame.where)
        if frame.labels is not None and frame.labels.forces is not None and not frame.atoms.constraints:
            force, torque = net_of(frame.atoms.positions, frame.labels.forces)
            before = net.get(frame.file, (0.0, 0.0))
            net[frame.file] = (max(force, before[0]), max(torque, before[1]))
    for places in far.values():
        ledger.note(f"No two atoms of {_some(places)} are at bonding distance; are its coordinates in Bohr?")
    for places in fractional.values():
        ledger.note(
            f"All coordinates of {_some(places)} are between -1 and 1, and atoms are much too close together; are they "
            "fractional? They are read in Angstrom."
        )
    for places in near.values():
        ledger.note(f"All atoms of {_some(places)} are much too close together; are its coordinates in nanometres?")
    for places in boxes.values():
        ledger.note(
            f"{_some(places)} is surrounded by empty space on all sides, but periodic, so methods for molecules alone "
            'cannot take it; write pbc="F F F", or remove the cell, if it is a molecule.'
        )
    for places in odd.values():
        ledger.note(
            f"{_some(places)}: no charge is stated, and the number of electrons is odd. It is read as neutral, a "
            "doublet; give --charge if it is an ion."
        )
    for file, (force, torque) in net.items():
        if force > _NET_FORCE or torque > _NET_TORQUE:
            ledger.note(
                f"The labels of {file} have a net force of up to {force:.3g} eV/Angstrom and a net torque of up to "
                f"{torque:.3g} eV; a molecule in vacuum has none."
            )


def net_of(positions: np.ndarray, forces: np.ndarray) -> tuple[float, float]:
    """Return the net force (eV/Angstrom) and the net torque (eV) about the centre of (n, 3) positions and forces."""
    arms = positions - positions.mean(axis=0)
    return float(np.linalg.norm(forces.sum(axis=0))), float(np.linalg.norm(np.cross(arms, forces).sum(axis=0)))


def _nearest(frame: Frame) -> np.ndarray:
    """Return the distance of each atom to a neighbour, in units of the sum of their radii: the smallest of eight."""
    atoms = frame.atoms
    count = len(atoms)
    if count < 2:
        return np.empty(0)
    distances, indices = cKDTree(atoms.positions).query(atoms.positions, k=min(count, 9))
    radii = covalent_radii[atoms.numbers]
    scaled = distances[:, 1:] / (radii[:, None] + radii[indices[:, 1:]])
    return np.asarray(scaled.min(axis=1))


def _fractional(atoms: Atoms) -> bool:
    """Return whether a crystal has coordinates between -1 and 1 only, and atoms that are much too close together."""
    positions = atoms.positions
    if len(atoms) < 2 or positions.min() < -1 or positions.max() > 1 or not atoms.pbc.all():
        return False
    pair = closest_pair(atoms)
    return pair is not None and pair.ratio < _TIGHT


def _scattered(atoms: Atoms) -> bool:
    """Return whether no two atoms of a crystal are at bonding distance; those of noble gases never are."""
    if set(atoms.symbols) <= _NOBLE:
        return False
    pair = closest_pair(atoms)
    return pair is None or pair.ratio > BONDED


def _boxed(atoms: Atoms) -> bool:
    """Return whether a system that is periodic in all directions has an empty layer in each of them."""
    if not atoms.pbc.all():
        return False
    heights = 1 / np.linalg.norm(atoms.cell.reciprocal(), axis=1)
    places = np.sort(atoms.get_scaled_positions(), axis=0)
    gaps = np.diff(np.vstack([places, places[:1] + 1]), axis=0).max(axis=0)
    return bool((gaps * heights > _EMPTY).all())


def _some(places: list[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]} and of {len(places) - 1} more"
