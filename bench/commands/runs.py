"""The verb ``runs``: the runs that are kept, their names and tags, and how to delete some."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands import _options, _output
from bench.commands._declared import option, word
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.results.kept import Kept

HELP = """\
List the runs that are kept, name or tag one, or delete some. Every verb takes
the name of a run in place of its id: 'pesbench table aspirin'."""
EXAMPLES = (
    "pesbench runs",
    "pesbench runs name 20261122-101500 aspirin",
    "pesbench runs tag 20261122-101500 paper",
    "pesbench runs delete 20261123-091200 --yes",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    action: str = word(
        "list (default), name, tag or delete", "ACTION", "list", nargs="?", choices=lambda: tuple(ACTIONS)
    )
    """A key of :data:`ACTIONS`."""
    words: tuple[str, ...] = word(
        "list TAG, name RUN NAME, tag RUN TAG ..., delete RUN ...; 'name RUN' alone takes the name away",
        "WORD",
        (),
        nargs="*",
    )
    """What it is done to, and with."""
    remove: bool = option(False, "with tag: take these tags away")
    yes: bool = option(False, "with delete: do not ask")
    output: Path | None = _options.output_folder()
    json: bool = _options.json("the list")


def run(options: Options) -> int:
    """List, name, tag or delete runs."""
    from bench import paths

    if options.remove and options.action != "tag":
        raise BadInput("--remove belongs to the action tag.")
    return ACTIONS[options.action](options, options.output or paths.results_dir())


def _list(options: Options, results: Path) -> int:
    from bench.paths import told
    from bench.results import kept

    found = kept.listing(results)
    if options.words:
        found = [one for one in found if set(options.words) <= set(one.about.tags)]
    if options.json:
        _output.print_json([_object(one) for one in found])
        return 0
    if not found:
        what = f"no run in {results} has the tag {' and '.join(options.words)}" if options.words else None
        _output.print_text(told(what or f"there is no run in {results} yet; 'pesbench run' makes one."))
        return 0
    _output.print_columns(
        ("run", "name", "state", "size", "tags"),
        [(one.directory.name, one.about.name, one.state, _size(one.bytes), ", ".join(one.about.tags)) for one in found],
        list(map(_measured, found)),
    )
    return 0


def _measured(one: Kept) -> str:
    """Return what was measured in a few words: ``relax of aspirin.xyz by uff, gfn2-xtb``."""
    from bench.results.finding import some

    described = one.description
    if described is None:
        return ""
    settings = described.settings
    where = "" if settings.devices == ("cpu",) else f" on {', '.join(settings.devices)}"
    return f"{', '.join(settings.protocols)} of {described.dataset.name} by {some(settings.methods)}{where}"


def _size(found: int) -> str:
    return f"{found / 1e6:.1f} MB" if found >= 1e5 else f"{max(1, round(found / 1e3))} kB"


def _object(one: Kept) -> dict[str, Any]:
    described = one.description
    return {
        "run": one.directory.name,
        "name": one.about.name or None,
        "tags": list(one.about.tags),
        "state": one.state,
        "created": described.created if described else None,
        "protocols": list(described.settings.protocols) if described else [],
        "methods": list(described.settings.methods) if described else [],
        "devices": list(described.settings.devices) if described else [],
        "dataset": described.dataset.name if described else None,
        "bytes": one.bytes,
        "directory": str(one.directory),
    }


def _name(options: Options, results: Path) -> int:
    from bench.results import kept

    if len(options.words) not in (1, 2):
        raise BadInput("give a run and its name, as in 'pesbench runs name RUN aspirin'.")
    directory = _one(options.words[0], results)
    name = options.words[1] if len(options.words) == 2 else ""
    kept.rename(directory, name)
    print(f"{directory.name} is now {name}" if name else f"{directory.name} has no name any more")
    return 0


def _tag(options: Options, results: Path) -> int:
    from bench.results import finding, kept

    if len(options.words) < 2:
        raise BadInput("give a run and its tags, as in 'pesbench runs tag RUN paper'.")
    directory = _one(options.words[0], results)
    kept.tag(directory, options.words[1:], options.remove)
    tags = finding.about(directory).tags
    print(f"{directory.name} has the tag{'s' if len(tags) > 1 else ''} {', '.join(tags)}" if tags else "no tags")
    return 0


def _delete(options: Options, results: Path) -> int:
    from bench.results import kept

    if not options.words:
        raise BadInput("name the runs to delete; 'pesbench runs' lists them.")
    chosen = list(dict.fromkeys(_one(word, results) for word in options.words))
    for directory in chosen:  # all are checked before one is gone
        kept.check_deletable(directory)
    if not options.yes:
        said = ", ".join(str(directory) for directory in chosen)
        if not sys.stdin.isatty():
            raise BadInput(f"this would delete {said}; add --yes to do it.")
        if input(f"delete {said}? [y/N] ").strip().casefold() not in ("y", "yes"):
            _output.to_stderr("nothing was deleted")
            return 0
    for directory in chosen:
        kept.delete(directory)
        print(f"deleted {directory}")
    return 0


def _one(word: str, results: Path) -> Path:
    """Return the run that a word names; a folder of runs is refused, because it would mean its newest."""
    from bench.results import finding

    directory = finding.find(word, results)
    if Path(word).is_dir() and directory.resolve() != Path(word).resolve() and directory.name != word:
        raise BadInput(f"{word} is a folder of runs; name a single one.")
    return directory


ACTIONS: dict[str, Callable[[Options, Path], int]] = {"list": _list, "name": _name, "tag": _tag, "delete": _delete}
