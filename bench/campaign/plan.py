"""How a campaign shares its time over methods and rounds, and the order of its workers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from bench.contract.kind import KINDS
from bench.contract.protocol import REPLAY, STRUCTURES, phases
from bench.contract.settings import Settings
from bench.methods.header import Method

# `make bench` ends within half an hour on two cores: so many seconds are shared, and the rest is for environments
# and for the step that a DFT method has in flight when its budget ends
DEFAULT_SECONDS = 1530.0
LEAST_SECONDS = 20.0
REPEATS_SHARE = 0.2  # of the whole budget, for rounds that were disturbed


def default_budgets(
    methods: Sequence[Method], devices: Sequence[str], rounds: int, protocols: Sequence[str] = ("relax",)
) -> dict[str, float | None]:
    """Share half an hour over the methods, less what their workers need to start.

    A DFT method's share is three times that of another; none gets less than twenty seconds. Where a worker has several
    phases, such as structures and md, each has an equal part.
    """
    starts = sum(KINDS[method.kind].start_s for method in methods)
    shares = {method.name: KINDS[method.kind].share for method in methods}
    unit = (DEFAULT_SECONDS / len(devices) - rounds * starts) / sum(shares.values()) / len(phases(tuple(protocols)))
    return {name: round(share * max(unit, LEAST_SECONDS), 1) for name, share in shares.items()}


def timeout(settings: Settings, kind: str) -> float:
    """Return how many seconds a worker may be silent: as the user says, else as its kind has it."""
    return KINDS[kind].silence_s if settings.timeout_s is None else settings.timeout_s


def order(methods: Sequence[str], round_number: int, seed: int) -> list[str]:
    """Return the order of the methods in a round.

    The first round keeps the given one (light methods first, so that a first row appears soon); the others
    are shuffled by the seed, so that a drift of the machine hits no method always at the same place.
    """
    if round_number == 0:
        return list(methods)
    shuffled = list(methods)
    random.Random(f"{seed}-{round_number}").shuffle(shuffled)
    return shuffled


def protocols(settings: Settings, weights: str) -> tuple[str, ...]:
    """Return the protocols that weights of this mode are measured by.

    What a model with random weights relaxes or simulates is no molecule, so it enters the replay protocol only,
    whatever the settings say: there it makes the same force calls as a trained one. Where no
    structures are measured, it has none.
    """
    if weights != "random":
        return settings.protocols
    return (REPLAY,) if STRUCTURES in phases(settings.protocols) else ()


def share(budget_s: float | None, spent_s: float, round_number: int, rounds: int) -> float | None:
    """Return the seconds in which a worker of this round may begin structures; None: no limit.

    What is left of the budget is shared by the rounds that are left. The structure in flight when the share
    ends is finished while the method's whole budget lasts, so that only a slow method's is cut off.
    """
    if budget_s is None:
        return None
    return max(budget_s - spent_s, 0.0) / (rounds - round_number)


def answers_of(kind: str, indices: Sequence[int], round_number: int) -> list[int]:
    """Return the structures that a worker answers for, outside the clock: five in the first round, one of them for DFT.

    Each costs a force call more, a minute with DFT.
    """
    return list(indices[: KINDS[kind].answers]) if round_number == 0 else []
