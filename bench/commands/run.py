"""The verb ``run``: measures a campaign, or continues one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.commands import _cluster, _declared, _groups, _options, _planning, _values
from bench.commands._measuring import measure
from bench.commands._output import say_notes, to_stderr
from bench.commands._planning import Planned
from bench.core.device import CPU, DEVICES
from bench.core.protocol import RELAX
from bench.core.records import INTERNAL
from bench.core.settings import MdSettings, Settings
from bench.errors import BadInput
from bench.protocols import PROTOCOLS
from bench.protocols.accuracy.plan import ACCURACY
from bench.protocols.md.plan import MD
from bench.protocols.optimizers.plan import OPTIMIZERS as COMPARED
from bench.protocols.scaling.plan import SCALING

if TYPE_CHECKING:
    from bench.data.structures import DataSet
    from bench.environments.catalogue import Catalogue

HELP = """\
Measure: relax every structure with every method, time each step, and print the
table. A run of the default structures looks at their accuracy, too. Everything
is kept in results/<run-id>/; --resume continues a run that was stopped. Exit
status: 1 if nothing could be measured."""
EXAMPLES = (
    "pesbench run --methods uff,gfn2-xtb,7net-0 --limit 10 --budget 60",
    "pesbench run --methods gfn2-xtb --protocols relax,md --limit 2 --duration 5",
)
MAY_CHANGE = ("resume", "budget", "output", "format", "adapter", "beside", "relative_to", "no_page")
"""The options that a resumed run takes; everything else was fixed when it began."""


@dataclasses.dataclass(frozen=True)
class Options(
    _groups.What,
    _groups.How,
    _groups.Md,
    _groups.OfProtocols,
    _groups.Weights,
    _groups.Where,
    _groups.HowMuch,
    _groups.Cluster,
    _groups.Kept,
):
    """The options of the verb."""

    relative_to: str | None = _options.relative_to()
    format: str = _options.table_format()


def run(options: Options) -> int:
    """Run or resume a campaign and print its table; status 1 if nothing could be measured."""
    from bench import paths

    paths.weights_dir()  # refuses a missing folder before anything is written
    resumed = options.resume is not None
    if options.resume is not None and (submitted := _cluster.begun(options.resume, options.output)) is not None:
        _values.refuse_changes(options, ("resume", "output"))
        return _cluster.resume(submitted)
    if options.cluster is not None:
        options = dataclasses.replace(options, protocols=options.protocols or (RELAX,))  # its jobs say so, too
        if options.relative_to is not None:
            raise BadInput(
                "--relative-to has nothing to show while a cluster measures; give it to 'table' and 'report'."
            )
        return _cluster.run(options, new_plan(options))
    _cluster.refuse_alone(options)
    plan = _begun(options) if resumed else new_plan(options)
    relative_to = None if options.relative_to is None else _planning.reference(options.relative_to, plan)
    return measure(plan, resumed, options.format, relative_to, page=not options.no_page)


def _check_systems(settings: Settings, dataset: DataSet) -> None:
    """Raise BadInput for a protocol that cannot measure such a data set."""
    from bench.data.systems import cells_that_relax

    first = dataset.systems[0]
    if settings.relax_cell:
        cells_that_relax(dataset.systems)
    for name in settings.protocols:
        if all(len(one.reference) < PROTOCOLS[name].least_atoms for one in dataset.systems):
            raise BadInput(f"{name} is not applicable: {first.name} is a single atom without internal motion.")


def _with_series(dataset: DataSet, largest: int) -> DataSet:
    """Return the data set with systems of growing size, where the user's own structures are to make them."""
    from bench.data.clusters import supercells

    if not dataset.own or dataset.series:
        return dataset
    first = dataset.systems[0]
    if not first.periodic:
        raise BadInput(
            f"scaling needs systems of several sizes, and those of {dataset.name} have {len(first.reference)} atoms; "
            "give more with --structures, or leave it out for clusters of naphthalene."
        )
    return dataclasses.replace(dataset, series=supercells(first, largest))


