"""The verbs that check pesbench and its adapters: conform, overhead."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from bench import paths
from bench.commands.output import out, plain_table, print_json, to_stderr
from bench.contract.settings import Settings
from bench.machine import provenance
from bench.methods.catalogue import Catalogue


def conform(options: argparse.Namespace) -> int:
    """Check the adapter of a method, or all methods of an adapter file; status 1 where a check fails."""
    from bench.campaign.conform import conform
    from bench.data.structures import GFN2, load_dataset
    from bench.report.conform import render

    file = Path(options.what)
    is_file = file.suffix == ".py"
    catalogue = Catalogue([*options.adapter, *([file] if is_file and file.resolve().parent != paths.ADAPTERS else [])])
    if is_file:
        methods = [method for method in catalogue.methods.values() if method.adapter == file.resolve()]
    else:
        methods = catalogue.select(options.what)
    settings = Settings(
        methods=tuple(method.name for method in methods),
        devices=(options.device,),
        threads=options.threads,
        weights=options.weights,
        trust=options.trust_checkpoint,
    )
    dataset = load_dataset(options.structures or GFN2)
    found = {}
    for method in methods:
        found[method.name] = conform(catalogue, method, dataset, settings, options.device, say=to_stderr)
        if not options.json:
            print(f"{method.name}\n{render(found[method.name], out().width)}")
    if options.json:
        print_json(found)
    return 1 if any(check["passed"] is False for checks in found.values() for check in checks) else 0


def overhead(options: argparse.Namespace) -> int:
    """Print what the harness adds to a step."""
    from bench.analysis.overhead import summarise as overhead_of
    from bench.campaign.overhead import measure
    from bench.data.structures import load_dataset
    from bench.report.numbers import with_interval

    catalogue = Catalogue(options.adapter)
    parallel = provenance.measure_parallel_speed()
    pairs = measure(
        catalogue,
        catalogue.select(options.methods),
        load_dataset(options.structures),
        options.limit,
        options.threads,
        parallel,
    )
    found = [overhead_of(method, measured) for method, measured in pairs.items()]
    if options.json:
        return print_json([dataclasses.asdict(entry) for entry in found])
    shown = plain_table("method", "bare ms/step", "harness / bare", "added us/step", "of it bookkeeping")
    for entry in found:
        shown.add_row(
            entry.method,
            f"{entry.bare_ms_per_step:.3g}",
            with_interval(entry.ratio),
            with_interval(entry.added_us_per_step),
            f"{entry.bookkeeping_us_per_step:.1f}",
        )
    out().print(shown)
    out().print("intervals: 95 % BCa bootstrap over structures, paired; one process a method, bare and harness in turn")
    return 0
