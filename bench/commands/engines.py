"""The verb ``engines``: other code for the checkpoint of a method, measured in turn with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands import _declared, _options
from bench.commands._declared import option
from bench.commands._output import print_text, say_what_was_read, to_stderr
from bench.core.protocol import REPLAY
from bench.core.settings import Settings
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.engines import AtSystem, Engine, Limits
    from bench.engine.engines import Engines
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method
    from bench.render.engines import Report
    from bench.results.dataframes import Run

HELP = """\
Compare the engines of a method: other code that computes the same checkpoint.
They take turns with the method itself at clusters of naphthalene and at your
own systems, and their answers are compared. Exit status: 1 if no engine could
be measured."""
EXAMPLES = (
    "pesbench engines mace-mp-0-small",
    "pesbench engines gfn2-xtb --atoms 18,72 --structures mine.xyz --budget 300",
)


@dataclasses.dataclass(frozen=True)
class Options(_options.Structures):
    """The options of the verb."""

    method: str = _options.method()
    engines: str = option(
        "all", "the engines to compare (default: all that the method has)", "all|A,B,...", commas=True
    )
    atoms: tuple[str, ...] = option(
        ("18", "144", "576"),
        "sizes of clusters of naphthalene, multiples of 18, or none (default: 18,144,576)",
        "N,...",
        commas=True,
    )
    adapter: tuple[Path, ...] = _options.adapter()
    structures: tuple[str, ...] = _options.structures(
        "your own systems: a data set, or a file, folder or pattern (repeatable)"
    )
    budget: float = _options.budget("default: %(default)g", 900.0)
    device: str = _options.device()
    threads: int = _options.threads()
    beside: bool = _options.beside()
    seed: int = _options.seed()
    weights: str = _options.weights()
    trust_checkpoint: bool = _options.trust_checkpoint()
    output: Path | None = _options.output_folder()
    json: bool = _options.json("the result")


def run(options: Options) -> int:
    """Measure and print the comparison; status 1 where no engine could be measured."""
    from bench.render.engines import render

    report = _measured(options)
    print_text(render(report, options.json))
    return 0 if any(at.speedup is not None for one in report.engines for at in one.at) else 1


def _measured(options: Options) -> Report:
    from bench.engine.describing import new_directory
    from bench.engine.engines import Engines, sample
    from bench.engine.regress import begin
    from bench.engine.turns import POINTS
    from bench.environments.catalogue import Catalogue
    from bench.machine.alone import hold
    from bench.machine.cores import measure_parallel_speed
    from bench.results.dataframes import load

    catalogue = Catalogue(options.adapter)
    reference, engines = chosen(catalogue, options.method, options.engines)
    own = options.load() if options.structures else None
    if own is not None:
        say_what_was_read(own)
    what = sample(_atoms(options.atoms), own, options.seed)
    settings = Settings(
        methods=(reference.name, *(one.name for one in engines)),
        devices=(options.device,),
        protocols=(REPLAY,),
        replay_points=POINTS,
        **_declared.settings(options, Settings),
    )
    hold("pesbench engines", to_stderr, options.beside)
    parallel = measure_parallel_speed(options.threads)
    measuring = Engines(reference, engines, catalogue, settings, what, parallel, to_stderr)
    directory = new_directory(options.output)
    several = f"{len(engines)} engine{'s' if len(engines) > 1 else ''}"
    to_stderr(f"run {directory.name}: {reference.name} and {several}, at most {options.budget:g} s")
    writer = begin(directory, settings, catalogue, what.dataset, parallel)
    try:
        measuring.run(writer, options.budget)
    finally:
        writer.close()
    return _report(load(directory), measuring, reference, engines)


def chosen(catalogue: Catalogue, name: str, wanted: str) -> tuple[Method, list[Method]]:
    """Return a method and the engines to compare with it; raises BadInput where there are none."""
    methods = catalogue.select(name)
    if len(methods) != 1:
        raise BadInput("engines takes one method; 'pesbench list' shows them.")
    (method,) = methods
    if method.engine_of:
        raise BadInput(f"{method.name} is an engine itself; name {method.engine_of}.")
    engines = [one for one in catalogue.with_engines(methods, wanted) if one is not method]
    if not engines:
        having = sorted({one.engine_of for one in catalogue.methods.values() if one.engine_of})
        raise BadInput(f"there is no other engine for {method.name}; there are some for {', '.join(having)}.")
    if method.native:
        raise BadInput(f"{method.name} uses its own optimiser and has no force calls to compare; name another.")
    return method, engines


def _atoms(texts: tuple[str, ...]) -> list[int]:
    if texts == ("none",):
        return []
    if not all(text.isdecimal() for text in texts):
        raise BadInput(f"--atoms {','.join(texts)}: give numbers, separated by commas, or none.")
    return [int(text) for text in texts]


def _report(measured: Run, measuring: Engines, reference: Method, engines: list[Method]) -> Report:
    from bench.analysis.disturbed import disturbances
    from bench.analysis.engines import Limits
    from bench.render.engines import Report

    described = measured.description
    disturbed = {one.round for one in disturbances(measured.watched)}
    rounds = {one.round for one in measured.contents.started}
    facts = {one.method: one for one in measured.measured_methods}
    return Report(
        title=[
            ("Run", measured.directory.name),
            ("Method", f"{reference.label} on {described.settings.devices[0]}"),
            ("Machine", str(described.machine.cpu)),
            ("Threads", str(described.settings.threads)),
        ],
        reference=_engine(measured, measuring, reference, Limits()),
        engines=[
            _engine(measured, measuring, one, Limits(one.energy_limit, one.force_limit, one.limit_reason))
            for one in engines
        ],
        weights=facts[reference.name].weights,
        notes=[f"{len(disturbed)} of {len(rounds)} rounds were disturbed by other processes, which hit all alike."]
        if disturbed
        else [],
    )


def _engine(measured: Run, measuring: Engines, method: Method, limits: Limits) -> Engine:
    """Return what was measured of one of them."""
    from bench.analysis.engines import Engine, derivative

    facts = {one.method: one for one in measured.measured_methods}
    one = facts[method.name]
    failure = measuring.failures.get(method.name)
    dataset = measuring.sample.dataset
    return Engine(
        method=method.name,
        engine=method.engine,
        label=method.label,
        at=tuple(_at(measured, measuring, method, number, limits) for number in range(len(dataset.systems))),
        limits=limits,
        cold_start_s=one.cold_start_s,
        conversion_s=(one.checkpoint or {}).get("conversion_s"),
        peak_memory_bytes=one.peak_memory_bytes,
        derivative=derivative(measured.answers, method.name, *measuring.sample.lines()),
        settings=one.settings,
        failure=failure.kind if failure else "",
        message=failure.message if failure else "",
    )


def _at(measured: Run, measuring: Engines, method: Method, number: int, limits: Limits) -> AtSystem:
    """Return what was measured of one of them at a system."""
    from bench.analysis.engines import apart, at_system, driver_ms, lists_per_call, times_beyond
    from bench.analysis.times import per_round

    def times_at(structures: list[int]) -> dict[str, Any]:
        found = measured.replays
        found = found[found["structure"].isin(structures) & (found["failure"].isna())]
        by_round = per_round(found.drop(columns="system", errors="ignore"), "calculator_ns", "force_calls")
        return {name: times for (name, _), times in by_round.items()}

    frames, beyond = measuring.sample.timed(number), measuring.sample.beyond(number)
    replays = measured.contents.replays
    keep = {one.method for one in replays if one.rebuilds is not None}
    compared_lists = bool(keep & {method.name, measuring.reference})
    times = times_at(frames)
    far = times_at(beyond) if compared_lists else {}
    facts = {one.method: one for one in measured.measured_methods}
    is_reference = method.name == measuring.reference
    compared = (
        None
        if is_reference
        else apart(measured.answers, facts[method.name], facts[measuring.reference], frames, limits)
    )
    paths = [one for one in replays if one.method == method.name and one.structure in frames]
    driver, own_ms = driver_ms(measured.contents.driven, method.name, frames)
    return dataclasses.replace(
        at_system(
            measured.description.dataset.systems[number],
            times.get(method.name),
            None if is_reference else times.get(measuring.reference),
            compared,
            measuring.left_out.get((method.name, number), ""),
        ),
        driver=driver,
        driver_ms=own_ms,
        edges=max((one.edges for one in paths if one.edges is not None), default=None),
        rebuilds=lists_per_call(replays, method.name, frames),
        beyond=None if is_reference else times_beyond(far.get(measuring.reference), far.get(method.name)),
        rebuilds_beyond=lists_per_call(replays, method.name, beyond),
    )
