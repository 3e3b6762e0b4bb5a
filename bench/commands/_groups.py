"""The options of the verb ``run``, in the groups of its help."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from bench.commands import _options, _values
from bench.commands._declared import option
from bench.commands._values import Budget
from bench.core.protocol import RELAX
from bench.core.settings import MdSettings, Settings
from bench.errors import BadInput
from bench.protocols import PROTOCOLS
from bench.protocols.accuracy.plan import ACCURACY
from bench.protocols.md.plan import MD
from bench.protocols.scaling.plan import SCALING
from bench.protocols.scaling.record import LARGEST


@dataclasses.dataclass(frozen=True)
class What(_options.Structures):
    """What is measured."""

    TITLE: ClassVar[str] = "what is measured"

    methods: str | None = _options.methods(
        "names from 'pesbench list', or 'all' (default: those without a * in that list)"
    )
    engines: str | None = option(
        None, "also the other engines of these methods, as METHOD@ENGINE", "all|A,B,...", commas=True
    )
    """Names, or ``all``; None: the methods alone."""
    adapter: tuple[Path, ...] = _options.adapter()
    structures: tuple[str, ...] = _options.structures(
        "data sets, or files, folders and patterns of structures (default: naphthalene-md17, or naphthalene-gfn2 "
        "where that is not available)",
        several=True,
    )
    limit: int | None = _options.limit("only N structures, spread evenly over the set, and N seeds for dynamics")
    protocols: tuple[str, ...] | None = option(
        None,
        f"{', '.join(PROTOCOLS)} (default: {RELAX}, and without --structures a short {ACCURACY})",
        "A,B,...",
        commas=True,
    )
    """None: relaxations and, on the default structures, a short look at how accurate each method is."""
    max_atoms: int = option(LARGEST, "no larger system in --protocols scaling (default: %(default)s)", "N")
    periodic: bool = option(
        False, "in --protocols scaling: supercells of the crystal, not clusters", setting="periodic"
    )


@dataclasses.dataclass(frozen=True)
class How:
    """How it is measured."""

    TITLE: ClassVar[str] = "how"

    optimizer: str = option(
        Settings.optimizer, "of relaxations; 'pesbench list --optimizers' names them (default: %(default)s)", "NAME"
    )
    optimizers: tuple[str, ...] | None = option(
        None,
        "compare these, the first with each of the others: --protocols optimizers (default: all)",
        "A,B,...",
        commas=True,
    )
    """None: all, where they are compared."""
    fmax: float = option(
        Settings.fmax, "converged below this force in eV/Angstrom (default: %(default)s)", "X", setting="fmax"
    )
    replay_points: int = option(
        Settings.replay_points,
        "geometries per replayed path, 2 or more (default: %(default)s)",
        "N",
        setting="replay_points",
    )
    knob: tuple[str, ...] = _options.knob()
    max_steps: int = option(
        Settings.max_steps, "at most N steps per relaxation (default: %(default)s)", "N", setting="max_steps"
    )
    relax_cell: bool = option(
        False, "relax the cells of periodic systems, too; force calls give stress", setting="relax_cell"
    )
    reactions: bool = option(False, "relaxations may make or break bonds: it is no failure", setting="reactions")


@dataclasses.dataclass(frozen=True)
class Md:
    """The options of md."""

    TITLE: ClassVar[str] = "dynamics (--protocols md)"

    ensembles: tuple[str, ...] = option(
        MdSettings.ensembles,
        "nve, at constant energy; nvt, with a thermostat (default: both)",
        "A,B",
        commas=True,
        setting="ensembles",
    )
    duration: float = option(
        MdSettings.duration_ps, "length of each nve trajectory (default: %(default)g)", "PS", setting="duration_ps"
    )
    nvt_duration: float = option(
        MdSettings.nvt_duration_ps,
        "length of each nvt trajectory; 300 for reliable distributions (default: %(default)g)",
        "PS",
        setting="nvt_duration_ps",
    )
    time_step: float = option(MdSettings.time_step_fs, "default: %(default)g", "FS", setting="time_step_fs")
    temperature: float = option(
        MdSettings.temperature_k,
        "of the internal motions; for naphthalene, as in MD17, of all 3N velocities (default: %(default)g)",
        "K",
        setting="temperature_k",
    )


_METAVARS = {int: "N", float: "X", str: "NAME"}
"""How the help shows the value of a protocol's option; a flag has none."""


def _of_protocol(name: str, options: type) -> type:
    """Return the group of the options that a protocol brings: ``--NAME-FIELD``, with the help of its metadata."""
    fields = [
        (
            f"{name}_{field.name}",
            type(field.default),
            option(
                field.default, f"{field.metadata['help']} (default: %(default)s)", _METAVARS.get(type(field.default))
            ),
        )
        for field in dataclasses.fields(options)
    ]
    group = dataclasses.make_dataclass(name.capitalize(), fields, frozen=True)
    group.TITLE = f"--protocols {name}"  # type: ignore[attr-defined]
    return group


