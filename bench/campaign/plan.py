"""What a campaign measures: its settings, the order of its workers, and how a time budget is shared."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Sequence
from typing import Any

from bench.adapter import Method
from bench.campaign.dynamics import Dynamics
from bench.errors import BadInput

MD, SYMMETRY = "md", "symmetry"  # the second is a part of the first
PROTOCOLS = ("relax", "replay", MD)
WEIGHTS = ("auto", "pretrained", "random")
OPTIMIZERS = ("BFGS", "CG")

# `make bench` ends within half an hour on two cores: so many seconds are shared, and the rest is for environments
# and for the step that a DFT method has in flight when its budget ends
DEFAULT_SECONDS = 1530.0
START_SECONDS = {"mlip": 12.0}  # of a worker before it measures; less where nothing is imported or compiled
START_SECONDS_OTHERWISE = 3.0
LEAST_SECONDS = 20.0
DFT_SHARE = 3.0  # a DFT step takes a minute, so its share is larger
FINGERPRINT = 5  # structures
REPEATS_SHARE = 0.2  # of the whole budget, for rounds that were disturbed


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a user can choose about a campaign; it is kept in the run directory as it is."""

    methods: tuple[str, ...]
    devices: tuple[str, ...] = ("cpu",)
    protocols: tuple[str, ...] = ("relax",)
    optimizer: str = "BFGS"
    fmax: float = 0.05
    """Convergence criterion: largest force on an atom, eV/Angstrom."""
    max_steps: int = 500
    threads: int = 1
    rounds: int = 3
    budget_s: dict[str, float | None] = dataclasses.field(default_factory=dict)
    """Seconds of measuring that each method has, all rounds together, and as many of simulating; None: no limit."""
    timeout_s: float | None = None
    """A worker that gives no sign of life for this long is ended; None: see :func:`timeout`."""
    memory_limit_bytes: int | None = None
    seed: int = 0
    limit: int | None = None
    """Only so many structures of the data set."""
    repeats: bool = True
    """Measure disturbed rounds again."""
    torch_backend: str | None = None
    weights: str = "auto"
    """``pretrained``, ``random``, or ``auto``: random ones where the checkpoint cannot be had."""
    replay_points: int = 10
    md: Dynamics = dataclasses.field(default_factory=Dynamics)
    checkpoint: str | None = None
    """The user's own checkpoint, for the one method of the campaign."""
    trust: bool = False
    """Use checkpoints whose hash nobody publishes."""
    pythons: dict[str, str] = dataclasses.field(default_factory=dict)
    """Interpreters that the user brings, by method."""

    def __post_init__(self) -> None:
        _one_of("protocol", self.protocols, PROTOCOLS)
        _one_of("optimizer", [self.optimizer], OPTIMIZERS)
        _one_of("weights mode", [self.weights], WEIGHTS)
        _positive("--replay-points", self.replay_points)
        if self.weights == "random" and MD in self.protocols:
            raise BadInput("--weights random cannot be simulated: what random weights hold together is no molecule.")
        if self.checkpoint is not None and len(self.methods) != 1:
            raise BadInput("--checkpoint belongs to one method; name it with --methods.")
        for name in self.pythons:
            if name not in self.methods:
                raise BadInput(f"--python names {name!r}, which is not measured; name it with --methods, too.")
        for device in self.devices:
            kind, _, number = device.partition(":")
            if kind not in ("cpu", "cuda") or (kind == "cpu" and number) or (number and not number.isdigit()):
                raise BadInput(f"there is no device {device!r}; use cpu, cuda or cuda:N.")
        _positive("--fmax", self.fmax)
        _positive("--max-steps", self.max_steps)
        _positive("--threads", self.threads)
        _positive("--rounds", self.rounds)
        if self.timeout_s is not None:
            _positive("--timeout", self.timeout_s)
        for budget in self.budget_s.values():
            if budget is not None:
                _positive("--budget", budget)
        if self.limit is not None:
            _positive("--limit", self.limit)
        if self.memory_limit_bytes is not None:
            _positive("--memory-limit", self.memory_limit_bytes)


def _one_of(what: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise BadInput(f"there is no {what} {name!r}; use {' or '.join(known)}.")


def _positive(what: str, value: float) -> None:
    if not value > 0 or value == float("inf"):
        raise BadInput(f"{what} is {value:g}; it has to be a number above zero.")


def default_budgets(
    methods: Sequence[Method], devices: Sequence[str], rounds: int, protocols: Sequence[str] = ("relax",)
) -> dict[str, float | None]:
    """Share half an hour over the methods, less what their workers need to start.

    A DFT method's share is three times that of another; none gets less than twenty seconds. Where structures are
    measured and dynamics is simulated, each has half.
    """
    halves = 2 if MD in protocols and len(protocols) > 1 else 1
    starts = sum(START_SECONDS.get(method.kind, START_SECONDS_OTHERWISE) for method in methods)
    shares = {method.name: DFT_SHARE if method.kind == "dft" else 1.0 for method in methods}
    unit = (DEFAULT_SECONDS / len(devices) - rounds * starts) / sum(shares.values()) / halves
    return {name: round(share * max(unit, LEAST_SECONDS), 1) for name, share in shares.items()}


def timeout(settings: Settings, kind: str) -> float:
    """Return how many seconds a worker may be silent: as the user says, else 15 minutes, an hour for DFT.

    A worker speaks after every step; one DFT step on a small machine takes minutes.
    """
    if settings.timeout_s is not None:
        return settings.timeout_s
    return 3600.0 if kind == "dft" else 900.0


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

    What a model with random weights relaxes or simulates is no molecule, so it enters the replay protocol only:
    there it makes the same force calls as a trained one.
    """
    if weights != "random":
        return settings.protocols
    return () if settings.protocols == (MD,) else ("replay",)


def share(budget_s: float | None, spent_s: float, round_number: int, rounds: int) -> float | None:
    """Return the seconds in which a worker of this round may begin structures; None: no limit.

    What is left of the budget is shared by the rounds that are left. The structure in flight when the share
    ends is finished while the method's whole budget lasts, so that only a slow method's is cut off.
    """
    if budget_s is None:
        return None
    return max(budget_s - spent_s, 0.0) / (rounds - round_number)


def fingerprint_of(kind: str, indices: Sequence[int], round_number: int) -> list[int]:
    """Return the structures that a worker answers for, outside the clock: five in the first round, one of them for DFT.

    Each costs a force call more, a minute with DFT.
    """
    return list(indices[: 1 if kind == "dft" else FINGERPRINT]) if round_number == 0 else []


AS_BEFORE = "as before"


def settings_from(stored: dict[str, Any], budget: float | str | None = AS_BEFORE) -> Settings:
    """Return the settings of a stored campaign, with another budget for each method if one is given."""
    kept = dict(stored)
    for name in ("methods", "devices", "protocols"):
        kept[name] = tuple(kept[name])
    if not isinstance(budget, str):
        kept["budget_s"] = dict.fromkeys(kept["methods"], budget)
    if "md" in kept:
        kept["md"] = Dynamics(**{**kept["md"], "ensembles": tuple(kept["md"]["ensembles"])})
    return Settings(**kept)
