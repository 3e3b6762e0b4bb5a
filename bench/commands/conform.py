"""The verb ``conform``: whether an adapter does what its interface promises."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _declared, _options, _output, _values
from bench.commands._declared import word
from bench.core.settings import Settings

if TYPE_CHECKING:
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method

HELP = """\
Check whether an adapter does what its interface promises: units, derivatives,
invariances, state, threads, charge and spin, parameter count, header.
Exit status: 1 where a check fails."""
EXAMPLES = ("pesbench conform 7net-0", "pesbench conform my_adapter.py")


@dataclasses.dataclass(frozen=True)
class Options(_options.Structures):
    """The options of the verb."""

    what: str = word("a method, or an adapter file with all its methods", "METHOD|FILE")
    device: str = _options.device()
    threads: int = _options.threads()
    structures: tuple[str, ...] = _options.structures("as in 'run' (default: naphthalene-gfn2)")
    weights: str = _options.weights()
    trust_checkpoint: bool = _options.trust_checkpoint()
    knob: tuple[str, ...] = _options.knob()
    adapter: tuple[Path, ...] = _options.adapter()
    json: bool = _options.json("the checks")


def run(options: Options) -> int:
    """Check the adapter of a method, or all methods of an adapter file; status 1 where a check fails."""
    from bench.data.structures import GFN2
    from bench.engine.conform import conform
    from bench.environments.knobs import choose
    from bench.machine.cores import measure_parallel_speed
    from bench.render.conform import render

    catalogue, methods = _subject(options)
    settings = Settings(
        methods=tuple(method.name for method in methods),
        devices=(options.device,),
        knobs=_values.knobs(options.knob),
        **_declared.settings(options, Settings),
    )
    choose(catalogue, settings)
    methods = [catalogue.methods[method.name] for method in methods]  # with the chosen values
    dataset = options.load_one("conform", GFN2)
    parallel = measure_parallel_speed(options.threads)
    found = {}
    for method in methods:
        checks = conform(catalogue, method, dataset, settings, options.device, parallel, _output.to_stderr)
        found[method.name] = checks
        if not options.json:
            print(f"{method.name}\n{render(checks, _output.out().width)}")
    if options.json:
        _output.print_json(
            {method: [dataclasses.asdict(check) for check in checks] for method, checks in found.items()}
        )
    return 1 if any(check.passed is False for checks in found.values() for check in checks) else 0


def _subject(options: Options) -> tuple[Catalogue, list[Method]]:
    """Return the methods to check, and a catalogue that has them."""
    from bench import paths
    from bench.environments.catalogue import Catalogue

    file = Path(options.what)
    if file.suffix != ".py":
        catalogue = Catalogue(options.adapter)
        return catalogue, catalogue.select(options.what)
    ours = file.resolve().parent == paths.adapters_dir()
    catalogue = Catalogue(options.adapter if ours else [*options.adapter, file])
    return catalogue, [method for method in catalogue.methods.values() if method.adapter == file.resolve()]
