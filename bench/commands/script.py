"""The verb ``script``: a row of the table as a plain ASE script."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _declared, _options, _output, _values
from bench.commands._declared import option, word
from bench.core.settings import Settings

if TYPE_CHECKING:
    from bench.engine.ready import Ready
    from bench.engine.script import PlainScript
    from bench.environments.header import Method

HELP = """\
Print a plain ASE script that does what a method's row does, without pesbench.
It relaxes one structure with the settings of the row and prints ms/step. With
--plain it measures nothing: it only relaxes, simulates or screens. Its first
lines say how to run it; so does standard error."""
EXAMPLES = (
    "pesbench script gfn2-xtb --output gfn2.py",
    "pesbench script 7net-0 --threads 2 --index 50",
    "pesbench script gfn2-xtb --structures aspirin.xyz --plain relax",
)
NAME = "script.py"
"""Of the file, in the command that is told, where the script is printed."""


@dataclasses.dataclass(frozen=True)
class Options(_options.Structures):
    """The options of the verb."""

    method: str = word("a method of 'pesbench list'", "METHOD")
    structures: tuple[str, ...] = _options.structures()
    index: int = option(0, "the structure of the data set (default: %(default)s)", "N")
    optimizer: str = option(
        Settings.optimizer, "one of ASE's, as 'run' names them (default: %(default)s)", "NAME", setting="optimizer"
    )
    max_steps: int = option(
        Settings.max_steps, "steps of a relaxation at most (default: %(default)s)", "N", setting="max_steps"
    )
    relax_cell: bool = option(False, "relax the cell of a periodic structure, too", setting="relax_cell")
    repeats: int = option(3, "how often it measures, a line each (default: %(default)s)", "N")
    plain: str | None = option(
        None,
        "no clock and no warm-up: only relax the structure, simulate it (md), or relax many (screen)",
        "TASK",
        choices=("relax", "md", "screen"),
    )
    """One of :data:`bench.engine.plain.TASKS`; None: the script measures."""
    device: str = _options.device()
    threads: int = _options.threads()
    knob: tuple[str, ...] = _options.knob("a knob of the method (repeatable)")
    weights: str = _options.weights()
    trust_checkpoint: bool = _options.trust_checkpoint()
    adapter: tuple[Path, ...] = _options.adapter()
    output: Path | None = option(None, "write it to a file instead of standard output", "FILE")


def run(options: Options) -> int:
    """Print the script, and on standard error the command that runs it."""
    from bench.data.systems import cells_that_relax
    from bench.engine.ready import Ready
    from bench.engine.script import OPTIMIZERS
    from bench.environments import knobs
    from bench.environments.catalogue import Catalogue
    from bench.errors import BadInput
    from bench.machine.cores import measure_parallel_speed

    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(options.method)
    if len(methods) != 1:
        raise BadInput("a script is for one method; name one.")
    name = methods[0].name
    if options.optimizer not in OPTIMIZERS:
        raise BadInput(f"no script can use the optimiser {options.optimizer!r}; it can use {', '.join(OPTIMIZERS)}.")
    if options.repeats < 1:
        raise BadInput(f"--repeats is {options.repeats}; it must be a number above zero.")
    settings = Settings(
        methods=(name,),
        devices=(options.device,),
        knobs=_values.knobs(options.knob),
        **_declared.settings(options, Settings),
    )
    knobs.choose(catalogue, settings)
    # only with several threads does it matter whether they sleep or spin while they wait
    parallel = measure_parallel_speed() if options.threads > 1 else None
    dataset = options.load()
    _output.say_what_was_read(dataset)
    if options.relax_cell and 0 <= options.index < len(dataset.atoms):
        cells_that_relax([dataset.systems[dataset.system_of[options.index]]])
    ready = Ready(settings, catalogue, dataset, parallel, _output.to_stderr)
    file = str(options.output or NAME)
    script = _made(options, ready, catalogue.methods[name], file)
    if options.output is None:
        sys.stdout.write(script.text)
        _output.to_stderr("put this into a file and run it:")
    else:
        options.output.write_text(script.text, encoding="utf-8")
        _output.to_stderr("run it:")
    _output.to_stderr(f"  {script.told(file)}")
    return 0


def _made(options: Options, ready: Ready, method: Method, file: str) -> PlainScript:
    from bench.engine import plain, script

    if options.plain is None:
        return script.make(ready, method, options.device, options.index, options.repeats, file)
    return plain.make(ready, method, options.device, options.index, plain.Work(options.plain), file)
