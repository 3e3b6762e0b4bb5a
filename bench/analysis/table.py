"""The result of an analysis: a table of frozen values, and the only input of a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from bench.analysis.disturbed import Disturbance
from bench.analysis.joules import JouleFigures
from bench.analysis.like_steps import StepTimes
from bench.analysis.methods import MeasuredMethod
from bench.analysis.ordering import Ranks, Relative
from bench.analysis.per_molecule import Steps
from bench.analysis.relaxation import RelaxationFigures
from bench.analysis.statistics import Estimate
from bench.analysis.times import Times
from bench.core.description import Description
from bench.core.device import Device, is_accelerator
from bench.core.kind import rank
from bench.core.protocol import RELAX, REPLAY
from bench.protocols import PROTOCOLS


@dataclasses.dataclass(frozen=True)
class Published:
    """One row of the published table: milliseconds per optimisation step, as printed."""

    method: str
    label: str
    kind: str
    cpu_ms_per_step: float | None
    gpu_ms_per_step: float | None
    alternative_cpu_ms_per_step: float | None
    """Another reading of the same printed figure."""
    note: str

    def on(self, device: str) -> float | None:
        """Return the figure with which a measurement on `device` is compared."""
        found: float | None = getattr(self, Device.parse(device).kind.published)
        return found


@dataclasses.dataclass(frozen=True)
class Coverage:
    """At how many systems of the data set a method was measured."""

    systems: int
    of: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row(MeasuredMethod):
    """One method with one kind of weights, under one protocol, on one device.

    It is the facts about the method and its times; what relaxations give besides, and joules, are values of their own.
    :attr:`time` is that of an optimisation step. Where only force calls were made along a replayed path, it is that of
    a call, and the optimiser is None.
    """

    protocol: str = RELAX
    done: int | None = None
    """Structures that ended, converged or at the step cap, or whose whole path was replayed; None where a published
    table does not say."""
    total: int | None = None
    converged: int | None = None
    """Structures that converged in at least one round; under ``replay`` those that are done."""
    coverage: Coverage | None = None
    """The systems with a time; None where a published table does not say."""
    at_minimum: tuple[str, ...] = ()
    """The systems of which every structure converged before the first step: they have no time of a step."""
    left_out: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The systems that the method cannot take, with the reason."""
    rounds: int = 0
    """Rounds with at least one measured step or call."""
    round_spread: float | None = None
    """Slowest round over fastest, over the structures common to all rounds; None for fewer than two."""
    node_spread: float | None = None
    """Slowest node over fastest, in a run that was merged from several; None for one machine."""
    node_share: float | None = None
    """The part of the rounds' variance that is between nodes; None where it cannot be told."""
    ms_per_step: Estimate | None = None
    """Calculator and optimiser; under ``replay`` for each geometry of the path."""
    calculator_ms_per_call: Estimate | None = None
    calculator_share: float | None = None
    """Share of the step time spent in the calculator, 0 to 1."""
    ms_per_molecule: Estimate | None = None
    """Milliseconds of a relaxation that converges, the force call before its first step included."""
    ms_per_molecule_at_least: float | None = None
    """A lower bound of the same, where the budget cut off so many that no more can be said; otherwise None."""
    taken: Steps | None = None
    """How many steps its relaxations take."""
    per_molecule_relative: Estimate | None = None
    """How many times slower it is per relaxed molecule than the method of ``relative``."""
    speedup_over_cpu: Estimate | None = None
    """On an accelerator: how many times faster than the same method on the CPU, paired over structures."""
    rank: Ranks | None = None
    """Its place among the methods on its device; None where that is not known, and in the replay row of a method that
    was relaxed."""
    relative: Relative | None = None
    """Times slower than the fastest MLIP, or than the reference that was asked for; None where it is not known."""
    outliers: int = 0
    """Structures whose time is flagged; they stay in the mean."""
    failures: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Number of failures by class."""
    paper_ms_per_step: float | None = None
    answers: tuple[str, ...] | None = None
    """Where the answers differ from the baseline; empty where they are the same, None where there is none."""
    doubts: tuple[str, ...] = ()
    """What makes the method's times doubtful; see :mod:`bench.analysis.doubts`."""
    relaxation: RelaxationFigures = dataclasses.field(default_factory=RelaxationFigures)
    """What only relaxations give."""
    energy: JouleFigures = dataclasses.field(default_factory=JouleFigures)
    own: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """By protocol, what one with a table of its own found of the method."""

    @property
    def name(self) -> str:
        """The label, with a remark where the weights are random."""
        return f"{self.label} (random weights)" if self.weights == "random" else self.label

    @property
    def on(self) -> Device:
        """The device."""
        return Device.parse(self.device)

    @property
    def time(self) -> Estimate | None:
        """Milliseconds per step, or per force call where there is nothing else."""
        return self.calculator_ms_per_call if self.of_calls else self.ms_per_step

    @property
    def of_calls(self) -> bool:
        """Whether its time is that of a force call alone: a replay without the updates of an optimiser."""
        return self.protocol == REPLAY and self.ms_per_step is None

    @property
    def joules(self) -> Estimate | None:
        """Joules per step, or per force call where the time is that of a call."""
        return self.energy.joules_per_call if self.of_calls else self.energy.joules_per_step

    @property
    def joules_net(self) -> Estimate | None:
        """The same, less those of the idle machine."""
        return self.energy.joules_per_call_net if self.of_calls else self.energy.joules_per_step_net

    @property
    def measured(self) -> bool:
        """Whether there is a time."""
        return self.time is not None

    @property
    def ratio_to_paper(self) -> Estimate | None:
        """Our time over the published one per step; where ours is of a force call, BFGS makes one in a step."""
        if self.time is None or not self.paper_ms_per_step:
            return None
        return self.time.scaled(1.0 / self.paper_ms_per_step)

    @property
    def interval_over(self) -> str | None:
        """``structures``, over which (and the rounds) the interval of the time is taken; None without one."""
        return self.time.over if self.time else None


