"""Compares distances between atoms in a simulation with a reference, with a noise floor for so few trajectories."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np
from ase.data import chemical_symbols

BINS, RANGE = 500, 10.0
"""Of h(r), Angstrom, as in Fu et al. (arXiv:2210.07237)."""
_FINE = 0.005  # Angstrom: bins of the Wasserstein distances, much finer than the differences of interest
_FINE_EDGES = np.arange(0.0, 20.0 + _FINE, _FINE)
_DRAWS = 20
OWN = "own"
"""The name of the reference of any system but naphthalene: the run's own structures."""
SEGMENTS = 8
"""Consecutive parts of the reference, which stand for trajectories: 20 ps each in MD17."""


class Distances:
    """The distances between the atoms of a molecule in some frames.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    frames : ndarray, shape (f, n, 3)
        Positions, Angstrom.
    """

    def __init__(self, numbers: np.ndarray, frames: np.ndarray) -> None:
        first, second = np.triu_indices(len(numbers), 1)
        self.numbers = numbers
        self.each = np.linalg.norm(frames[:, first] - frames[:, second], axis=-1)
        pairs = np.sort(numbers[np.stack([first, second], axis=1)], axis=1)[:, ::-1]  # the heavier first: C-H
        self.classes = {
            "-".join(chemical_symbols[number] for number in pair): np.all(pairs == pair, axis=1)
            for pair in np.unique(pairs, axis=0)[::-1]
        }

    def __len__(self) -> int:
        return len(self.each)

    @functools.cached_property
    def h(self) -> np.ndarray:
        """(500,) density of the distances, 1/Angstrom; distances beyond 10 Angstrom are left out."""
        return _density(self.each)

    @functools.cached_property
    def fine(self) -> dict[str, np.ndarray]:
        """Counts of the distances of each class in fine bins."""
        return {name: _counts(self.each[:, mine]) for name, mine in self.classes.items()}


def _density(distances: np.ndarray) -> np.ndarray:
    return np.histogram(distances, BINS, (0.0, RANGE))[0] / (distances.size * RANGE / BINS)


def _counts(distances: np.ndarray) -> np.ndarray:
    return np.histogram(np.minimum(distances, _FINE_EDGES[-1]), _FINE_EDGES)[0]


def h_error(one: np.ndarray, other: np.ndarray) -> float:
    """Return the integral of the absolute difference of two densities h(r): 0 if they are the same, 2 at most.

    Fu et al. call it the mean absolute error of h(r).
    """
    return float(np.abs(one - other).sum() * RANGE / BINS)