def new_plan(options: Options) -> Planned:
    """Return the plan of a new run; raises BadInput where an option makes no sense."""
    from bench.data.clusters import sizes_of
    from bench.data.naphthalene import is_naphthalene
    from bench.engine.describing import new_directory
    from bench.environments.catalogue import Catalogue
    from bench.machine.alone import hold
    from bench.machine.cores import default_threads, measure_parallel_speed
    from bench.paths import results_dir
    from bench.results.kept import check_name

    if options.name is not None:
        check_name(options.name, options.output or results_dir())
    catalogue = Catalogue(options.adapter)
    settings = settings_of(options, catalogue)
    dataset = options.load(largest=options.max_atoms if settings.protocols == (SCALING,) else None)
    _check_systems(settings, dataset)
    say_notes(dataset)
    if dataset.own and (what := dataset.unused_labels(ACCURACY in settings.protocols)):
        dataset = dataclasses.replace(dataset, unused=(*dataset.unused, what))
    least = PROTOCOLS[MD].least_atoms
    starts = tuple(one.frames[0] for one in dataset.systems if len(one.reference) >= least)
    of = settings.md.temperature_of if is_naphthalene(dataset.reference) and len(dataset.systems) == 1 else INTERNAL
    md = dataclasses.replace(settings.md, temperature_of=of, starts=starts or settings.md.starts)
    # small ones first, so that the time which they leave is there for the large ones
    molecules = sorted((one for one in dataset.systems if one.free), key=lambda one: len(one.reference))
    settings = dataclasses.replace(
        settings,
        md=md,
        starts=tuple(one.frames[0] for one in dataset.systems),
        minima=tuple(one.frames[0] for one in molecules),
    )
    if SCALING in settings.protocols:
        dataset = _with_series(dataset, options.max_atoms)
        settings = dataclasses.replace(settings, sizes=sizes_of(dataset.series, options.max_atoms, options.periodic))
    if options.cluster is None:
        hold("pesbench run", to_stderr, options.beside)
    several = any(PROTOCOLS[name].several for name in settings.protocols)  # their processes may have more threads
    parallel = measure_parallel_speed(None if several else options.threads)  # after bad input was refused
    if options.threads is None:
        settings = dataclasses.replace(settings, threads=default_threads(parallel))
    return Planned(new_directory(options.output), settings, catalogue, dataset, parallel, options.name or "")


def _begun(options: Options) -> Planned:
    _values.refuse_changes(options, MAY_CHANGE)
    assert options.resume is not None
    from bench.machine.alone import hold
    from bench.results import store

    store.find(options.resume, options.output)  # refuses a wrong name before it waits
    hold("pesbench run", to_stderr, options.beside)
    return _planning.begun(options.resume, options.output, options.budget, options.adapter)


def settings_of(options: Options, catalogue: Catalogue) -> Settings:
    """Return the settings of a new campaign; raises BadInput where an option makes no sense."""
    from bench.engine.plan import default_budgets, rounds_of, total_seconds
    from bench.environments.optimizers import of_cells, optimizers, selected
    from bench.machine import accelerators

    if options.replay_points < 2:
        raise BadInput(
            f"--replay-points is {options.replay_points}; it must be 2 or more, because the first one is not counted."
        )
    methods = _planning.with_own(catalogue.select(options.methods), options.checkpoint, catalogue)
    methods = catalogue.with_engines(methods, options.engines)
    if options.device is not None and options.cluster is None:  # this may not be the machine that measures
        _planning.refuse_absent(options.device)
    known = optimizers()
    devices = options.device or tuple(name for name in DEVICES if name == CPU or accelerators.found(name))
    protocols, short = _planning.protocols(options)
    usual = protocols if not short else (RELAX,)
    seconds = options.budget.seconds if options.budget else None
    seeds = MdSettings.seeds if options.limit is None else min(options.limit, MdSettings.seeds)
    compared = selected(options.optimizers or ("all",), known) if COMPARED in protocols else ()
    if options.relax_cell:
        of_cells([options.optimizer] if RELAX in protocols else [], known)
        compared = of_cells(compared, known, every="all" in (options.optimizers or ("all",)))
    settings = Settings(
        methods=tuple(method.name for method in methods),
        devices=devices,
        protocols=protocols,
        vibrations=not short,
        phase_s=short,
        optimizer=selected([options.optimizer], known)[0],
        optimizers=compared,
        threads=Settings.threads if options.threads is None else options.threads,
        rounds=options.rounds if options.rounds is not None else rounds_of(seconds, usual),
        memory_limit_bytes=int(options.memory_limit * 1e9) if options.memory_limit is not None else None,
        repeats=not options.no_repeats,
        on_top_of=_values.on_top_of(options.on_top_of),
        options=_groups.protocol_options(options),
        md=MdSettings(seeds=seeds, half_steps=seeds, **_declared.settings(options, MdSettings)),
        checkpoints={method.name: method.own_checkpoint for method in methods if method.own_checkpoint},
        knobs=_values.knobs(options.knob),
        pythons={catalogue.select(name)[0].name: path for name, path in _values.interpreters(options.python).items()},
        **_declared.settings(options, Settings),
    )
    _planning.refuse_idle(options, protocols)
    budgets: dict[str, float | None]
    if options.budget is None:  # after the settings have been checked
        budgets = default_budgets(methods, devices, settings.rounds, usual)
        if options.rounds is None:
            settings = dataclasses.replace(settings, total_s=total_seconds(usual))
    else:
        budgets = dict.fromkeys(settings.methods, options.budget.seconds)
    return dataclasses.replace(settings, budget_s=budgets)
