"""The contents of ``campaign.json``: all that a reader of a run needs besides the records."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bench.core.plain import from_plain, to_plain
from bench.core.records import FORMAT
from bench.core.settings import Settings

SLEEP, SPIN = "sleep", "spin"


@dataclasses.dataclass(frozen=True)
class ParallelSpeed:
    """How much work processes do at the same time on this machine, at the moment."""

    threads: int
    """Number of processes that ran at once."""
    speed: float
    """The work that they did, in units of the work of one alone."""
    waiting: str | None = None
    """What waiting threads do, ``sleep`` or ``spin``, where the speed alone could not tell and both were tried."""


@dataclasses.dataclass(frozen=True)
class EnergyCounter:
    """What counts the energy of a device."""

    names: tuple[str, ...] = ()
    """The counters whose sum it is: the packages of the CPU, or the accelerator itself."""
    idle_watts: float | None = None
    """Measured before the campaign, with no worker running."""
    missing: str = ""
    """Why there is no counter; empty where there is one."""


@dataclasses.dataclass(frozen=True)
class ScratchFacts:
    """Whether workers used copies on the machine's own disk."""

    trouble: str = ""
    """Why the shared folders were used in their place; empty where the copies were used."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a reader of a timing must know about the machine."""

    cpu: str | None = None
    cores: int | None = None
    """Physical ones."""
    logical_cores: int | None = None
    usable_cores: int | None = None
    memory_bytes: int | None = None
    gpus: tuple[str, ...] = ()
    os: str | None = None
    python: str | None = None
    load_average: tuple[float, ...] = ()
    governor: str | None = None
    parallel_speed: ParallelSpeed | None = None
    energy: dict[str, EnergyCounter] = dataclasses.field(default_factory=dict)
    """By device; empty where nobody looked for counters."""
    node: str = ""
    """Its name in a cluster; empty elsewhere."""
    scratch: ScratchFacts | None = None
    """None where PESBENCH_SCRATCH is not set."""
    beside: str = ""
    """Another measurement of pesbench that ran when this one began; empty where there was none."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A run that was merged into another, with the machine that measured it."""

    run_id: str
    node: str
    """The name of the machine in its cluster; empty where it has none."""
    cpu: str
    gpus: tuple[str, ...]
    rounds: tuple[int, ...]
    """The numbers of its rounds in the merged run."""


@dataclasses.dataclass(frozen=True)
class SystemFacts:
    """A system of the data set."""

    name: str
    formula: str
    atoms: int
    charge: int = 0
    spin: int = 1
    """The multiplicity."""
    periodic: str = ""
    """The periodic directions, such as ``TTF``; empty: none."""
    fixed: int = 0
    """The number of atoms that do not move."""
    masses: bool = False
    """Whether some of its masses are not those of the natural elements."""
    frames: tuple[int, ...] = ()
    """Its structures."""


@dataclasses.dataclass(frozen=True)
class DataSetFacts:
    """The data set."""

    name: str = ""
    description: str = ""
    fallback: str = ""
    """Why this set replaces MD17's; empty where it does not."""
    digest: str = ""
    formula: str = ""
    count: int | None = None
    """Structures that are measured."""
    total: int | None = None
    """Structures that the set has."""
    charge: int = 0
    spin: int = 1
    """The multiplicity."""
    series: int = 0
    """Systems of the user's own series for the scaling protocol; 0 where these are made from naphthalene."""
    systems: tuple[SystemFacts, ...] = ()
    """What the set consists of; empty in runs that are older than systems, which have one."""
    unused: tuple[str, ...] = ()
    """What the user's files hold besides, one phrase a kind."""
    notes: tuple[str, ...] = ()
    """Sentences on how the user's files were read."""
    given: tuple[str, ...] = ()
    """The options by which the user chose it, with whole paths; empty where it is the default, and in older runs."""

    @property
    def system_of(self) -> dict[int, int]:
        """The number of the system of each structure; empty for a single system."""
        if len(self.systems) < 2:
            return {}
        return {frame: number for number, one in enumerate(self.systems) for frame in one.frames}


@dataclasses.dataclass(frozen=True)
class MethodFacts:
    """The facts about a method that reports need, so that a run can be read without the adapters."""

    label: str
    family: str
    kind: str
    paper: str | None = None
    """The row of the published table with which it is compared."""
    native: bool = False
    model_label: str = ""
    """Its name where another optimiser relaxes, if the label names its own; empty: the label."""
    conservative: bool = True
    parameters: int | None = None
    """The published number."""
    dtype: str = "float64"
    weights: str = "none"
    checkpoint: dict[str, Any] | None = None
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    """The systems that the method cannot take, with the reason."""
    theory: dict[str, Any] | None = None
    """``functional``, ``basis``, ``dispersion``, ``source`` and ``added``, as in the header."""
    tuned: tuple[str, ...] = ()
    engine_of: str = ""
    """The method whose checkpoint it computes with other code."""
    energy_limit: float | None = None
    """How far an engine's answers may be from that method's, eV per atom, and `force_limit`, eV/Angstrom."""
    force_limit: float | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Description:
    """A campaign: its plan, time, machine and data set."""

    run_id: str = ""
    created: str = ""
    pesbench: str = ""
    commit: str | None = None
    dirty: bool | None = None
    settings: Settings = dataclasses.field(default_factory=lambda: Settings(()))
    machine: Machine = dataclasses.field(default_factory=Machine)
    dataset: DataSetFacts = dataclasses.field(default_factory=DataSetFacts)
    methods: dict[str, MethodFacts] = dataclasses.field(default_factory=dict)
    extra_adapters: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()
    """The runs that were merged into this one; empty for a run of one machine."""
    name: str = ""
    """What the user calls the run; this and the next two are read from the run directory, not from its
    ``campaign.json``."""
    tags: tuple[str, ...] = ()
    incomplete: bool = False
    """Whether the run was stopped before its end, or is still measured."""

    @property
    def node_of(self) -> dict[int, str]:
        """The machine of each round of a merged run: its name, or the run where it has none."""
        return {number: one.node or one.run_id for one in self.nodes for number in one.rounds}

    def plain(self) -> dict[str, Any]:
        """Return it as JSON, with the number of the format."""
        return {"format": FORMAT, **to_plain(self)}

    def written(self) -> dict[str, Any]:
        """Return what is written to ``campaign.json``: without what can change later."""
        return {name: value for name, value in self.plain().items() if name not in ("name", "tags", "incomplete")}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Description:
        """Make one from a ``campaign.json`` of this format or an older one; raises ValueError."""
        return from_plain(cls, fields, strict=False)
