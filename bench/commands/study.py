"""The verb ``study``: measures everything, continues where it was stopped, and ends with the page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.commands import _options, _planning, _values
from bench.commands import run as run_verb
from bench.commands._declared import option
from bench.commands._measuring import measure
from bench.commands._values import Budget
from bench.protocols import PROTOCOLS

HELP = """\
Measure everything: speed, dynamics, accuracy, growth and throughput of every
method. It takes hours, and says first how many. Stop it, and type the same
command again to continue. It ends with the table and the page."""
EXAMPLES = ("pesbench study --methods uff,gfn2-xtb,so3lr --limit 10 --budget 30",)
SECONDS = 60.0
"""Of each method, for each of its phases; DFT has three times as much."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    methods: str | None = _options.methods("names from 'pesbench list' (default: those that 'run' measures)")
    adapter: tuple[Path, ...] = _options.adapter()
    limit: int | None = _options.limit("only N structures, spread evenly over the set, and N seeds for dynamics")
    budget: Budget | None = option(
        None,
        "for each method and each of: speed, dynamics, accuracy, growth, throughput (default: 60, for DFT 180)",
        "SECONDS|none",
        parse=_values.budget,
    )
    """None: a minute, and three for DFT."""
    output: Path | None = _options.output_folder()
    beside: bool = _options.beside()
    format: str = _options.table_format()
    new: bool = option(False, "begin a new study, even if one was stopped")


def run(options: Options) -> int:
    """Continue the newest study that was stopped, or begin one."""
    from bench.commands._output import to_stderr
    from bench.core.kind import KINDS
    from bench.machine.alone import hold
    from bench.results import store

    stopped = None if options.new else store.newest_unfinished(options.output, tuple(PROTOCOLS))
    if stopped is not None:
        hold("pesbench study", to_stderr, options.beside)
        to_stderr(f"continuing the study {stopped.name} as it was planned; --new begins another")
        return measure(
            _planning.begun(stopped.name, options.output, options.budget, options.adapter), True, options.format
        )
    plan = run_verb.new_plan(
        run_verb.Options(
            methods=options.methods,
            adapter=options.adapter,
            limit=options.limit,
            protocols=tuple(PROTOCOLS),
            budget=options.budget,
            output=options.output,
            beside=options.beside,
        )
    )
    if options.budget is None:
        kinds = {name: KINDS[plan.catalogue.methods[name].kind] for name in plan.settings.methods}
        budgets: dict[str, float | None] = {name: SECONDS * kind.share for name, kind in kinds.items()}
        plan = plan._replace(settings=dataclasses.replace(plan.settings, budget_s=budgets, total_s=None))
    return measure(plan, False, options.format)
