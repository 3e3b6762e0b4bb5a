"""The fate of a simulated molecule: bonds that break and form, atoms that leave, and survival over seeds.

The stable time is that of Fu, Wu, Wang, Xie, Keten, Gomez-Bombarelli and Jaakkola, "Forces are not enough"
(TMLR 2023, arXiv:2210.07237): until a bond is more than 0.5 Angstrom from its mean length in the reference.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from ase.data import covalent_radii

BROKEN = 0.5
"""Angstrom from its mean length: a bond beyond this is broken."""
WARNING = 0.25
"""Angstrom: 1.3 times the largest excursion, 0.192, of a bond in 9,633 frames of MD17's naphthalene."""
DETACHED = 2.5
"""Angstrom: a hydrogen without a heavy atom within this distance has left."""
LEAST_PS = 5.0
"""A trajectory that lasts less does not show that a molecule holds together: 25 periods of its slowest vibration."""
BONDED, APART, FORMED = 1.3, 1.45, 1.25
"""In units of the sum of the covalent radii: atoms of the undistorted molecule closer than the first are bonded, those
further apart than the second are not, and these have formed a bond once they are closer than the third; pairs between
the first two count as neither."""

INTACT, BOND_BROKEN, BOND_FORMED, H_DETACHED, EXPLOSION, NAN, GAVE_UP = KINDS = (
    *("intact", "bond broken", "new bond", "H detached"),
    *("explosion", "NaN", "gave up"),
)
"""The possible fates of a trajectory, from best to worst; each has one of them."""
METHODS_DOING = {"nan": NAN, "explosion": EXPLOSION, "calculator": GAVE_UP, "optimizer": GAVE_UP, "elements": GAVE_UP}
"""Failures caused by the method. Any other is the machine's fault, and censors the trajectory."""


@dataclasses.dataclass(frozen=True)
class Topology:
    """The bonds of the undistorted molecule."""

    numbers: np.ndarray
    """(n,)"""
    bonds: np.ndarray
    """(b, 2) indices."""
    lengths: np.ndarray
    """(b,) mean length in the frames of the reference that have the bond, Angstrom; else that of the molecule."""
    strangers: np.ndarray
    """(s, 2) pairs that are clearly not bonded."""
    shifts: np.ndarray | None = None
    """(b, 3) Angstrom, of a crystal: from the second atom of a bond to the image that is meant."""
    stranger_shifts: np.ndarray | None = None
    """(s, 3) likewise."""
    limits: np.ndarray | float = BROKEN
    """(b,) Angstrom from its length: a bond beyond this is broken, and beyond half of it a warning."""
    lattice: np.ndarray | None = None
    """(3, 3) of a crystal, Angstrom: its periodic vectors, zeros in the other directions."""


def topology(numbers: np.ndarray, undistorted: np.ndarray, frames: np.ndarray) -> Topology:
    """Return the bonds of a molecule.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    undistorted : ndarray, shape (n, 3)
        Angstrom.
    frames : ndarray, shape (f, n, 3)
        Of the reference; they give the mean length of each bond, over the frames in which it is one.
    """
    first, second = np.triu_indices(len(numbers), 1)
    lengths = _length(undistorted[None], first, second)[0]
    radii = covalent_radii[numbers[first]] + covalent_radii[numbers[second]]
    near, far = lengths < BONDED * radii, lengths > APART * radii
    bonds = np.stack([first[near], second[near]], axis=1)
    each = _length(frames, bonds[:, 0], bonds[:, 1])
    # a user's file may be a scan, whose stretched frames have nothing to do with the length of the bond
    whole = np.ma.masked_greater_equal(each, BONDED * radii[near])
    means = whole.mean(axis=0).filled(np.nan)
    means = np.where(np.isnan(means), lengths[near], means)
    return Topology(numbers, bonds, means, np.stack([first[far], second[far]], axis=1))


