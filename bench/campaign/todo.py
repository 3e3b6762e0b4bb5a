"""What a round of a method is to measure, and what of it is done: pairs of a protocol and a number.

The number is a structure's index under ``relax``, ``replay`` and ``symmetry``, and a trajectory's under ``md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.campaign.plan import protocols
from bench.campaign.trajectories import in_round, trajectories
from bench.contract.failure import Failure
from bench.contract.protocol import MD, SYMMETRY
from bench.contract.records import (
    CENSORED,
    Relaxation,
    Replay,
    Symmetry,
    Trajectory,
)
from bench.contract.settings import Settings
from bench.methods.header import Method

Item = tuple[str, int]
Measured = Relaxation | Replay | Symmetry | Trajectory


def of_structures(settings: Settings, weights: str, indices: Iterable[int]) -> list[Item]:
    """Return what is to be measured of the structures, structure by structure."""
    wanted = [name for name in protocols(settings, weights) if name != MD]
    return [(name, index) for index in indices for name in wanted]


def of_dynamics(settings: Settings, weights: str, indices: Sequence[int], round_number: int) -> list[Item]:
    """Return what is to be simulated in a round, and in the first one, at which structures forces are examined."""
    if MD not in protocols(settings, weights):
        return []
    examined = indices[:5] if round_number == 0 else ()
    plans = in_round(trajectories(settings.md), round_number, settings.rounds)
    return [(SYMMETRY, index) for index in examined] + [(MD, plan.trajectory) for plan in plans]


def item(record: Measured) -> Item:
    """Return what a record is the result of."""
    if isinstance(record, Trajectory):
        return MD, record.trajectory
    names = {Relaxation: "relax", Replay: "replay", Symmetry: SYMMETRY}
    return names[type(record)], record.structure


def is_dynamics(what: Item) -> bool:
    """Tell whether the time of this is from what dynamics may use."""
    return what[0] in (MD, SYMMETRY)


def is_done(record: Measured) -> bool:
    """Tell whether a resumed run passes over it; a structure that was cut off is measured again."""
    return isinstance(record, Symmetry | Trajectory) or record.status != CENSORED


def lost(settings: Settings, method: Method, device: str, round_number: int, what: Item, failure: Failure) -> Measured:
    """Return the record of what a worker died of."""
    names = {"method": method.name, "device": device, "round": round_number}
    protocol, number = what
    if protocol == MD:
        return failed_trajectory(names, trajectories(settings.md)[number].plain(), failure)
    if protocol == SYMMETRY:
        return Symmetry(**names, structure=number, wall_ns=0, failure=failure)  # type: ignore[arg-type]
    if protocol == "replay":
        return failed_replay(names, number, failure)
    return failed_relaxation(names, number, "native" if method.native else settings.optimizer, failure)
