"""The verb ``list``: which methods there are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands import _options, _output
from bench.commands._declared import option

if TYPE_CHECKING:
    from bench.environments.header import Method

HELP = """\
List the methods, with kind, parameters, devices, licence and knobs; or the
optimisers."""
EXAMPLES = ("pesbench list", "pesbench list --optimizers")


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    adapter: tuple[Path, ...] = _options.adapter()
    optimizers: bool = option(False, "list the optimisers instead")
    json: bool = _options.json("the list")


def run(options: Options) -> int:
    """Print the methods."""
    from bench.environments.catalogue import Catalogue

    if options.optimizers:
        return _list_optimizers(options.json)
    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(",".join(catalogue.methods))  # reference levels, too, which "all" leaves out
    if options.json:
        _output.print_json([_facts(method) for method in methods])
        return 0
    lines = _lines(methods, _output.out().width)
    for method, line in zip(methods, lines, strict=True):
        print(line)
        licence = f"; weights: {method.checkpoint.licence}" if method.checkpoint else ""
        knobs = ", ".join(f"{name}={knob}" for name, knob in method.knobs.items())
        _output.print_below(f"{method.label}{licence}{'; knobs: ' if knobs else ''}{knobs}")
    print("* measured only when named with --methods")
    return 0


def _lines(methods: Sequence[Method], width: int) -> list[str]:
    """Return the first line of each method; where it has no room, without the blanks that make columns."""
    names = max(len(method.name) for method in methods)
    found = []
    for method in methods:
        parameters = f"{method.parameters:,}" if method.parameters else "-"
        mark = " " if method.default else "*"
        rest = f"{mark} {method.kind:<14}  {parameters:>11}  {' '.join(method.devices)}"
        found.append(f"{method.name:<{names}} {rest}")
    return (
        found
        if max(map(len, found)) <= width
        else [" ".join(part for part in line.split() if part != "-") for line in found]
    )


def _list_optimizers(as_json: bool) -> int:
    from bench.environments.optimizers import optimizers

    found = optimizers().values()
    if as_json:
        _output.print_json([{"optimizer": one.name, "label": one.label, "note": one.note} for one in found])
        return 0
    for one in found:
        print(one.name if one.label == one.name else f"{one.name}: {one.label}")
        _output.print_below(one.note)
    return 0


def _facts(method: Method) -> dict[str, Any]:
    return {
        "method": method.name,
        "label": method.label,
        "kind": method.kind,
        "parameters": method.parameters,
        "devices": method.devices,
        "charge": method.charge,
        "spin": method.spin,
        "periodic": method.periodic,
        "stress": method.stress,
        "licence": method.checkpoint.licence if method.checkpoint else None,
        "default": method.default,
        "dtypes": method.dtypes,
        "knobs": {name: knob.values for name, knob in method.knobs.items()},
        "note": method.note,
    }