def _length(frames: np.ndarray, first: np.ndarray, second: np.ndarray, shifts: np.ndarray | None = None) -> np.ndarray:
    vectors = frames[:, second] - frames[:, first]
    return np.linalg.norm(vectors if shifts is None else vectors + shifts, axis=-1)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The fate of one trajectory."""

    kind: str
    """The worst of :data:`KINDS` that happened in it."""
    step: int | None
    """When it first happened; None for an intact one."""
    simulated_ps: float
    stable_ps: float
    """Until a bond broke or the trajectory failed, else the whole simulated time."""
    ended: bool
    """Whether an event ended the stable time; otherwise it is censored there."""
    warned_ps: float | None
    """When a bond was first further than 0.25 Angstrom from its mean length."""
    largest: float | None
    """Largest deviation of a bond from its mean length, Angstrom."""


def outcome(
    frames: np.ndarray, times_ps: np.ndarray, molecule: Topology, frame_every: int, failure: str | None = None
) -> Outcome:
    """Return the fate of a trajectory.

    Parameters
    ----------
    frames : ndarray, shape (f, n, 3)
        Positions, Angstrom; frame 0 is the start.
    times_ps : ndarray, shape (s + 1,)
        Of the steps; the last is how long it lasted.
    molecule : Topology
    frame_every : int
        Steps from a frame to the next: events are seen at most this many steps late.
    failure : str, optional
        The class of failure that ended it.
    """
    seen = {kind: int(moments[0]) * frame_every for kind, moments in _moments(frames, molecule).items() if len(moments)}
    simulated = float(times_ps[-1]) if len(times_ps) else 0.0
    last = len(times_ps) - 1
    died_of = METHODS_DOING.get(failure or "")
    steps = {kind: step for kind, step in seen.items() if kind in KINDS}
    if died_of:
        steps[died_of] = max(last, 0)
    kind = max(steps, key=KINDS.index, default=INTACT)
    ends = [seen[BOND_BROKEN]] if BOND_BROKEN in seen else []
    ends += [max(last, 0)] if died_of else []
    excursions = _excursions(frames, molecule)
    return Outcome(
        kind=kind,
        step=steps.get(kind),
        simulated_ps=simulated,
        stable_ps=float(times_ps[min(ends)]) if ends and len(times_ps) else simulated,
        ended=bool(ends),
        warned_ps=float(times_ps[seen[_WARNED]]) if _WARNED in seen else None,
        largest=float(excursions.max()) if excursions.size else None,
    )


_WARNED = "warned"


def _moments(frames: np.ndarray, molecule: Topology) -> dict[str, np.ndarray]:
    """Return the frames with an event, by its kind."""
    if not len(frames):
        return {}
    excursions = _excursions(frames, molecule)
    numbers, strangers = molecule.numbers, molecule.strangers
    radii = covalent_radii[numbers[strangers[:, 0]]] + covalent_radii[numbers[strangers[:, 1]]]
    close = _length(frames, strangers[:, 0], strangers[:, 1], molecule.stranger_shifts) < FORMED * radii
    hydrogens, heavy = np.flatnonzero(numbers == 1), np.flatnonzero(numbers != 1)
    alone = np.zeros(len(frames), dtype=bool)
    for hydrogen in hydrogens if len(heavy) else ():
        alone |= _nearest(frames, int(hydrogen), heavy, molecule.lattice) > DETACHED
    return {
        _WARNED: np.flatnonzero((excursions > WARNING / BROKEN * molecule.limits).any(axis=1)),
        BOND_BROKEN: np.flatnonzero((excursions > molecule.limits).any(axis=1)),
        BOND_FORMED: np.flatnonzero(close.any(axis=1)),
        H_DETACHED: np.flatnonzero(alone),
    }


def _excursions(frames: np.ndarray, molecule: Topology) -> np.ndarray:
    """Return how far each bond is from its mean length in each frame, (f, b) in Angstrom."""
    first, second = molecule.bonds.T
    return np.abs(_length(frames, first, second, molecule.shifts) - molecule.lengths)


def _nearest(frames: np.ndarray, atom: int, others: np.ndarray, lattice: np.ndarray | None) -> np.ndarray:
    """Return the distance of an atom from the nearest of others, and of their images, in each frame, (f,)."""
    vectors = frames[:, others] - frames[:, [atom]]
    if lattice is not None:
        inverse = np.linalg.pinv(lattice)
        vectors = vectors - np.round(vectors @ inverse) @ lattice
        around = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ lattice
        vectors = vectors[:, :, None] + around
    return np.linalg.norm(vectors, axis=-1).reshape(len(frames), -1).min(axis=1)


@dataclasses.dataclass(frozen=True)
class Survival:
    """How long the molecule holds together, over the seeds: Kaplan and Meier's estimate."""

    median_ps: float | None
    """None where more than half of the molecules outlive the simulated time."""
    longest_ps: float
    """Longest stable time, ended or not."""
    ended: int
    """Trajectories whose stable time ended during the simulation."""
    count: int
    times_ps: tuple[float, ...]
    """Where the curve steps down or a trajectory is censored."""
    shares: tuple[float, ...]
    """Share of trajectories still stable after each of those times."""


def survival(outcomes: Sequence[Outcome]) -> Survival | None:
    """Return the survival over trajectories, censored where no event ended them; None without trajectories.

    E. L. Kaplan and P. Meier, J. Am. Stat. Assoc. 53, 457 (1958), in SciPy's implementation.
    """
    from scipy.stats import CensoredData, ecdf

    if not outcomes:
        return None
    ended = [one.stable_ps for one in outcomes if one.ended]
    censored = [one.stable_ps for one in outcomes if not one.ended]
    curve = ecdf(CensoredData(uncensored=ended, right=censored)).sf
    below = np.flatnonzero(curve.probabilities <= 0.5)
    return Survival(
        median_ps=float(curve.quantiles[below[0]]) if len(below) and ended else None,
        longest_ps=max(one.stable_ps for one in outcomes),
        ended=len(ended),
        count=len(outcomes),
        times_ps=tuple(map(float, curve.quantiles)),
        shares=tuple(map(float, curve.probabilities)),
    )
