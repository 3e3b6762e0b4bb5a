"""How far methods disagree on one system, where there is no reference: forces, relaxed geometries, order of energies.

Absolute energies are never compared: every method has a zero of its own.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from bench.analysis.fidelity import superpose

Floats = NDArray[np.float64]
ByStructure = Mapping[int, Floats]
FEWEST_FRAMES = 3
"""Frames of one system whose order by energy says something."""


def apart(one: ByStructure, other: ByStructure) -> float | None:
    """Return the root mean square difference of a force component, in meV/Angstrom: the median over structures.

    `one` and `other` have forces (n, 3) in eV/Angstrom by structure. None where they have no structure in common. A
    single structure with two atoms on top of each other does not decide.
    """
    each = [float(np.sqrt(((one[i] - other[i]) ** 2).mean())) for i in sorted(one.keys() & other.keys())]
    return 1e3 * statistics.median(each) if each else None


def disagreement(
    name: str, forces: Mapping[str, ByStructure], levels: Mapping[str, str], twins: Mapping[str, str]
) -> float | None:
    """Return how far a method's forces are from those of the others, in meV/Angstrom.

    The median over the levels of theory of the others, each with the median over its methods: five potentials that were
    trained on the same data are one voice. Methods with the same entry in `twins` are one method by several programs,
    whose agreement says nothing. None for a method that stands alone.
    """
    by_level: dict[str, list[float]] = {}
    for other in forces:
        if twins[other] != twins[name] and (found := apart(forces[name], forces[other])) is not None:
            by_level.setdefault(levels[other], []).append(found)
    medians = [statistics.median(values) for values in by_level.values()]
    return statistics.median(medians) if medians else None


def rmsd(one: ByStructure, other: ByStructure, periodic: bool = False) -> float | None:
    """Return how far two methods' relaxed geometries are apart, in Angstrom: the median over their common structures.

    Molecules (n, 3) are superposed; of a crystal, whose axes are fixed, only the common shift is taken out.
    """
    found = [_rmsd(one[i], other[i], periodic) for i in sorted(one.keys() & other.keys())]
    return statistics.median(found) if found else None


def _rmsd(one: Floats, other: Floats, periodic: bool) -> float:
    moved = one - one.mean(axis=0) + other.mean(axis=0) if periodic else superpose(one, other)
    return float(np.sqrt(((moved - other) ** 2).sum(axis=1).mean()))


def order(one: Mapping[int, float], other: Mapping[int, float], systems: Iterable[Sequence[int]]) -> float | None:
    """Return Kendall's tau-b of two methods' energies within systems: 1 for the same order, -1 for the reverse.

    The mean over the systems of which both have at least :data:`FEWEST_FRAMES` frames; None where there is none.
    """
    found = []
    for frames in systems:
        common = [i for i in frames if i in one and i in other]
        if len(common) >= FEWEST_FRAMES:
            tau = float(kendalltau([one[i] for i in common], [other[i] for i in common]).statistic)
            found += [tau] if np.isfinite(tau) else []
    return float(np.mean(found)) if found else None
