"""The verb ``explain``: what a method is and what a run says about it, or what a column of the table means."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _options, _output
from bench.commands._declared import option, word
from bench.errors import BadInput
from bench.paths import told

if TYPE_CHECKING:
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method, Theory

HELP = """\
Explain a method: what it is, and everything that a run says about it; or
explain a column of the table."""
EXAMPLES = ("pesbench explain 7net-0", "pesbench explain ms/step", "pesbench explain cold start")


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    words: tuple[str, ...] = word("from 'pesbench list', or from the head of the table", "METHOD|COLUMN", nargs="+")
    run: str | None = option(None, "a run id or directory (default: the newest run)", "RUN")
    adapter: tuple[Path, ...] = _options.adapter()


def run(options: Options) -> int:
    """Print the explanations."""
    from bench.environments.catalogue import Catalogue
    from bench.results import store

    catalogue = Catalogue(options.adapter)
    # what is wrong is refused before anything is printed
    subjects = [_subject(name, catalogue) for name in _names(options.words, catalogue)]
    if options.run is not None:
        store.find(options.run)
    for i, subject in enumerate(subjects):
        if i:
            _output.out().print()
        if isinstance(subject, tuple):
            _output.out().print(subject[0], style="bold", markup=False)
            _output.print_below(subject[1])
        else:
            _print_method(subject)
            _print_run(subject.name, options.run)
    return 0


def _names(words: tuple[str, ...], catalogue: Catalogue) -> tuple[str, ...]:
    """Return what is to be explained: each word where each is a name, or else all of them as one name."""
    from bench.render import glossary

    each = all(glossary.named(word) is not None or _found(word, catalogue) is not None for word in words)
    return words if each else (" ".join(words),)


def _subject(name: str, catalogue: Catalogue) -> Method | tuple[str, str]:
    """Return the method with a name, or the title and the meaning of a column; raises BadInput where it is neither."""
    from bench.render import glossary

    return _found(name, catalogue) or glossary.explained(name) or _method(name, catalogue)


def _found(name: str, catalogue: Catalogue) -> Method | None:
    """Return the method with this name or label, as a table prints it, if there is one.

    The label may lack what it has in brackets, where no other has the same beginning.
    """
    wanted = name.strip().removesuffix(" (random weights)").casefold()
    every = list(catalogue.methods.values())
    short = [one for one in every if one.label.casefold().partition(" (")[0] == wanted]
    exact = [one for one in every if wanted in (one.name, one.label.casefold())]
    return next(iter(exact), short[0] if len(short) == 1 else None)


def _method(name: str, catalogue: Catalogue) -> Method:
    """Return the method that the user means; raises BadInput, with similar names, where there is none."""
    from bench.core.likely import similar
    from bench.render import glossary, headers

    try:
        return catalogue.select(name)[0]
    except BadInput:
        known = [
            *catalogue.methods,
            *(one.label for one in catalogue.methods.values()),
            *glossary.WORDS,
            *headers.WORDS,
        ]
        near = similar(name, known)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "'pesbench list' shows the methods."
        raise BadInput(f"there is no method and no column {name!r}; {hint}") from None


def _print_method(method: Method) -> None:
    from bench.render.marks import KINDS

    theory = method.theory
    facts = {
        "method": f"{method.name}, {KINDS.get(method.kind, method.kind)} of the family {method.family}",
        "made for": f"{_level(theory)}, dispersion: {theory.dispersion} ({theory.source})" if theory else "",
        "weights": f"{method.checkpoint.file} ({method.checkpoint.licence})" if method.checkpoint else "",
        "parameters": f"{method.parameters:,}" if method.parameters else "",
        "devices": ", ".join(method.devices),
        "takes": ", ".join(what for what in ("charge", "spin", "periodic", "stress") if getattr(method, what)),
        "knobs": "; ".join(f"{name}={knob}" for name, knob in method.knobs.items()),
        "note": method.note.strip(),
    }
    _print_pairs(method.label, [(name, text) for name, text in facts.items() if text])


def _level(theory: Theory) -> str:
    return theory.functional if theory.basis == "-" else f"{theory.functional}/{theory.basis}"


def _print_run(name: str, run: str | None) -> None:
    """Print what a run says about a method; where the user named no run and there is none, only how to make one."""
    from bench.render import explained
    from bench.results import store, tables

    console = _output.out()
    console.print()
    try:
        directory = store.find(run)
        found = explained.of_method(tables.table_of(directory, _output.warn), name)
    except BadInput:
        if run is not None:
            raise
        found, directory = None, None
    if found is None or not found.rows:
        where = f"run {directory.name} has no times of it" if directory else "there is no run yet"
        console.print(told(f"{where}; 'pesbench run --methods {name}' measures it."), soft_wrap=False)
        return
    assert directory is not None
    console.print(f"[bold]In run {directory.name}[/bold]")
    for figure in explained.figures(found):
        console.print(f"  {figure.name}: [bold]{figure.text.replace('[', chr(92) + '[')}[/bold]")
        _output.print_below(figure.meaning)
    for remark in explained.remarks(found):
        console.print()
        _output.print_below(remark)


def _print_pairs(title: str, pairs: list[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _output.out()
    console.print(Text(title, style="bold"))
    grid = Table.grid(padding=(0, 2))
    for name, text in pairs:
        grid.add_row(Text(f"  {name}"), Text(text, overflow="fold"))
    console.print(grid)
