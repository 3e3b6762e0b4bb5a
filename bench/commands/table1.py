"""The verb ``table1``: the published table, and a run in its style, as files for a paper."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.commands import _options, _results
from bench.commands._declared import option
from bench.errors import BadInput

HELP = """\
Write the published Table 1, with the newest run beside it, as Markdown, LaTeX
and a figure (PDF, SVG, PNG)."""
EXAMPLES = ("pesbench table1 --output table1",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    run: str | None = _options.run()
    output: Path | None = option(None, "folder for the files (default: results/table1)", "DIR")


def _is_of_the_paper(directory: Path) -> bool:
    """Return whether a run is of the published table's molecule."""
    from bench.paper import table1
    from bench.results import store

    try:
        return bool(table1.figures_for(store.describe(directory).dataset))
    except BadInput:  # of another format
        return False


def run(options: Options) -> int:
    """Write the files and print their paths; without any run, those of the published table alone."""
    from bench import paths
    from bench.commands._output import to_stderr, warn
    from bench.paper import table1
    from bench.render import figure, like_table1
    from bench.results import tables

    published = table1.table()
    measured = None
    try:
        measured = tables.table_of(_results.with_times(options.run, _is_of_the_paper), warn)
    except BadInput as error:
        if options.run is not None:
            raise
        to_stderr(f"the published table stands alone: {error}")
    if measured is not None and not measured.rows:
        raise BadInput(
            f"{measured.description.run_id} has no times; name a run of relax or replay; 'pesbench runs' lists them."
        )
    if measured is not None and not table1.figures_for(measured.description.dataset):
        raise BadInput(
            f"{measured.description.run_id} measured {measured.description.dataset.formula or 'another molecule'}, and "
            "the published table is about naphthalene; name a run of naphthalene."
        )
    folder = options.output or paths.results_dir() / "table1"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, render in (("table1.md", like_table1.markdown), ("table1.tex", like_table1.latex)):
            (folder / name).write_text(render(published, measured), encoding="utf-8")
            print(folder / name)
        for path in figure.save(figure.draw(measured or published), folder / "table1", pdf=True):
            print(path)
    except OSError as error:
        raise BadInput(f"cannot write to {folder}: {error.strerror}; choose another folder with --output.") from None
    return 0