OfProtocols: Any = dataclasses.make_dataclass(
    "OfProtocols",
    [],
    bases=tuple(_of_protocol(one.name, one.options) for one in PROTOCOLS.values() if one.options is not None),
    frozen=True,
)
"""The options that protocols bring, in a group for each."""


OWNERS: Mapping[str, str] = {
    **dict.fromkeys((field.name for field in dataclasses.fields(Md)), MD),
    **dict.fromkeys(("max_atoms", "periodic"), SCALING),
    **{
        f"{one.name}_{field.name}": one.name
        for one in PROTOCOLS.values()
        if one.options is not None
        for field in dataclasses.fields(one.options)
    },
}
"""By an option that only one protocol reads: that protocol."""


def protocol_options(options: Any) -> dict[str, dict[str, Any]]:
    """Return the chosen values of these options, by protocol; raises BadInput where a protocol refuses them."""
    chosen = {}
    for name, kind in ((one.name, one.options) for one in PROTOCOLS.values() if one.options is not None):
        values = {field.name: getattr(options, f"{name}_{field.name}") for field in dataclasses.fields(kind)}
        if (why := kind(**values).wrong()) is not None:
            raise BadInput(f"--{name}-{why}")
        chosen[name] = values
    return chosen


@dataclasses.dataclass(frozen=True)
class Weights:
    """Which weights are loaded."""

    TITLE: ClassVar[str] = "weights"

    weights: str = _options.weights()
    trust_checkpoint: bool = _options.trust_checkpoint()
    checkpoint: Path | None = option(
        None, "your own checkpoint, for one method; --methods A,A@FILE measures both", "FILE"
    )


@dataclasses.dataclass(frozen=True)
class Where:
    """Where it is measured."""

    TITLE: ClassVar[str] = "where"

    python: tuple[str, ...] = _options.python("measure")
    """METHOD=PATH each."""
    device: tuple[str, ...] | None = option(
        None,
        "comma-separated if several (default: cpu, and an accelerator where there is one)",
        _options.DEVICE,
        commas=True,
    )
    """None: the devices that the machine has."""
    threads: int | None = _options.threads("default: physical cores up to 4, fewer where fewer are free", None)
    """None: depends on the machine's measured parallel speed."""
    torch_backend: str | None = _options.torch_backend()
    on_top_of: str | None = _options.on_top_of()


@dataclasses.dataclass(frozen=True)
class HowMuch:
    """How much is measured."""

    TITLE: ClassVar[str] = "how much"

    rounds: int | None = option(
        None, "fresh processes per method (default: as many as the time allows, at least 3)", "R"
    )
    """None: as many as the time allows."""
    order: int = option(Settings.order, argparse.SUPPRESS, "N", setting="order")  # for a round on a cluster
    no_repeats: bool = option(False, "do not measure disturbed structures again")
    budget: Budget | None = option(
        None,
        "measuring time per method, all rounds together, and as much again for its dynamics (default: the methods "
        "share half an hour)",
        "SECONDS|none",
        parse=_values.budget,
    )
    """None: half an hour, shared by the methods."""
    timeout: float | None = option(
        None, "end a silent worker after this (default: 900, for DFT 3600)", "SECONDS", setting="timeout_s"
    )
    memory_limit: float | None = option(None, "end a worker that uses more (default: 90 %% of the memory)", "GB")
    """1e9 bytes."""
    beside: bool = _options.beside()
    seed: int = _options.seed()


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Whether a cluster measures the rounds, and how."""

    TITLE: ClassVar[str] = "on a cluster"

    cluster: str | None = option(None, "slurm: one job for each round, each on a node of its own", "NAME")
    nodes: int | None = option(None, "at most N jobs at once (default: one for each round)", "N")
    """None: one for each round."""
    partition: str | None = option(None, "passed to the scheduler", "NAME")
    account: str | None = option(None, "passed to the scheduler", "NAME")
    constraint: str | None = option(None, "passed to the scheduler", "NAME")
    time: str = option("02:00:00", "the time limit of a job (default: %(default)s)", "HH:MM:SS", parse=_values.clock)
    cluster_option: tuple[str, ...] = option((), "another line for the scheduler (repeatable)", "OPTION")
    wait: float = option(
        3600.0, "give up if no job has started after this (default: %(default)g)", "SECONDS", parse=_values.seconds
    )
    dry_run: bool = option(False, "print a script with these jobs, to be edited and submitted by hand")


@dataclasses.dataclass(frozen=True)
class Kept:
    """What is kept of a run."""

    TITLE: ClassVar[str] = "what is kept"

    output: Path | None = _options.output_folder()
    name: str | None = option(None, "what the run is called; other verbs take it in place of its id", "NAME")
    resume: str | None = option(None, "continue this run; only --budget can be changed", "RUN")
    no_page: bool = option(False, "write no page at the end; 'pesbench report' makes one")
