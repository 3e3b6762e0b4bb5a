"""What the harness adds to a step, from pairs of the same relaxation, bare and through the harness."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from bench.analysis.model import mean_of
from bench.analysis.statistics import Estimate
from bench.contract.message import Pair


@dataclasses.dataclass(frozen=True)
class Overhead:
    """What the harness adds to a step of one method."""

    method: str
    ratio: Estimate
    """Time per step through the harness over time per step bare, paired over structures."""
    bare_ms_per_step: float
    added_us_per_step: Estimate
    """The ratio's excess over one, times the bare step."""
    bookkeeping_us_per_step: float
    """The observer's own time between steps, by its own clock."""


def summarise(method: str, pairs: Sequence[Pair]) -> Overhead:
    """Return the paired ratio over structures from a worker's pairs.

    Raises ValueError where no pair made a step.
    """
    by_structure: dict[int, list[Pair]] = {}
    for pair in pairs:
        if pair.bare_steps and pair.harness_steps:
            by_structure.setdefault(pair.structure, []).append(pair)

    if not by_structure:
        raise ValueError(f"{method} made no step")
    groups = by_structure.values()
    bare = [sum(pair.bare_ns for pair in group) / sum(pair.bare_steps for pair in group) for group in groups]
    harness = [sum(pair.harness_ns for pair in group) / sum(pair.harness_steps for pair in group) for group in groups]
    ratio = mean_of([with_it / without for with_it, without in zip(harness, bare, strict=True)], "structures")
    bare_ns = mean_of(bare, "structures").estimate

    def added(value: float | None) -> float | None:
        return None if value is None else (value - 1.0) * bare_ns / 1e3

    kept = [pair for group in groups for pair in group]
    return Overhead(
        method,
        ratio,
        bare_ns / 1e6,
        dataclasses.replace(
            ratio, estimate=(ratio.estimate - 1.0) * bare_ns / 1e3, low=added(ratio.low), high=added(ratio.high)
        ),
        sum(pair.bookkeeping_ns for pair in kept) / sum(pair.harness_steps for pair in kept) / 1e3,
    )
