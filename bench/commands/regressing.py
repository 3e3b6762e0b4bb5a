"""The verb regress: two versions of a method, measured in turn."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import paths
from bench.campaign.versions import BASE
from bench.commands.comparing import check_form, show
from bench.contract.protocol import REPLAY
from bench.contract.settings import Settings
from bench.errors import BadInput
from bench.machine import provenance
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method

if TYPE_CHECKING:
    from bench.analysis.regression import Comparison
    from bench.campaign.regress import Pair
    from bench.report.comparison import Report
    from bench.runs.store import RunWriter


def regress(options: argparse.Namespace) -> int:
    """Measure an old and the present version of methods in turn.

    Status 1 where one got slower, else 2 where one could not be measured.
    """
    check_form(options.format)
    from bench.campaign.description import new_directory

    paths.weights_dir()  # refuses a folder that is not there before anything is written
    directory = new_directory(options.output)
    try:
        report, found = _regress(options, directory)
    except BadInput:
        if not (directory / "campaign.json").exists():
            shutil.rmtree(directory, ignore_errors=True)
        raise
    return show(report, found, options.format) or (2 if any(one.ratio is None for one in found) else 0)


def _regress(options: argparse.Namespace, directory: Path) -> tuple[Report, list[Comparison]]:
    from bench.campaign.regress import POINTS, Pair, begin
    from bench.data.structures import load_dataset
    from bench.report.comparison import Report, where
    from bench.runs import store

    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(options.methods)
    native = [method.name for method in methods if method.native]
    if native:
        raise BadInput(f"{native[0]} is driven by its own optimiser and has no force calls to replay; leave it out.")
    pairs = [(_old_version(method, options, catalogue, directory), method) for method in methods]
    settings = Settings(
        methods=tuple(one.name for pair in pairs for one in pair),
        devices=(options.device,),
        protocols=(REPLAY,),
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
            new, started = pair.methods["new"], time.monotonic()
            try:
                count = _run(pair, writer, directory, options)
            except BadInput as error:  # the others are compared all the same
                if len(ready) == 1:
                    raise
                found.append(_not_compared(new, options.device, error))
                continue
            found.append(_compared(directory, pair.methods["old"].name, new.name, options))
            rounds.append((new.name, f"{count} rounds in {time.monotonic() - started:.0f} s"))
    finally:
        writer.close()
    what = options.base or options.base_env or ", ".join(options.base_with)
    return Report(
        title=[("Run", directory.name), ("Old", str(what)), *where(store.describe(directory)), *rounds],
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


def _run(pair: Pair, writer: RunWriter, directory: Path, options: argparse.Namespace) -> int:
    """Measure both versions until their records decide, or the budget ends; returns the number of rounds."""
    from bench.analysis.regression import decided

    old, new = ((pair.methods[side].name, options.device) for side in ("old", "new"))

    def is_decided() -> bool:
        times = _times(directory)
        return decided(times[old], times[new], options.threshold)

    return pair.run(writer, directory / "logs", options.budget, is_decided)


def _compared(directory: Path, old: str, new: str, options: argparse.Namespace) -> Comparison:
    from bench.analysis.fingerprint import differences
    from bench.analysis.regression import Comparison, in_turn
    from bench.analysis.times import mean_time
    from bench.runs import baselines, dataframes

    run = dataframes.load(directory)
    times = _times(directory)
    before, after = times[old, options.device], times[new, options.device]
    prints = baselines.of_run(run)
    mine, theirs = prints.get((new, options.device)), prints.get((old, options.device))
    answers = differences(mine, theirs) if mine and theirs else None
    verdict, ratio = in_turn(before, after, options.threshold, answers)
    return Comparison(
        method=new,
        label=run.description.methods[new].label,
        device=options.device,
        protocol=REPLAY,
        weights=next(one.weights for one in run.contents.started if one.method == new),
        verdict=verdict,
        ratio=ratio,
        old=mean_time(before),
        new=mean_time(after),
        answers=None if answers is None else tuple(answers),
    )


def _not_compared(method: Method, device: str, error: BadInput) -> Comparison:
    from bench.analysis.regression import NOT_COMPARED, Comparison

    return Comparison(method.name, method.label, device, REPLAY, NOT_COMPARED, why=str(error).rstrip("."))


def _times(directory: Path) -> Any:
    from bench.analysis.times import per_round
    from bench.runs import dataframes

    return per_round(dataframes.load(directory).replays, "calculator_ns", "force_calls")


def _explained(directory: Path, pairs: Sequence[tuple[Method, Method]]) -> list[str]:
    """Return how the packages of each pair differ."""
    from bench.analysis.likeness import changes
    from bench.runs import dataframes

    started = {record.method: record for record in dataframes.load(directory).contents.started}
    return [
        f"{new.name}: {change}"
        for old, new in pairs
        if old.name in started and new.name in started
        for change in changes(started[old.name].versions, started[new.name].versions)
    ]


def _disturbed(directory: Path) -> list[str]:
    """Return what disturbed which rounds; both versions of a method were hit alike."""
    from bench.analysis.disturbed import disturbances
    from bench.runs import dataframes

    return [
        f"{one.method}, round {one.round + 1}, was disturbed: {'; '.join(one.reasons)}"
        for one in disturbances(dataframes.load(directory).watched)
        if not one.method.endswith(BASE)
    ]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
