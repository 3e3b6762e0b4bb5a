"""The verb ``regress``: two versions of a method, measured alternately."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _comparing, _declared, _options
from bench.commands._declared import REQUIRED, option
from bench.commands._output import say_what_was_read, to_stderr
from bench.core.protocol import REPLAY
from bench.core.settings import Settings
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.regression import Comparison
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method
    from bench.render.comparison import Report
    from bench.results.dataframes import Run

HELP = """\
Measure an old and the current version of methods alternately, on this machine.
It ends when the difference is decided, or with the budget.
Exit status: 0 nothing got slower, 1 something did, 2 bad input,
or a version that cannot be measured."""
EXAMPLES = (
    "pesbench regress --methods 7net-0 --base main",
    "pesbench regress --methods changed --base main",
    "pesbench regress --methods 7net-0 --base-with sevenn==0.12.1",
)


CHANGED = "changed"
"""In place of names: one method of each adapter file that differs from the commit."""


@dataclasses.dataclass(frozen=True)
class Options(_options.InTurn):
    """The options of the verb."""

    methods: str = _options.methods(
        "names from 'pesbench list'; or changed: one of each adapter that differs from --base", REQUIRED
    )
    base: str | None = option(None, "the adapter file at this commit, tag or branch", "REV", one_of="old")
    base_env: Path | None = option(None, "another adapter file that has the methods", "FILE", one_of="old")
    base_with: tuple[str, ...] = option((), "the adapter file with this pin changed (repeatable)", "PIN", one_of="old")
    adapter: tuple[Path, ...] = _options.adapter()
    threshold: float = _options.threshold(0.10)
    """The smallest change that a noisy hosted machine can show within the budget."""
    budget: float = _options.budget("per method (default: %(default)g)", 300.0)
    device: str = _options.device()
    threads: int = _options.threads()
    structures: tuple[str, ...] = _options.structures()
    format: str = _options.table_format(_comparing.FORMATS)


def run(options: Options) -> int:
    """Measure an old and the current version of methods alternately.

    Status 1 if one got slower, else 2 if one could not be measured.
    """
    from bench import paths
    from bench.engine.describing import new_directory
    from bench.environments.catalogue import Catalogue

    paths.weights_dir()  # refuses a missing folder before anything is written
    catalogue = Catalogue(options.adapter)
    if options.methods == CHANGED:
        methods, new = _changed(catalogue, options.base)
        for line in new:
            to_stderr(line)
        if not methods:
            why = f"what changed is new since {options.base}" if new else f"the adapters are those of {options.base}"
            to_stderr(f"nothing to compare: {why}")
            return 0
    else:
        methods = _paced(catalogue, options.methods)
    directory = new_directory(options.output)
    try:
        report, found = _measured(options, catalogue, methods, directory)
    finally:
        if not (directory / "campaign.json").exists():  # nothing was measured
            shutil.rmtree(directory, ignore_errors=True)
    if report is None:
        to_stderr("nothing to compare: what changed cannot run on this machine")
        return 0
    return _comparing.show(report, found, options.format) or (2 if any(one.ratio is None for one in found) else 0)


def _measured(
    options: Options, catalogue: Catalogue, methods: list[Method], directory: Path
) -> tuple[Report | None, list[Comparison]]:
    """Return the report, and the comparisons; no report where none of what changed can run here."""
    from bench.engine.regress import NothingToCompareWith, TwoVersions, begin
    from bench.engine.turns import POINTS
    from bench.machine.alone import hold
    from bench.machine.cores import measure_parallel_speed
    from bench.results.comparisons import Versions
    from bench.results.dataframes import load

    pairs = [(_old_version(method, options, catalogue, directory), method) for method in methods]
    settings = Settings(
        methods=tuple(one.name for pair in pairs for one in pair),
        devices=(options.device,),
        protocols=(REPLAY,),
        replay_points=POINTS,
        **_declared.settings(options, Settings),
    )
    dataset = options.load()
    say_what_was_read(dataset)
    hold("pesbench regress", to_stderr, options.beside)
    parallel = measure_parallel_speed(options.threads)
    ready: dict[str, TwoVersions] = {}
    found, rounds = [], []
    for old, new in pairs:
        try:
            ready[new.name] = TwoVersions(old, new, catalogue, settings, dataset, parallel, to_stderr)
        except NothingToCompareWith as error:
            if options.methods != CHANGED:
                raise
            to_stderr(f"{new.name} is left out: {error}")
    pairs = [(old, new) for old, new in pairs if new.name in ready]
    if not pairs:
        return None, []
    settings = dataclasses.replace(settings, methods=tuple(one.name for pair in pairs for one in pair))
    writer = begin(directory, settings, catalogue, dataset, parallel)
    try:
        for old, new in pairs:
            versions = Versions(directory, old.name, new.name, options.device, options.threshold)
            began = time.monotonic()
            try:
                count = ready[new.name].run(writer, options.budget, versions.decided)
            except BadInput as error:  # the others are still compared
                if len(ready) == 1:
                    raise
                found.append(versions.not_compared(new.label, str(error).rstrip(".")))
                continue
            found.append(versions.compared())
            rounds.append((new.name, f"{count} rounds in {time.monotonic() - began:.0f} s"))
    finally:
        writer.close()
    return _report(options, load(directory), pairs, found, rounds), found


def _changed(catalogue: Catalogue, base: str | None) -> tuple[list[Method], list[str]]:
    """Return a method of each adapter file that differs from `base`, and which methods are new, a sentence a file.

    The method is the first default one that has force calls and was there at `base`; where a file has no default
    method, its first one. Raises BadInput without a commit.
    """
    from bench.engine import versions

    if base is None:
        raise BadInput(f"--methods {CHANGED} needs the commit to compare with: --base REV.")
    found, told = [], []
    for adapter in versions.changed_since(base):
        own = [one for one in catalogue.methods.values() if one.adapter == adapter and not one.native]
        there = versions.methods_at(adapter, base)
        found += sorted((one for one in own if one.name in there), key=lambda one: not one.default)[:1]
        if new := [one.name for one in own if one.name not in there]:
            told.append(
                f"{adapter.name} has new methods, which have nothing to compare with at {base}: {', '.join(new)}"
            )
    return found, told


def _paced(catalogue: Catalogue, names: str) -> list[Method]:
    """Return the methods; raises BadInput where one cannot be measured call by call."""
    methods = catalogue.select(names)
    for method in methods:
        if method.native:
            raise BadInput(f"{method.name} uses its own optimiser and has no force calls to replay; leave it out.")
    return methods


def _old_version(method: Method, options: Options, catalogue: Catalogue, directory: Path) -> Method:
    """Return the old version of a method, as a method of the catalogue."""
    from bench.engine import versions

    if options.base_env is not None:
        path = options.base_env.resolve()
    elif options.base is not None:
        text = versions.at_commit(method.adapter, options.base)
        path = versions.write(directory / "base", method.adapter, text)
    else:
        path = versions.write(
            directory / "base", method.adapter, versions.with_pins(method.adapter, list(options.base_with))
        )
    return catalogue.add_version(method, path, versions.BASE)


def _report(
    options: Options,
    measured: Run,
    pairs: list[tuple[Method, Method]],
    found: list[Comparison],
    rounds: list[tuple[str, str]],
) -> Report:
    from bench.render.comparison import Report, where
    from bench.results.comparisons import changed_packages

    what = options.base or options.base_env or ", ".join(options.base_with)
    return Report(
        title=[("Run", measured.directory.name), ("Old", str(what)), *where(measured.description), *rounds],
        comparisons=found,
        threshold=options.threshold,
        explain=changed_packages(measured, [(old.name, new.name) for old, new in pairs]),
        notes=[
            "The ratio is the mean of two: of the rounds in which the old version started first, and of those in which "
            "the new one did. So the order of the starts does not widen its interval.",
            *_disturbed(measured),
        ],
    )


def _disturbed(measured: Run) -> list[str]:
    """Return which rounds were disturbed, and by what; both versions of a method were affected alike."""
    from bench.analysis.disturbed import disturbances
    from bench.engine.versions import BASE

    return [
        f"{one.method}, round {one.round + 1}, was disturbed: {'; '.join(one.reasons)}"
        for one in disturbances(measured.watched)
        if not one.method.endswith(BASE)
    ]
