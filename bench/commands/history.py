"""The verb ``history``: a machine's speed over time."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

from bench.commands import _options, _output, _results
from bench.commands._declared import option, word
from bench.errors import BadInput

HELP = """\
Keep the times of a machine's runs, and find lasting changes in them.
They lie in results/history/, one file per machine."""
EXAMPLES = (
    "pesbench history add",
    "pesbench history show",
    "pesbench history plot --output speed",
    "pesbench history export --output benchmark.json",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    action: str = word("export: for github-action-benchmark", choices=lambda: tuple(ACTIONS))
    """A key of :data:`ACTIONS`."""
    run: str | None = word("with add: a run id or directory (default: the newest run)", "RUN", None, nargs="?")
    machine: str | None = option(None, "part of a history's name, where there are several", "NAME")
    output: Path | None = option(None, "for plot (without extension) and export", "FILE|STEM")
    json: bool = _options.json("the lines (show)")


def run(options: Options) -> int:
    """Add a run to its machine's history, or show, draw or export one; status 1 where there is nothing to add."""
    if options.run is not None and options.action != "add":
        raise BadInput(f"'history {options.action}' takes no run; choose a machine with --machine.")
    return ACTIONS[options.action](options)


def _add(options: Options) -> int:
    from bench.commands._comparing import is_plain, refuse_versions
    from bench.paths import shown
    from bench.results import history
    from bench.results.dataframes import load
    from bench.results.tables import table_of

    loaded = load(_results.with_times(options.run, is_plain), _output.warn)
    refuse_versions(loaded)
    path = history.add(history.entries(loaded, table_of(loaded.directory)))
    if path is None:
        print(
            f"pesbench: run {loaded.directory.name} has no times to keep; name one that relaxed or replayed. "
            "'pesbench runs' lists them.",
            file=sys.stderr,
        )
        return 1
    print(shown(path))
    return 0


def _show(options: Options) -> int:
    from bench.render.history import below, table
    from bench.results import history

    path = history.find(options.machine)
    lines = history.read(path)
    if options.json:
        _output.print_json(lines)
        return 0
    console = _output.out()
    console.print(path.stem)
    series = history.series(lines)
    console.print(table(series))
    for sentence in below(series, history.together(lines)):
        console.print(sentence)
    return 0


def _plot(options: Options) -> int:
    from bench.render.history import plot
    from bench.results import history

    path = history.find(options.machine)
    stem = options.output or Path(f"history-{path.stem}")
    try:
        for file in plot(history.series(history.read(path)), stem):
            print(file)
    except OSError as error:
        raise BadInput(f"cannot write {stem}: {error.strerror}; choose another place with --output.") from None
    return 0


def _export(options: Options) -> int:
    from bench.results import history

    text = json.dumps(history.export(history.read(history.find(options.machine))), indent=1) + "\n"
    if options.output is None:
        _output.print_text(text)
        return 0
    try:
        options.output.write_text(text)
    except OSError as error:
        raise BadInput(f"cannot write {options.output}: {error.strerror}; choose another place.") from None
    return 0


ACTIONS: dict[str, Callable[[Options], int]] = {"add": _add, "show": _show, "plot": _plot, "export": _export}
