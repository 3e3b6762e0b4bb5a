"""A short run that shows what each method does on the user's own system, within a few minutes.

All methods that can take the system are started one after another, then they take turns as in any run. What is left of
the time after the starts is shared while it runs: whoever is done leaves its time to the others.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bench.core.device import Device
from bench.core.failure import Failure
from bench.core.settings import Settings
from bench.core.task import Allowance
from bench.data.structures import DataSet
from bench.engine.coverage import in_words, reasons, takes
from bench.engine.in_turns import InTurns, Seat
from bench.engine.one_round import Shared
from bench.engine.runner import Campaign
from bench.environments import checkpoints, environments
from bench.environments.catalogue import Catalogue
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.doctor import obstacle
from bench.environments.header import CRYSTALS, MOLECULES, Header, Method

STARTS = 0.6
"""The share of the time after which no further method starts."""
LEAST = 0.1
"""The share of the time that is left for measuring in any case, even if the last start took long."""
LEAST_SECONDS = 2.0
"""The same for a short time."""
SILENCE_SECONDS = 60.0
"""A method that starts for longer than this without a sign of life is given up, so that the others have their turn."""
MOST_STRUCTURES = 8
"""Of the user's structures that are relaxed."""
DFT = "dft"


class Selected(NamedTuple):
    """The methods that are tried, and why the others are not."""

    methods: list[Method]
    excluded: dict[str, str]


def select(
    catalogue: Catalogue, methods: Sequence[Method], dataset: DataSet, device: str, named: bool, trust: bool
) -> Selected:
    """Sort out what cannot run before anything starts.

    Methods that the user has not `named` must be ready: nothing is fetched for them, and DFT is left out, whose first
    force call may take longer than all others together.
    """
    taken, excluded = [], {}
    for method in methods:
        header = catalogue.header(method)
        reason = _obstacle(method, header, dataset, device) or _unready(method, header, device, named, trust)
        if reason is None and method.engine_of and not named:
            reason = "other code for a model of this list; name it with --methods"
        if reason is None and method.kind == DFT and not named:
            reason = "DFT does not fit into the time; name it with --methods to measure a few steps"
        if reason is None:
            taken.append(method)
        else:
            excluded[method.name] = reason.rstrip(".")
    # the last ones may find no time: DFT, and what is far from what it was made for
    return Selected(
        sorted(taken, key=lambda one: (one.kind == DFT, bool(warnings(original(catalogue, one), dataset)))), excluded
    )


def original(catalogue: Catalogue, method: Method) -> Method:
    """Return the method whose model a method computes: itself, unless it is another engine's."""
    return catalogue.methods.get(method.engine_of, method)


def _obstacle(method: Method, header: Header, dataset: DataSet, device: str) -> str | None:
    failure = obstacle(method, header, Device.parse(device))
    if failure is not None:
        return _bare(method, failure)
    if len(dataset.systems) == 1:
        failure = takes(method, dataset.systems[0])
        return None if failure is None else _bare(method, failure)
    return in_words(reasons(method, dataset.systems), len(dataset.systems)) or None


def _bare(method: Method, failure: Failure) -> str:
    """Return the text of a failure without the method's name before it, so that equal reasons are equal."""
    return failure.message.removeprefix(f"{method.name} ").removeprefix(f"{method.label} ")


def _unready(method: Method, header: Header, device: str, named: bool, trust: bool) -> str | None:
    """Return why a method cannot begin at once: no trained weights, no environment."""
    checkpoint = method.checkpoint
    try:
        checkpoints.find(method, trust)
    except CheckpointMissing as error:
        fetched = checkpoint is not None and checkpoint.url and (checkpoint.sha256 or trust) and not checkpoint.gated
        if not (named and fetched):
            return (
                f"no trained weights here, and random ones cannot advise ({error})"
                if named
                else "no trained weights here"
            )
    if not named and environments.ready(header, device) is None:
        return "its environment is not made yet"
    return None


def warnings(method: Method, dataset: DataSet, md: bool = False) -> tuple[str, ...]:
    """Return in words where a method is far from what it was made for."""
    periodic = [one for one in dataset.systems if one.periodic]
    ions = [one for one in dataset.systems if one.charge]
    found = []
    if method.made_for == CRYSTALS and len(periodic) < len(dataset.systems):
        what = "an ion" if len(ions) == len(dataset.systems) else "a molecule"
        found.append(f"trained on crystals, and this is {what}")
    if method.made_for == MOLECULES and periodic:
        found.append("trained on molecules, and this is periodic")
    if md and not method.conservative:
        found.append("its forces are not the derivative of its energy, so md does not conserve energy")
    return tuple(found)


class _Hurried(InTurns):
    """Turns that end at a given time, however many methods there are."""

    def __init__(self, shared: Shared, seconds: float) -> None:
        super().__init__(shared)
        self.began = time.monotonic()
        self.seconds = seconds
        self.going: Sequence[Seat] = ()

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(self.began + self.seconds - time.monotonic(), 0.0)

    def round(self, seats: Sequence[Seat], warm: Callable[[], None]) -> None:
        """Measure a round of these seats."""
        self.going = seats

        def started() -> None:
            # the last start may have taken longer than all that was left
            self.seconds = max(self.seconds, time.monotonic() - self.began + max(LEAST * self.seconds, LEAST_SECONDS))
            warm()

        super().round(seats, started)

    def _start(self, running: contextlib.ExitStack, seat: Seat) -> None:
        if self.left < (1 - STARTS) * self.seconds:
            self._give_up(
                seat, Failure("no-time", f"the {self.seconds:.0f} s ended before it could start; --budget gives more")
            )
            return
        super()._start(running, seat)

    def _take_turn(self, running: contextlib.ExitStack, seat: Seat) -> None:
        others = max(sum(one.goes_on for one in self.going), 1)
        share = seat.used_s + self.left / others
        seat.this.allowance = Allowance(share, share)
        super()._take_turn(running, seat)


def measure(campaign: Campaign, seconds: float) -> None:
    """Measure the structures of a campaign that has begun, once with each method, for so many seconds.

    Environments are made and weights fetched before the time begins. A method that does not fit into memory beside the
    others has its turn after them, if time is left.
    """
    keys = [(name, device) for device in campaign.settings.devices for name in campaign.settings.methods]
    try:
        for name, device in keys:
            campaign.ready.of(campaign.catalogue.methods[name], device)
        turns = _Hurried(campaign.shared, seconds)
        campaign.in_turns = turns
        while keys and turns.left:
            campaign.planner.owed = []
            campaign.structures(keys, 0)
            keys = list(campaign.planner.owed)
    finally:
        campaign.writer.close()


def settings(
    methods: Iterable[Method], device: str, threads: int, seed: int, trust: bool, dataset: DataSet
) -> Settings:
    """Return the settings of such a run."""
    chosen = list(methods)
    names = tuple(method.name for method in chosen)
    return Settings(
        methods=names,
        devices=(device,),
        threads=threads,
        rounds=1,
        seed=seed,
        limit=min(MOST_STRUCTURES, len(dataset.atoms)),
        repeats=False,
        # a step of DFT is a silence, too
        timeout_s=None if any(method.kind == DFT for method in chosen) else SILENCE_SECONDS,
        weights="pretrained",
        trust=trust,
        budget_s=dict.fromkeys(names),
    )
