"""The verb ``overhead``: what the harness itself costs."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from bench.commands import _options, _output
from bench.contract.settings import Settings

HELP = """\
Measure what the harness adds to a step.
The same relaxations run bare (as a plain ASE script) and through the harness,
alternating, in one process."""
EXAMPLES = ("pesbench overhead --methods uff-ase,gfn2-xtb,7net-0",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    methods: str = "uff-ase,gfn2-xtb,7net-0"
    limit: int = 20
    structures: str | None = None
    threads: int = Settings.threads
    adapter: tuple[Path, ...] = ()
    json: bool = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    _options.add_methods(parser, "default: %(default)s")
    _options.add_limit(parser, "structures (default: %(default)s)")
    _options.add_structures(parser)
    _options.add_threads(parser)
    _options.add_adapter(parser)
    _options.add_json(parser, "the ratios")


def run(options: Options) -> int:
    """Print what the harness adds to a step."""
    from bench.analysis.overhead import summarise
    from bench.campaign.overhead import measure
    from bench.data.structures import load_dataset
    from bench.machine.cores import measure_parallel_speed
    from bench.methods.catalogue import Catalogue
    from bench.report.numbers import with_interval

    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(options.methods)
    dataset = load_dataset(options.structures)
    parallel = measure_parallel_speed()
    pairs = measure(catalogue, methods, dataset, options.limit, options.threads, parallel, _output.to_stderr)
    found = [summarise(method, measured) for method, measured in pairs.items()]
    if options.json:
        _output.print_json([dataclasses.asdict(entry) for entry in found])
        return 0
    shown = _output.plain_table("method", "bare ms/step", "harness / bare", "added us/step", "bookkeeping")
    for entry in found:
        shown.add_row(
            entry.method,
            f"{entry.bare_ms_per_step:.3g}",
            with_interval(entry.ratio),
            with_interval(entry.added_us_per_step),
            f"{entry.bookkeeping_us_per_step:.1f}",
        )
    _output.out().print(shown)
    _output.out().print("intervals: 95 % over structures, paired; one process per method, bare and harness alternating")
    return 0
