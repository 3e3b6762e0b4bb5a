"""How a campaign shares its time over methods and rounds, and the order of its workers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from bench.core.kind import KINDS
from bench.core.protocol import REPLAY, STRUCTURES
from bench.core.settings import Settings
from bench.engine.sharing import LEARNING_ROUNDS, MOST_ROUNDS
from bench.environments.header import Method
from bench.protocols import PROTOCOLS, phases

# `make bench` ends within half an hour on two cores: this many seconds are shared; the rest is for environments
# and for the step that a DFT method is making when its budget ends
DEFAULT_SECONDS = 1530.0
LEAST_SECONDS = 20.0
ROUND_SECONDS = 10.0


def default_budgets(
    methods: Sequence[Method], devices: Sequence[str], rounds: int, protocols: Sequence[str] = ("relax",)
) -> dict[str, float | None]:
    """Divide half an hour among the methods, minus the time that their workers need to start.

    A DFT method's share is three times that of another; none gets less than twenty seconds. Where a worker has several
    phases, such as structures and md, each has an equal part.
    """
    starts = sum(KINDS[method.kind].start_s for method in methods)
    shares = {method.name: KINDS[method.kind].share for method in methods}
    unit = (DEFAULT_SECONDS / len(devices) - rounds * starts) / sum(shares.values()) / len(phases(tuple(protocols)))
    return {name: round(share * max(unit, LEAST_SECONDS), 1) for name, share in shares.items()}


def total_seconds(protocols: Sequence[str]) -> float | None:
    """Return the seconds for the structures of all methods by default; None where a campaign has no structures."""
    wanted = phases(tuple(protocols))
    return DEFAULT_SECONDS / len(wanted) if STRUCTURES in wanted else None


def rounds_of(budget_s: float | None, protocols: Sequence[str]) -> int:
    """Return the number of rounds where a user chose no more than the budget of each method, in seconds.

    Where only structures are measured, as many as have :data:`ROUND_SECONDS` each, within limits: a round of a few
    seconds is hardly more than a start. The other phases need longer rounds.
    """
    if budget_s is None or phases(tuple(protocols)) != (STRUCTURES,):
        return LEARNING_ROUNDS
    return max(LEARNING_ROUNDS, min(int(budget_s / ROUND_SECONDS), MOST_ROUNDS))


def longest_seconds(settings: Settings, methods: Mapping[str, Method]) -> float | None:
    """Return how long a campaign can take, without the making of environments; None where there is no budget."""
    wanted = [phase for phase in phases(settings.protocols) if phase not in settings.phase_s]
    if settings.total_s is not None:
        return settings.total_s + (len(wanted) - 1) * sum(budget or 0.0 for budget in settings.budget_s.values())
    total = 0.0
    for name in settings.methods:
        budget = settings.budget_s.get(name)
        if budget is None:
            return None
        short = sum(min(budget, seconds) for seconds in settings.phase_s.values())
        starts = (settings.rounds + len(settings.phase_s)) * KINDS[methods[name].kind].start_s
        total += len(settings.devices) * (budget * len(wanted) + short + starts)
    return total


def timeout(settings: Settings, kind: str) -> float:
    """Return how many seconds a worker may be silent: the user's value, else that of its kind."""
    return KINDS[kind].silence_s if settings.timeout_s is None else settings.timeout_s


def order(methods: Sequence[str], round_number: int, seed: int) -> list[str]:
    """Return the order of the methods in a round.

    The first round keeps the given order (light methods first, so that a first row appears soon); the others
    are shuffled with the seed, so that a drift of the machine does not always hit the same method.
    """
    if round_number == 0:
        return list(methods)
    shuffled = list(methods)
    random.Random(f"{seed}-{round_number}").shuffle(shuffled)
    return shuffled


def protocols(settings: Settings, weights: str) -> tuple[str, ...]:
    """Return the protocols for weights of this mode.

    A relaxation or simulation with random weights means nothing, so such a model enters only the replay protocol in
    place of relaxations, whatever the settings say: there it makes the same force calls as a trained one. Of the other
    protocols, it enters those that admit it.
    """
    if weights != "random":
        return settings.protocols
    others = [name for name in settings.protocols if PROTOCOLS[name].phase != STRUCTURES]
    replayed = (REPLAY,) if STRUCTURES in phases(settings.protocols) else ()
    return (*replayed, *(name for name in others if PROTOCOLS[name].random_weights))


def share(budget_s: float | None, spent_s: float, round_number: int, rounds: int) -> float | None:
    """Return for how many seconds a method may begin structures in this round; None: no limit.

    The remaining rounds share the remaining budget.
    """
    if budget_s is None:
        return None
    return max(budget_s - spent_s, 0.0) / max(rounds - round_number, 1)


def answers_of(kind: str, indices: Sequence[int], round_number: int) -> list[int]:
    """Return the structures whose answers are recorded, untimed: five in the first round, but one for DFT.

    Each costs one more force call, a minute with DFT.
    """
    return list(indices[: KINDS[kind].answers]) if round_number == 0 else []
