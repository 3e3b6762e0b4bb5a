"""The verbs that compare: compare two runs, regress two versions; and baseline, which keeps a run's answers."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import paths, provenance
from bench.adapter import Method
from bench.campaign.plan import Settings
from bench.catalogue import Catalogue
from bench.errors import BadInput

BASE = "@base"
"""What the name of an old version ends with."""

if TYPE_CHECKING:
    from bench.analysis.regression import Comparison
    from bench.frames import Run
    from bench.report.comparison import Report


def compare(options: argparse.Namespace) -> int:
    """Compare two runs; status 1 where something got slower."""
    from bench import baselines, frames
    from bench.analysis import regression
    from bench.analysis.fingerprint import differences
    from bench.report.comparison import Report

    old, new = frames.load(options.a), frames.load(options.b)
    unlike = regression.unlike(old.campaign, new.campaign)
    if unlike and not options.force:
        raise BadInput(
            f"{old.directory.name} and {new.directory.name} are not alike: {'; '.join(unlike)}. "
            "Times of unlike runs say nothing about the methods; --force shows them all the same."
        )
    prints = baselines.of_run(old), baselines.of_run(new)
    answers = {key: differences(prints[1][key], prints[0][key]) for key in prints[0] if key in prints[1]}
    before, after = (
        regression.measured(run.campaign, run.methods, run.structures, run.replays, run.watched) for run in (old, new)
    )
    found = regression.compare(before, after, options.threshold, answers)
    if not found:
        raise BadInput(f"{old.directory.name} and {new.directory.name} have no method in common that was timed.")
    report = Report(
        title=[("Old", _name(old)), ("New", _name(new)), *_where(new.campaign)],
        comparisons=found,
        threshold=options.threshold,
        means={protocol: regression.mean_ratio(before, after, found, protocol) for protocol in ("relax", "replay")},
        unlike=unlike,
        explain=regression.explain(
            old.campaign,
            new.campaign,
            [{one.method: one.versions for one in run.contents.started} for run in (old, new)],
            [{one.method: one.environment for one in run.contents.started} for run in (old, new)],
        ),
        notes=[
            "The two runs were not measured at the same time: what the machine did to a whole run is in no interval. "
            "'pesbench regress' measures two versions in turn."
        ],
    )
    return _show(report, found, options.format)


def regress(options: argparse.Namespace) -> int:
    """Measure an old and the present version of methods in turn; status 1 where one got slower."""
    from bench.campaign.description import new_directory

    paths.weights_dir()  # refuses a folder that is not there before anything is written
    directory = new_directory(options.output)
    try:
        report, found = _regress(options, directory)
    except BadInput:
        if not (directory / "campaign.json").exists():
            shutil.rmtree(directory, ignore_errors=True)
        raise
    return _show(report, found, options.format)


def _regress(options: argparse.Namespace, directory: Path) -> tuple[Report, list[Comparison]]:
    from bench import store
    from bench.campaign.regress import POINTS, Pair, begin
    from bench.report.comparison import Report
    from bench.structures import load_dataset

    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(options.methods)
    native = [method.name for method in methods if method.native]
    if native:
        raise BadInput(f"{native[0]} is driven by its own optimiser and has no force calls to replay; leave it out.")
    pairs = [(_old_version(method, options, catalogue, directory), method) for method in methods]
    settings = Settings(
        methods=tuple(one.name for pair in pairs for one in pair),
        devices=(options.device,),
        protocols=("replay",),
        replay_points=POINTS,
        threads=options.threads,
        limit=options.limit,
        seed=options.seed,
        weights=options.weights,
        trust=options.trust_checkpoint,
    )
    dataset = load_dataset(options.structures)
    parallel = provenance.measure_parallel_speed()
    ready = [Pair(old, new, catalogue, settings, dataset, _say) for old, new in pairs]
    writer = begin(directory, settings, catalogue, dataset, parallel)
    found, rounds = [], []
    try:
        for pair in ready:
            names = pair.methods["old"].name, pair.methods["new"].name
            started = time.monotonic()
            count = pair.run(writer, directory / "logs", options.budget, lambda: _decided(directory, *names, options))  # noqa: B023
            found.append(_compared(directory, *names, options))
            rounds.append((names[1], f"{count} rounds in {time.monotonic() - started:.0f} s"))
    finally:
        writer.close()
    what = options.base or options.base_env or ", ".join(options.base_with)
    return Report(
        title=[("Run", directory.name), ("Old", str(what)), *_where(store.read(directory).campaign), *rounds],
        comparisons=found,
        threshold=options.threshold,
        explain=_explained(directory, pairs),
        notes=_disturbed(directory),
    ), found


def _old_version(method: Method, options: argparse.Namespace, catalogue: Catalogue, directory: Path) -> Method:
    """Return the version of a method to compare with, as a method of the catalogue."""
    from bench.campaign import versions

    if options.base_env is not None:
        path = options.base_env.resolve()
    elif options.base is not None:
        text = versions.at_commit(method.adapter, options.base)
        path = versions.write(directory / "base", method.adapter, text)
    else:
        path = versions.write(directory / "base", method.adapter, versions.with_pins(method.adapter, options.base_with))
    return catalogue.add_version(method, path, BASE)


def _decided(directory: Path, old: str, new: str, options: argparse.Namespace) -> bool:
    from bench.analysis.regression import decided

    times = _times(directory)
    return decided(times[old, options.device], times[new, options.device], options.threshold)


def _compared(directory: Path, old: str, new: str, options: argparse.Namespace) -> Comparison:
    from bench import baselines, frames
    from bench.analysis.fingerprint import differences
    from bench.analysis.regression import Comparison, in_turn
    from bench.analysis.speedup import mean_time

    run = frames.load(directory)
    times = _times(directory)
    before, after = times[old, options.device], times[new, options.device]
    prints = baselines.of_run(run)
    mine, theirs = prints.get((new, options.device)), prints.get((old, options.device))
    answers = differences(mine, theirs) if mine and theirs else None
    verdict, ratio = in_turn(before, after, options.threshold, answers)
    return Comparison(
        method=new,
        label=run.campaign["methods"][new]["label"],
        device=options.device,
        protocol="replay",
        weights=next(one.weights for one in run.contents.started if one.method == new),
        verdict=verdict,
        ratio=ratio,
        old=mean_time(before),
        new=mean_time(after),
        answers=None if answers is None else tuple(answers),
    )


def _times(directory: Path) -> Any:
    from bench import frames
    from bench.analysis.speedup import per_round

    return per_round(frames.load(directory).replays, "calculator_ns", "force_calls")


def _explained(directory: Path, pairs: Sequence[tuple[Method, Method]]) -> list[str]:
    """Return how the packages of each pair differ."""
    from bench import frames
    from bench.analysis.regression import changes

    started = {record.method: record for record in frames.load(directory).contents.started}
    return [
        f"{new.name}: {change}"
        for old, new in pairs
        for change in changes(started[old.name].versions, started[new.name].versions)
    ]


def _disturbed(directory: Path) -> list[str]:
    """Return what disturbed which rounds; both versions of a method were hit alike."""
    from bench import frames
    from bench.analysis.disturbed import disturbances

    return [
        f"{one.method}, round {one.round + 1}, was disturbed: {'; '.join(one.reasons)}"
        for one in disturbances(frames.load(directory).watched)
        if not one.method.endswith(BASE)
    ]


def baseline(options: argparse.Namespace) -> int:
    """Keep the answers of a run as baselines; status 1 where it has none to keep."""
    from bench import baselines, frames

    written = baselines.keep(frames.load(options.run))
    for path in written:
        print(path.relative_to(paths.PROJECT))
    if not written:
        print("pesbench: the run has no answers of real weights to keep.", file=sys.stderr)
    return 0 if written else 1


def _where(campaign: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was measured on, and with how many threads."""
    threads = campaign["settings"]["threads"]
    return [
        ("Machine", f"{campaign['machine']['cpu']}, {threads} thread{'s' if threads != 1 else ''}"),
        ("Data set", f"{campaign['dataset']['name']}: {campaign['dataset']['count']} structures"),
    ]


def _name(run: Run) -> str:
    campaign = run.campaign
    commit = f", commit {str(campaign['commit'])[:12]}" if campaign.get("commit") else ""
    return f"{run.directory.name}, {campaign['created'].replace('T', ' ')[:16]}{commit}"


def _show(report: Report, found: Sequence[Comparison], form: str) -> int:
    from bench.analysis.regression import SLOWER
    from bench.report.comparison import render

    sys.stdout.write(render(report, form, color=sys.stdout.isatty()))
    sys.stdout.flush()
    return 1 if any(one.verdict == SLOWER for one in found) else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