@dataclasses.dataclass(frozen=True)
class Mean:
    """A geometric mean of speed-ups over methods."""

    name: str
    methods: tuple[str, ...]
    """The averaged methods."""
    reference: tuple[str, ...]
    """The methods they are compared with; empty where each is compared with itself on the other device."""
    estimate: float
    low: float | None
    high: float | None
    n: int | None
    """The number of structures common to all of them; None where a published table does not say."""
    protocol: str = RELAX
    """The protocol of all the rows in it."""
    of_calls: bool = False
    """Whether its ratios are of force calls: some of its methods have no time of a step in this protocol."""
    per_molecule: Estimate | None = None
    """The same ratio per relaxed molecule; None where a method relaxed none."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper, and the verdict of this table."""

    text: str
    verdict: str
    """``holds``, ``does not hold``, ``undecided`` (the interval has the threshold inside) or ``not measured``."""
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    protocol: str = RELAX
    """The protocol of the rows behind the figure."""
    random: tuple[str, ...] = ()
    """The methods behind the figure that ran with random weights."""


CAMPAIGN, PAPER = "campaign", "paper"


@dataclasses.dataclass(frozen=True)
class Table:
    """The result of a campaign, or the published table, ready to be rendered."""

    description: Description
    """The description of the campaign, or what the published table states."""
    rows: tuple[Row, ...]
    geometric_means: tuple[Mean, ...] = ()
    published_means: tuple[Mean, ...] = ()
    """The same over the published methods alone, by which the paper's claims are judged."""
    source: str = CAMPAIGN
    """:data:`CAMPAIGN` or :data:`PAPER`."""
    title: str = ""
    """The source of the publication; empty for a campaign."""
    claims: tuple[Claim, ...] = ()
    rank_correlation: tuple[float, int] | None = None
    """Spearman's, of the CPU times with the published ones, and the number of methods."""
    published: tuple[Published, ...] = ()
    """The published rows with which rows of this table are compared."""
    disturbances: tuple[Disturbance, ...] = ()
    revisits: int = 0
    """Structures that were measured again, because the method's threads had waited long for a core."""
    damaged: tuple[int, ...] = ()
    """Lines of the run's records that could not be read."""

    @property
    def is_paper(self) -> bool:
        """Whether it is the published table."""
        return self.source == PAPER

    def only(self, protocol: str) -> Table:
        """Return the part for one protocol; it may have no rows."""
        return dataclasses.replace(
            self,
            rows=tuple(row for row in self.rows if row.protocol == protocol),
            geometric_means=tuple(mean for mean in self.geometric_means if mean.protocol == protocol),
            claims=tuple(claim for claim in self.claims if claim.protocol == protocol),
        )


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort light kinds first, fast methods first, then relaxations and the CPU first; unmeasured methods last."""
    rows = list(rows)
    protocols = list(PROTOCOLS)
    fastest: dict[str, float] = {}
    for row in sorted(rows, key=lambda row: (protocols.index(row.protocol), is_accelerator(row.device))):
        if row.time is not None:
            fastest.setdefault(row.method, row.time.estimate)
    return sorted(
        rows,
        key=lambda row: (
            rank(row.kind),
            fastest.get(row.method, float("inf")),
            row.method,
            protocols.index(row.protocol),
            is_accelerator(row.device),
            row.device,
        ),
    )


def chosen(rows: Iterable[Row]) -> list[Row]:
    """Return the rows by which methods are ordered: those with a time of a step, each method once on each device.

    A relaxation counts more than a replayed path, which is all that a model with random weights has. Where no row has a
    time of a step, these are the rows with the time of a force call; a call and a step are not compared.
    """
    timed = [row for row in rows if row.time is not None and (row.protocol == REPLAY or row.weights != "random")]
    steps = [row for row in timed if not row.of_calls]
    relaxed = {row.key for row in steps if row.protocol == RELAX}
    return [row for row in steps or timed if row.protocol == RELAX or row.key not in relaxed]


def times_of(rows: Iterable[Row], measured: Mapping[str, Times]) -> Times:
    """Return the times of chosen rows.

    Parameters
    ----------
    rows : iterable of Row
        Those of :func:`chosen`, or some of them.
    measured : mapping of protocol to Times
        Milliseconds per step or, in replayed paths without an optimiser, per force call.
    """
    rows = list(rows)
    found = {row.key: measured[row.protocol][row.key] for row in rows}
    relaxed = measured[RELAX]
    if not isinstance(relaxed, StepTimes):
        return found
    walked = frozenset(row.key for row in rows if row.protocol == REPLAY)
    return StepTimes(found, relaxed.cut, relaxed.steps, relaxed.system_of, walked)
