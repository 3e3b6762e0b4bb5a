"""What the harness adds to a step: the row's time over that of a plain script in a process of its own, and in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from bench.analysis.model import mean_of
from bench.analysis.statistics import Estimate
from bench.core.message import Pair
from bench.core.overhead import OverheadRound, Relaxed


@dataclasses.dataclass(frozen=True)
class Overhead:
    """What the harness adds to a step of one method; all ratios are paired in rounds."""

    method: str
    row_ms_per_step: float
    """As in the table."""
    script_ms_per_step: float
    """By the plain script, with the worker's environment variables."""
    shell_ms_per_step: float
    """By the plain script, without the variables that set threads."""
    row_over_script: Estimate
    row_over_shell: Estimate
    steps_differ: int
    """The number of rounds in which the script made another number of steps than the harness."""
    ratio: Estimate | None
    """Wall time of a relaxation through the harness over that of a bare one, in the same process; None for a method
    with its own optimiser."""
    bare_ms_per_step: float | None
    added_us_per_step: Estimate | None
    """The ratio's excess over one, times the bare step."""
    bookkeeping_us_per_step: float
    """The observer's own time between steps, by its own clock."""


def summarise(method: str, rounds: Sequence[OverheadRound]) -> Overhead:
    """Return the ratios over the rounds of one method.

    Rounds in which something made no step are left out. Raises ValueError where none is left.
    """
    rounds = [one for one in rounds if _complete(one)]
    if not rounds:
        raise ValueError(f"{method} made no step")
    row = [_per_step([(pair.row_ns, pair.harness_steps) for pair in one.pairs]) / 1e6 for one in rounds]
    script, shell = [_mean(one.script) for one in rounds], [_mean(one.shell) for one in rounds]
    pairs = [pair for one in rounds for pair in one.pairs]
    inside, bare_ms, added = _inside(rounds)
    return Overhead(
        method,
        row_ms_per_step=mean_of(row, "rounds").estimate,
        script_ms_per_step=mean_of(script, "rounds").estimate,
        shell_ms_per_step=mean_of(shell, "rounds").estimate,
        row_over_script=mean_of(np.divide(row, script), "rounds"),
        row_over_shell=mean_of(np.divide(row, shell), "rounds"),
        steps_differ=sum(
            {pair.harness_steps for pair in one.pairs} != {relaxed.steps for relaxed in one.script} for one in rounds
        ),
        ratio=inside,
        bare_ms_per_step=bare_ms,
        added_us_per_step=added,
        bookkeeping_us_per_step=_per_step([(pair.bookkeeping_ns, pair.harness_steps) for pair in pairs]) / 1e3,
    )


def _complete(one: OverheadRound) -> bool:
    return all(
        sum(steps) > 0
        for steps in (
            [pair.harness_steps for pair in one.pairs],
            [relaxed.steps for relaxed in one.script],
            [relaxed.steps for relaxed in one.shell],
        )
    )


def _inside(rounds: Sequence[OverheadRound]) -> tuple[Estimate | None, float | None, Estimate | None]:
    """Return harness over bare in one process, milliseconds per bare step, and the microseconds that are added."""
    groups: list[tuple[Pair, ...]] = [one.pairs for one in rounds if sum(pair.bare_steps for pair in one.pairs)]
    if not groups:
        return None, None, None
    bare = [_per_step([(pair.bare_ns, pair.bare_steps) for pair in group]) for group in groups]
    harness = [_per_step([(pair.harness_ns, pair.harness_steps) for pair in group]) for group in groups]
    ratio, bare_ns = mean_of(np.divide(harness, bare), "rounds"), mean_of(bare, "rounds").estimate

    def added(value: float | None) -> float | None:
        return None if value is None else (value - 1.0) * bare_ns / 1e3

    excess = (ratio.estimate - 1.0) * bare_ns / 1e3
    return (
        ratio,
        bare_ns / 1e6,
        dataclasses.replace(ratio, estimate=excess, low=added(ratio.low), high=added(ratio.high)),
    )


def _per_step(times: Sequence[tuple[int, int]]) -> float:
    """Return the time per step over several relaxations, from the time and the steps of each."""
    return sum(time for time, _ in times) / sum(steps for _, steps in times)


def _mean(relaxed: Sequence[Relaxed]) -> float:
    return sum(one.steps * one.ms_per_step for one in relaxed) / sum(one.steps for one in relaxed)
