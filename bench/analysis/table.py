"""What an analysis ends in: a table of frozen values, and all that a report ever sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bench.analysis.disturbed import Disturbance
from bench.analysis.statistics import Estimate
from bench.contract.kind import rank

if TYPE_CHECKING:
    from bench.analysis.simulated import Stability

RELAX, REPLAY = "relax", "replay"
PROTOCOLS = (RELAX, REPLAY)


@dataclasses.dataclass(frozen=True)
class Published:
    """One row of the published table: milliseconds of an optimisation step, as printed."""

    method: str
    label: str
    kind: str
    cpu_ms_per_step: float | None
    gpu_ms_per_step: float | None
    alternative_cpu_ms_per_step: float | None
    """Another reading of the same printed figure."""
    note: str

    def on(self, device: str) -> float | None:
        """Return the figure that a measurement on `device` is compared with."""
        return self.cpu_ms_per_step if device == "cpu" else self.gpu_ms_per_step


@dataclasses.dataclass(frozen=True)
class Row:
    """One method with one kind of weights, under one protocol, on one device.

    Under the protocol ``relax`` the row is about the time of an optimisation step, under ``replay`` about that of a
    force call; :attr:`time` is the one that it is about.
    """

    method: str
    label: str
    kind: str
    weights: str | None
    device: str
    protocol: str = RELAX
    family: str | None = None
    dtype: str | None = None
    threads: int | None = None
    optimizer: str | None = None
    """None under ``replay``, where no optimiser is at work."""
    parameters: int | None = None
    paper: str | None = None
    """The method of the published table that this one is compared with."""
    note: str = ""
    done: int | None = None
    """Structures that ended, converged or at the step cap, or whose whole path was replayed; None where a published
    table does not tell."""
    total: int | None = None
    converged: int | None = None
    """Structures that converged in at least one round; under ``replay`` those that are done."""
    rounds: int = 0
    """Rounds with at least one measured step or call."""
    round_spread: float | None = None
    """Slowest round over fastest, over the structures common to all rounds; None for fewer than two."""
    steps_per_structure: float | None = None
    steps_measured: int = 0
    force_calls_per_step: float | None = None
    ms_per_step: Estimate | None = None
    calculator_ms_per_call: Estimate | None = None
    calculator_share: float | None = None
    """Part of the step time that is spent in the calculator, 0 to 1."""
    speedup_over_cpu: Estimate | None = None
    """On another device: how many times faster than the same method on the CPU, paired over structures."""
    outliers: int = 0
    """Structures whose time is flagged; they are in the mean."""
    failures: Mapping[str, int] = dataclasses.field(default_factory=dict)
    message: str | None = None
    """Why the method, or some structure of it, failed."""
    paper_ms_per_step: float | None = None
    checkpoint: Mapping[str, Any] | None = None
    """Name of the weights' file, with its SHA-256 and who vouches for it, or with the seed of random weights."""
    brought: str | None = None
    """Where the user brought the interpreter: what differs from what the method's header asks for."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What really ran, as the adapter found it: kernels, precision, head."""
    tuned: tuple[str, ...] = ()
    """The flags of a row that is set up for speed; empty for one as the method's documentation has it."""
    threads_found: int | None = None
    """The largest number of threads of a pool in the worker, where the method's threads are counted."""
    answers: tuple[str, ...] | None = None
    """Where the answers differ from the baseline; empty where they are the same, None where there is none."""
    stability: Stability | None = None
    """What its dynamics is like, where it was simulated."""
    cold_start_s: float | None = None
    warm_up_calls: int | None = None
    """Discarded calls that were slow as only first ones are, at most over the rounds."""
    settled: bool | None = None
    """Whether the discarded calls settled in every round."""
    peak_memory_bytes: int | None = None
    peak_device_memory_bytes: int | None = None
    fmax_max: float | None = None
    """Largest final force on an atom over the converged relaxations, eV/Angstrom."""
    rmsd_median: float | None = None
    """Median distance of the relaxed geometries from the method's own median geometry, Angstrom."""
    rmsd_max: float | None = None
    rmsd_outliers: int | None = None

    @property
    def name(self) -> str:
        """The label, which says so where the weights are random."""
        return f"{self.label} (random weights)" if self.weights == "random" else self.label

    @property
    def time(self) -> Estimate | None:
        """The time that this row is about, in milliseconds: per step, or per force call under ``replay``."""
        return self.calculator_ms_per_call if self.protocol == REPLAY else self.ms_per_step

    @property
    def ratio_to_paper(self) -> Estimate | None:
        """Our time over the published one per step; BFGS makes one force call a step."""
        if self.time is None or not self.paper_ms_per_step:
            return None
        return self.time.scaled(1.0 / self.paper_ms_per_step)

    @property
    def interval_over(self) -> str | None:
        """What the interval of the time is over: ``structures``, ``steps`` or nothing."""
        return self.time.over if self.time else None


@dataclasses.dataclass(frozen=True)
class Mean:
    """A geometric mean of speed-ups over methods."""

    name: str
    methods: tuple[str, ...]
    """The methods that it averages."""
    reference: tuple[str, ...]
    """What they are compared with; empty where each is compared with itself on the other device."""
    estimate: float
    low: float | None
    high: float | None
    n: int | None
    """The number of structures common to all of them; None where a published table does not tell."""
    protocol: str = RELAX
    """The protocol of all the rows in it: ratios of steps, or of force calls."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence of the paper, and what this table says to it."""

    text: str
    verdict: str
    """``holds``, ``does not hold``, ``undecided`` (the interval has the threshold inside) or ``not measured``."""
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    protocol: str = RELAX
    """The protocol of the rows that the figure is from."""
    random: tuple[str, ...] = ()
    """The methods behind the figure that ran with random weights."""


@dataclasses.dataclass(frozen=True)
class Table:
    """The result of a campaign, or the published table, ready to be rendered."""

    head: Mapping[str, Any]
    """What ``campaign.json`` says, and ``source``: ``campaign`` or ``paper``."""
    rows: tuple[Row, ...]
    geometric_means: tuple[Mean, ...]
    notes: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    rank_correlation: tuple[float, int] | None = None
    """Spearman's, of the CPU times with the published ones, and over how many methods."""
    disturbances: tuple[Disturbance, ...] = ()


def is_gpu(device: str) -> bool:
    """Tell whether `device` is anything but the CPU."""
    return device != "cpu"


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort light kinds first, fast methods first, then relaxations and the CPU first; unmeasured methods last."""
    rows = list(rows)
    fastest: dict[str, float] = {}
    for row in sorted(rows, key=lambda row: (PROTOCOLS.index(row.protocol), is_gpu(row.device))):
        if row.time is not None:
            fastest.setdefault(row.method, row.time.estimate)
    return sorted(
        rows,
        key=lambda row: (
            rank(row.kind),
            fastest.get(row.method, float("inf")),
            row.method,
            PROTOCOLS.index(row.protocol),
            row.device != "cpu",
            row.device,
        ),
    )
