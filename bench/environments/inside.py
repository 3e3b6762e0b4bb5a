"""Runs in an interpreter of the user, of any version and without pesbench, and prints what it has.

``python inside.py`` prints version, folders and packages as JSON. ``python inside.py LIST``, with a file of lines
``name==version``, prints a .pth file that shows those folders to an environment; where a package of the list is
missing, it says so and ends with status 2.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path


def folders() -> list[str]:
    """Return the folders in which the interpreter finds packages, in the order of its search."""
    library = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    there = [Path(entry) for entry in sys.path if entry and Path(entry).is_dir()]
    return [str(path) for path in there if path.resolve() not in library and path.name != "lib-dynload"]


def packages() -> dict[str, str]:
    """Return the version of each package by its name; the first one found counts, as in an import."""
    found: dict[str, str] = {}
    for one in importlib.metadata.distributions(path=folders()):
        if one.metadata["Name"]:
            found.setdefault(one.metadata["Name"], one.version)
    return found


def shown(paths: Iterable[str]) -> str:
    """Return a .pth file that shows folders to an environment, behind its own."""
    return "".join(f"import site; site.addsitedir({path!r})\n" for path in paths)


def _has(name: str) -> bool:
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def main(arguments: list[str]) -> int:
    """Print what was asked for; returns the exit status."""
    if not arguments:
        print(json.dumps({"version": list(sys.version_info[:3]), "folders": folders(), "packages": packages()}))
        return 0
    names = [line.partition("==")[0].strip() for line in Path(arguments[0]).read_text().splitlines()]
    lacking = [name for name in names if name and not _has(name)]
    if lacking:
        print(f"pesbench: this kit relies on {lacking[0]}, which {sys.executable} lacks", file=sys.stderr)
        return 2
    print(shown(folders()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
