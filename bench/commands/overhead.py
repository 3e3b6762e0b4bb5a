"""The verb ``overhead``: what the harness itself costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.commands import _options, _output

HELP = """\
Measure what the harness adds to a step.
A structure is relaxed in three fresh processes in turn: by a worker of the
harness, by the plain script of 'pesbench script', and by that script without
the variables that set threads. The worker relaxes it bare, too, alternating."""
EXAMPLES = ("pesbench overhead --methods uff-ase,gfn2-xtb,7net-0",)


@dataclasses.dataclass(frozen=True)
class Options(_options.Structures):
    """The options of the verb."""

    methods: str = _options.methods("default: %(default)s", "uff-ase,gfn2-xtb,7net-0")
    limit: int = _options.limit("structures, each in fresh processes (default: %(default)s)", 8)
    structures: tuple[str, ...] = _options.structures()
    threads: int = _options.threads()
    beside: bool = _options.beside()
    adapter: tuple[Path, ...] = _options.adapter()
    json: bool = _options.json("the ratios")


def run(options: Options) -> int:
    """Print what the harness adds to a step."""
    from bench.analysis.overhead import summarise
    from bench.engine.overhead import measure
    from bench.environments.catalogue import Catalogue
    from bench.errors import BadInput
    from bench.machine.alone import hold
    from bench.machine.cores import measure_parallel_speed
    from bench.render.numbers import plain, with_interval

    if options.limit < 1:
        raise BadInput(f"--limit is {options.limit}; it must be a number above zero.")
    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(options.methods)
    dataset = options.load_one("overhead")
    hold("pesbench overhead", _output.to_stderr, options.beside)
    parallel = measure_parallel_speed(options.threads)
    rounds = measure(catalogue, methods, dataset, options.limit, options.threads, parallel, _output.to_stderr)
    try:
        found = [summarise(method, measured) for method, measured in rounds.items()]
    except ValueError as error:
        raise BadInput(f"{error}; there is nothing to compare.") from None
    if options.json:
        _output.print_json([dataclasses.asdict(entry) for entry in found])
        return 0
    shown = _output.plain_table(
        "method", "row ms/step", "row / script", "row / script, shell", "harness / bare", "added us/step", "bookkeeping"
    )
    for entry in found:
        shown.add_row(
            entry.method,
            plain(entry.row_ms_per_step),
            with_interval(entry.row_over_script),
            with_interval(entry.row_over_shell),
            with_interval(entry.ratio),
            with_interval(entry.added_us_per_step),
            f"{entry.bookkeeping_us_per_step:.1f}",
        )
    _output.out().print(shown)
    for entry in found:
        if entry.steps_differ:
            _output.warn(
                f"{entry.method}: the script made another number of steps than the harness in {entry.steps_differ} of "
                f"{len(rounds[entry.method])} rounds, so it does not do the same."
            )
    _output.out().print(
        "row: ms/step as in the table; script: that of 'pesbench script', in a process of its own, with the worker's "
        "variables; shell: without those that set threads; harness / bare: wall time, in one process. Intervals: 95 %, "
        "Student's t over rounds of fresh processes, one structure each."
    )
    return 0
