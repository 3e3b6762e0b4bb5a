"""The verb ``tune``: the fastest settings of one method on this machine."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _declared, _options, _values
from bench.commands._declared import option
from bench.commands._output import print_text, say_what_was_read, to_stderr
from bench.core.protocol import REPLAY
from bench.core.settings import Settings
from bench.errors import BadInput
from bench.paths import program

if TYPE_CHECKING:
    from bench.analysis.tuning import Tuned
    from bench.core.candidate import Candidate
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method
    from bench.render.tuning import Report

HELP = """\
Find the fastest settings of one method on this machine: the number of threads,
the precision, and the knobs that its adapter declares, such as compilation.
It ends when the fastest is known, or with the budget."""
EXAMPLES = (
    "pesbench tune 7net-0",
    "pesbench tune mace-mp-0-small --budget 1800 --knob dtype=float32",
)


@dataclasses.dataclass(frozen=True)
class Options(_options.InTurn):
    """The options of the verb."""

    method: str = _options.method()
    adapter: tuple[Path, ...] = _options.adapter()
    threads: tuple[str, ...] = option(
        (), "the numbers of threads to try (default: 1, 2, 4, ... up to the number of cores)", "N,...", commas=True
    )
    """Numbers; empty: 1, 2, 4, ... up to the number of cores."""
    knob: tuple[str, ...] = _options.knob(
        "try only these values of a knob, or of dtype (repeatable; default: all)", "NAME=VALUE,..."
    )
    threshold: float = _options.threshold(0.05)
    budget: float = _options.budget("default: %(default)g", 600.0)
    device: str = _options.device()
    structures: tuple[str, ...] = _options.structures()
    format: str = _options.table_format(("terminal", "json"))


def run(options: Options) -> int:
    """Search for the fastest settings and print the ranking."""
    from bench import paths
    from bench.render import tuning

    paths.weights_dir()  # refuses a missing folder before anything is written
    print_text(tuning.render(_searched(options), options.format))
    return 0


def _searched(options: Options) -> Report:
    from bench.engine.candidates import candidates, version
    from bench.engine.describing import new_directory
    from bench.engine.regress import begin
    from bench.engine.sessions import Sessions
    from bench.engine.tune import FIRST_SHARE, Search
    from bench.engine.turns import POINTS
    from bench.environments.catalogue import Catalogue
    from bench.machine.alone import hold
    from bench.machine.cores import default_threads, measure_parallel_speed
    from bench.results.tuned import Tuning

    catalogue = Catalogue(options.adapter)
    method = _method(catalogue, options.method)
    threads = _threads(options)
    only = {name: values.split(",") for name, values in _values.knobs(options.knob).items()}
    candidates(method, options.device, threads, 1, only)  # refuses bad input before a second of measuring
    dataset = options.load()
    say_what_was_read(dataset)
    hold("pesbench tune", to_stderr, options.beside)
    parallel = measure_parallel_speed()
    settings_to_try = candidates(method, options.device, threads, default_threads(parallel), only)
    settings = Settings(
        methods=tuple(one.method for one in settings_to_try),
        devices=(options.device,),
        protocols=(REPLAY,),
        replay_points=POINTS,
        threads=settings_to_try[0].threads,
        **_declared.settings(options, Settings),
    )
    share = FIRST_SHARE * options.budget / len(settings_to_try)
    sessions = Sessions(method, settings_to_try, catalogue, settings, dataset, parallel, share, to_stderr)
    search = Search(settings_to_try, sessions, options.budget)
    for one in settings_to_try:
        catalogue.methods[one.method] = version(method, one, options.device)
    directory = new_directory(options.output)
    tuning = Tuning(directory, settings_to_try, options.device, options.threshold)
    to_stderr(f"run {directory.name}: {len(settings_to_try)} settings of {method.name}, {options.budget:g} s")
    writer = begin(directory, settings, catalogue, dataset, parallel)
    try:
        search.run(writer, tuning.standing)
    finally:
        writer.close()
    return _report(options, method, directory, tuning.result(search.why), sessions.count)


def _method(catalogue: Catalogue, name: str) -> Method:
    """Return the method; raises BadInput where it is not one."""
    methods = catalogue.select(name)
    if len(methods) != 1:
        raise BadInput("tune takes one method; 'pesbench list' shows them.")
    return methods[0]


def _threads(options: Options) -> list[int]:
    from bench.engine.candidates import thread_counts
    from bench.machine.cores import usable_cores

    if not options.threads:
        return list(thread_counts(usable_cores()))
    if not all(text.isdecimal() and int(text) for text in options.threads):
        raise BadInput(f"--threads {','.join(options.threads)}: give numbers above zero, separated by commas.")
    return [int(text) for text in options.threads]


def _report(options: Options, method: Method, directory: Path, tuned: Tuned, sessions: int) -> Report:
    from bench.analysis.disturbed import disturbances
    from bench.render.tuning import Report
    from bench.results.dataframes import load

    measured = load(directory)
    described = measured.description
    disturbed = sorted({one.round for one in disturbances(measured.watched)})
    chosen = (tuned.best or tuned.default).candidate
    return Report(
        title=[
            ("Run", directory.name),
            ("Method", f"{tuned.label} on {options.device}"),
            ("Machine", str(described.machine.cpu)),
            ("Data set", described.dataset.name),
            ("Default", _described(tuned.default.candidate)),
        ],
        tuned=tuned,
        threshold=options.threshold,
        command=command(options, method, chosen),
        notes=_notes(method, len(disturbed), sessions),
    )


def _notes(method: Method, disturbed: int, sessions: int) -> list[str]:
    found = []
    if method.native:
        found.append(
            f"Force calls are timed. {method.label} relaxes with an optimiser of its own, whose steps are not in these "
            "times."
        )
    if disturbed:
        found.append(
            f"Sessions disturbed by other processes: {disturbed} of {sessions}; this affected all their settings alike."
        )
    return found


def _described(candidate: Candidate) -> str:
    knobs = "".join(f", {name}={value}" for name, value in candidate.knobs.items())
    return f"threads={candidate.threads}{knobs}"


def command(options: Options, method: Method, candidate: Candidate) -> str:
    """Return the command line that measures a setting by itself."""
    words = ["run", "--methods", method.typed, "--threads", str(candidate.threads)]
    for name, value in candidate.knobs.items():
        if f"{name}={value}" in candidate.changes or options.knob:
            words += ["--knob", f"{name}={value}"]
    words += ["--device", options.device, "--protocols", REPLAY]
    for path in options.adapter:
        words += ["--adapter", str(path)]
    words += options.words()
    if options.limit is not None:
        words += ["--limit", str(options.limit)]
    if options.weights != Settings.weights:
        words += ["--weights", options.weights]
    if options.trust_checkpoint:
        words += ["--trust-checkpoint"]
    return f"{program()} {shlex.join(words)}"
