"""Do 95 % intervals contain the truth in 95 % of simulated campaigns, and is the estimate right on average?

Each campaign has two methods in the same rounds, whose processes, structures and single times scatter; a round does
something to both. Where time cuts a round, a fast process reaches more structures; the structure in progress when the
time ends counts, as in a real round. The row is the first method's time, the ratio that of both.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.analysis.model import Fit, fit
from bench.analysis.paired import ratio

Floats = NDArray[np.float64]
ALL, PREFIX, ROTATED = "all", "the same first ones", "rotated"
STRUCTURE, REST = 0.10, 0.04
"""Standard deviations of the logarithms of structures, which are skewed as hard structures are, and of single times."""
LENGTH = 0.2
"""The same of the number of steps of a structure's relaxation, which only decides when the time ends."""


@dataclasses.dataclass(frozen=True)
class Campaign:
    """One kind of campaign."""

    rounds: int
    structures: int
    window: str = ALL
    """Which structures a round measures: all, the first ones in its time, or the first ones from its own number on."""
    time: float = math.inf
    """Of a round, in typical times of a structure."""
    process: float = 0.0
    """Standard deviation of the logarithm between fresh processes."""
    common: float = 0.0
    """The same of what a round does to all its methods."""
    bursts: float = 0.0
    """The probability that a stretch of a round is slowed, of all methods, by 1.5 to 3."""
    faster: float = 1.0
    """How many times faster the second method is, and how many times more structures it reaches in the same time."""


def kinds() -> Iterator[Campaign]:
    """Yield all kinds of the study."""
    for rounds, process, common in itertools.product((2, 3, 5, 12), (0.0, 0.05, 0.20), (0.0, 0.10)):
        for structures in (3, 12, 101):
            yield Campaign(rounds, structures, process=process, common=common)
        for window, time in ((PREFIX, 4.0), (ROTATED, 2.0), (ROTATED, 5.0)):
            yield Campaign(rounds, 101, window, time, process, common)
    for rounds, process in itertools.product((3, 5, 12), (0.0, 0.05, 0.20)):
        yield Campaign(rounds, 101, process=process, common=0.10, bursts=0.3)
        yield Campaign(rounds, 101, ROTATED, 5.0, process=process, common=0.10, bursts=0.3)
    for rounds, process, bursts in itertools.product((3, 5, 12), (0.0, 0.05, 0.20), (0.0, 0.3)):
        yield Campaign(rounds, 101, ROTATED, 4.0, process=process, common=0.10, bursts=bursts, faster=8.0)


CORNERS = (
    *(Campaign(rounds, 2, process=process) for rounds in (2, 3, 12) for process in (0.0, 0.05, 0.20)),
    Campaign(1, 101),
    Campaign(3, 1),
)
"""Two structures, and what has no interval."""


def simulated(rng: np.random.Generator, kind: Campaign) -> list[tuple[Floats, float]]:
    """Return two methods whose true means are 0.

    Each with its logarithms, (structures, rounds), and the mean of what its rounds did. That is 0 on average, so a bias
    is seen much more clearly in the estimate less this.
    """
    shape = kind.structures, kind.rounds
    common = rng.normal(0.0, kind.common, (1, kind.rounds))
    slowed = [_Burst.drawn(rng, kind) for _ in range(kind.rounds)]
    found = []
    for time in (kind.time, kind.time * kind.faster):
        structure = STRUCTURE * (rng.gamma(4.0, 0.5, (kind.structures, 1)) - 2.0)
        process = common + rng.normal(0.0, kind.process, (1, kind.rounds))
        bursts = np.stack([one.on(kind.structures, time) for one in slowed], axis=1)
        # the truth is the mean time of a machine that has bursts
        bursts -= kind.bursts * 0.2 * math.log(math.sqrt(1.5 * 3.0))
        logs = process + structure + rng.normal(0.0, REST, shape) + bursts
        lengths = np.exp(rng.normal(0.0, LENGTH, (kind.structures, 1)))
        reached = _reached(lengths * np.exp(logs), kind.window, time)
        found.append((np.where(reached, logs, np.nan), float((process + bursts.mean(axis=0)).mean())))
    return found


def _reached(times: Floats, window: str, limit: float) -> NDArray[np.bool_]:
    structures, rounds = times.shape
    reached = np.zeros(times.shape, dtype=bool)
    for number in range(rounds):
        order = (np.arange(structures) + (number if window == ROTATED else 0)) % structures
        begun = np.concatenate([[0.0], np.cumsum(times[order, number])[:-1]]) < limit
        reached[order[begun], number] = True
    return reached


@dataclasses.dataclass(frozen=True)
class _Burst:
    """What slows a stretch of a round, for all methods alike."""

    slow: float
    """Logarithm of the factor; 0 without a burst."""
    share: float
    """Of the round's time."""
    start: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, kind: Campaign) -> _Burst:
        slow, share, start = rng.uniform(math.log(1.5), math.log(3.0)), rng.uniform(0.1, 0.3), rng.uniform()
        return cls(slow if rng.uniform() < kind.bursts else 0.0, share, start)

    def on(self, structures: int, time: float) -> Floats:
        """Return what it adds to each structure, which a short round also meets."""
        at = (self.start + np.arange(structures) / min(structures, time)) % 1.0
        return np.where(at < self.share, self.slow, 0.0)


def covered(found: Fit) -> bool | None:
    """Return whether the interval contains the truth; None without one."""
    return None if found.lacks else abs(found.mean) <= found.reach()


def study(kind: Campaign, count: int, seed: int) -> dict[str, dict[str, float]]:
    """Return for the row and the ratio: mean log bias, its standard error, coverage, and the median half width."""
    rng = np.random.default_rng(seed)
    rows, ratios = [], []
    for _ in range(count):
        (one, did), (other, other_did) = simulated(rng, kind)
        rows.append((fit(one), did))
        both = ratio(one, other)
        assert both is not None
        ratios.append((both, did - other_did))
    return {"row": _summed_up(rows), "ratio": _summed_up(ratios)}


def _summed_up(found: list[tuple[Fit, float]]) -> dict[str, float]:
    fits = [one for one, _ in found]
    means = np.array([one.mean - did for one, did in found])
    hits = [hit for one in fits if (hit := covered(one)) is not None]
    return {
        "bias": float(means.mean()),
        "error": float(means.std(ddof=1)) / math.sqrt(len(means)),
        "covered": float(np.mean(hits)) if hits else math.nan,
        "without": 1 - len(hits) / len(fits),
        "half_width": float(np.median([one.reach() for one in fits])),
    }


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--corners", action="store_true", help="two structures alone")
    options = parser.parse_args()
    for seed, kind in enumerate(CORNERS if options.corners else kinds()):
        found = study(kind, options.count, seed)
        rounded = {f"{which}_{name}": round(value, 4) for which, one in found.items() for name, value in one.items()}
        known = {name: value for name, value in vars(kind).items() if value != math.inf}
        print(json.dumps(known | rounded), flush=True)


if __name__ == "__main__":
    main()
