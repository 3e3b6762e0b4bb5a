"""The verb ``env``: the environments that methods run in."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from bench.commands import _options, _output
from bench.errors import BadInput
from bench.paths import told

HELP = "List the methods' environments, or remove some."
EXAMPLES = ("pesbench env", "pesbench env --remove stale")


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    remove: tuple[str, ...] = ()
    """Empty: list them."""
    adapter: tuple[Path, ...] = ()
    json: bool = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("--remove", nargs="+", metavar="NAME", help="names from the list, or 'stale', or 'all'")
    _options.add_adapter(parser)
    _options.add_json(parser, "the list")


def run(options: Options) -> int:
    """List or remove environments."""
    from bench.engine.conversion import converters
    from bench.environments import environments
    from bench.environments.catalogue import Catalogue

    catalogue = Catalogue(options.adapter)
    found = environments.listing([*catalogue.headers, *converters(catalogue)], sizes=not options.remove)
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
    listing = _output.plain_table("environment", "family", "device", "size", "")
    for entry in found:
        size = f"{entry['bytes'] / 1e9:.2f} GB"
        listing.add_row(entry["name"], entry["family"], entry["device"], size, "stale" if entry["stale"] else "")
    _output.out().print(listing if found else told("there are no environments yet; 'pesbench prepare' makes them."))
