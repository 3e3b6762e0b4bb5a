"""The verb ``env``: the environments that methods run in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from bench.commands import _options, _output
from bench.commands._declared import option
from bench.errors import BadInput
from bench.paths import told

HELP = "List the methods' environments, or remove some."
EXAMPLES = ("pesbench env", "pesbench env --remove stale")


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    remove: tuple[str, ...] = option((), "names from the list, or 'stale', or 'all'", "NAME", nargs="+")
    """Empty: list them."""
    adapter: tuple[Path, ...] = _options.adapter()
    json: bool = _options.json("the list")


def run(options: Options) -> int:
    """List or remove environments."""
    from bench.engine.conversion import converters
    from bench.environments import environments
    from bench.environments.catalogue import Catalogue
    from bench.environments.optimizers import optimizers

    catalogue = Catalogue(options.adapter)
    of_optimizers = [one.header for one in optimizers().values()]
    headers = [*catalogue.headers, *converters(catalogue), *of_optimizers]
    found = environments.listing(headers, sizes=not options.remove)
    if options.remove:
        for name in _chosen(options.remove, found):
            environments.remove(name)
            print(f"removed {name}")
    elif options.json:
        _output.print_json(found)
    else:
        _print(found)
    return 0


def _chosen(wanted: tuple[str, ...], found: list[dict[str, Any]]) -> list[str]:
    """Return the names of the environments to remove; raises BadInput before any is removed."""
    names = {entry["name"] for entry in found}
    groups = {"all": names, "stale": {entry["name"] for entry in found if entry["stale"]}}
    chosen: set[str] = set()
    for one in wanted:
        if one not in groups and one not in names:
            raise BadInput(f"there is no environment {one!r}; 'pesbench env' lists them.")
        chosen |= groups.get(one, {one})
    return sorted(chosen)


def _print(found: list[dict[str, Any]]) -> None:
    if not found:
        _output.print_text(told("there are no environments yet; 'pesbench prepare' makes them."))
        return
    _output.print_columns(
        ("environment", "device", "size", "state", "family"),
        [
            (
                entry["name"],
                entry["device"],
                f"{entry['bytes'] / 1e9:.2f} GB",
                "stale" if entry["stale"] else "",
                entry["family"],
            )
            for entry in found
        ],
    )