def wasserstein(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Wasserstein-1 distance, Angstrom, of two distributions given as counts in fine bins."""
    from scipy.stats import wasserstein_distance

    centres = (_FINE_EDGES[1:] + _FINE_EDGES[:-1]) / 2
    filled = (one > 0) | (other > 0)
    return float(wasserstein_distance(centres[filled], centres[filled], one[filled], other[filled]))


class Reference:
    """The distances with which a simulation is compared, and the error of a perfect one.

    Parameters
    ----------
    name : str
    numbers : ndarray, shape (n,)
    frames : ndarray, shape (f, n, 3)
        Angstrom, in the order of time where they have one.
    """

    def __init__(self, name: str, numbers: np.ndarray, frames: np.ndarray) -> None:
        self.name = name
        self.frames = frames
        self.distances = Distances(numbers, frames)
        self.planarity = planarity(numbers, frames)
        self._floors: dict[int, tuple[float, dict[str, float]]] = {}

    def errors(self, found: Distances) -> tuple[float, dict[str, float]]:
        """Return the error of h(r) and the Wasserstein distance of each class of pairs."""
        return h_error(found.h, self.distances.h), {
            name: wasserstein(found.fine[name], counts) for name, counts in self.distances.fine.items()
        }

    def floor(self, trajectories: Sequence[Distances]) -> tuple[float, dict[str, float]]:
        """Return the mean of :meth:`errors` for trajectories that differ from the reference by chance alone.

        Frames of a trajectory are not independent: the energy of a C-H stretch stays with it for 20 ps, and with it
        the width of its distances. So the noise is that between whole trajectories, two at least, and between parts of
        the reference.

        The mean absolute difference of two equally noisy quantities is root 2 times that of one from the truth, and
        that of a mean of S of them smaller by root S. The noise of the simulation and of the reference add as squares.
        Where lengths differ, S is that of as many equally long trajectories.
        """
        lengths = np.array([len(one) for one in trajectories], dtype=float)
        ours = _noise(trajectories, float(lengths.sum() ** 2 / (lengths**2).sum()))
        theirs = self._own_noise
        return math.hypot(ours[0], theirs[0]), {name: math.hypot(ours[1][name], theirs[1][name]) for name in ours[1]}

    @functools.cached_property
    def _own_noise(self) -> tuple[float, dict[str, float]]:
        parts = np.array_split(self.frames, min(SEGMENTS, len(self.frames)))
        return _noise([Distances(self.distances.numbers, part) for part in parts], len(parts))

    def least_floor(self, count: int) -> tuple[float, dict[str, float]]:
        """Return the mean of :meth:`errors` for `count` independent frames of the reference itself.

        For frames of one trajectory it is a lower bound. Of a single trajectory no more is known.

        Frames are drawn from it twenty times and compared with all N. Drawn frames are among the N and simulated ones
        are not, so the result is scaled by the root of (1/count + 1/N) over (1/m - 1/N), the variances of a
        difference of means; m is the number of drawn frames, at most N/2.
        """
        if count not in self._floors:
            self._floors[count] = self._floor(count)
        return self._floors[count]

    def _floor(self, count: int) -> tuple[float, dict[str, float]]:
        total = len(self.distances)
        drawn = max(1, min(count, total // 2))
        scale = np.sqrt((1 / count + 1 / total) / (1 / drawn - 1 / total)) if total > 1 else np.nan
        plain = self.drawn(drawn)
        return float(scale * plain[0]), {name: float(scale * value) for name, value in plain[1].items()}

    def drawn(self, count: int) -> tuple[float, dict[str, float]]:
        """Return the mean errors of `count` of the reference's own frames, drawn without repetition."""
        random = np.random.default_rng(0)
        found: list[float] = []
        by_class: dict[str, list[float]] = {name: [] for name in self.distances.classes}
        for _ in range(_DRAWS):
            chosen = self.distances.each[random.choice(len(self.distances), count, replace=False)]
            found.append(h_error(_density(chosen), self.distances.h))
            for name, mine in self.distances.classes.items():
                by_class[name].append(wasserstein(_counts(chosen[:, mine]), self.distances.fine[name]))
        return float(np.mean(found)), {name: float(np.mean(values)) for name, values in by_class.items()}


def _noise(parts: Sequence[Distances], count: float) -> tuple[float, dict[str, float]]:
    """Return how far the mean of `count` such parts is from the truth, on average, from how the parts differ."""
    pairs = list(itertools.combinations(parts, 2))
    scale = 1 / math.sqrt(2 * count)
    return scale * float(np.mean([h_error(one.h, other.h) for one, other in pairs])), {
        name: scale * float(np.mean([wasserstein(one.fine[name], other.fine[name]) for one, other in pairs]))
        for name in parts[0].classes
    }


def planarity(numbers: np.ndarray, frames: np.ndarray) -> float | None:
    """Return how far the heavy atoms are from their best-fit plane; None for fewer than four of them.

    Root mean square distance in Angstrom, mean over the frames, (f, n, 3).
    """
    heavy = frames[:, numbers != 1]
    if heavy.shape[1] < 4 or not len(heavy):
        return None
    centred = heavy - heavy.mean(axis=1, keepdims=True)
    smallest = np.linalg.svd(centred, compute_uv=False)[:, -1]
    return float(np.mean(smallest / np.sqrt(heavy.shape[1])))
