"""Puts the page together: the answers, the style, the script and the numbers, in one file that needs nothing else."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from bench.render import tables
from bench.render.blocks import rounded
from bench.render.glossary import WORDS
from bench.render.marks import KINDS
from bench.render.page.grid import Grid
from bench.render.page.sections import SECTIONS, Measured, Passage, Section, has_something
from bench.render.shown import SHOWN

FORMAT = 1
DATA = "pesbench-data"
"""The id of the element with the numbers."""
DIGITS = 6
"""Of the numbers in the page: more would only make the file larger."""


def document(runs: Sequence[Measured], pesbench: str) -> str:
    """Return the page for one or several runs; each is a part of its own, and nothing is averaged over runs.

    Parameters
    ----------
    runs : sequence of Measured
        At least one.
    pesbench : str
        The version that makes the page.
    """
    answers = [(section, *_parts(section, runs)) for section in SECTIONS if any(map(section.wanted, runs))]
    answers = [(section, parts, joint) for section, parts, joint in answers if joint or any(map(has_something, parts))]
    shown = [grid for _, parts, joint in answers for grid in (*joint, *(one for part in parts for one in part.grids))]
    subjects = [about for grid in shown for about, _ in grid.lines if about]
    known = list(dict.fromkeys(subjects))
    filters = {
        "kind": {one.kind: KINDS.get(one.kind, one.kind) for one in subjects},
        "weights": {one.weights: one.weights for one in subjects if one.weights and one.weights != "none"},
        "device": {one.device: one.device for one in subjects},
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_asset("page.html.j2")).render(
        runs=runs,
        answers=answers,
        filters={name: values for name, values in filters.items() if len(values) > 1},
        number_of={one: number for number, one in enumerate(known)},
        about=Markup(_harmless(json.dumps([dataclasses.asdict(one) for one in known], separators=(",", ":")))),
        methods=_methods(runs),
        glossary=WORDS,
        style=Markup(_asset("page.css")),
        script=Markup(_asset("page.js")),
        data=_packed(numbers(runs, pesbench)),
        data_id=DATA,
        pesbench=pesbench,
        svg=Markup,
    )


def _parts(section: Section, runs: Sequence[Measured]) -> tuple[list[Passage], list[Grid]]:
    """Return what each run has to say to a question, and the table that several runs share."""
    parts = [section.make(run, f"{section.identifier}-{i}") for i, run in enumerate(runs)]
    if section.together is None or len(runs) == 1:
        return parts, []
    return [dataclasses.replace(part, grids=()) for part in parts], [section.together(runs, section.identifier)]


def numbers(runs: Sequence[Measured], pesbench: str) -> dict[str, Any]:
    """Return all numbers of the page: of each run and protocol, what ``pesbench table`` prints as JSON and CSV."""
    return {
        "pesbench": pesbench,
        "format": FORMAT,
        "runs": [_numbers(run) for run in runs],
    }


def _numbers(run: Measured) -> dict[str, Any]:
    """Return the numbers of a run; what all its tables have in their heads stands once, in `head`."""
    head = rounded(run.times.description.plain(), DIGITS)
    found = _tables(run)
    for table in found.values():
        own = table["json"].get("head", {})
        table["json"]["head"] = {name: value for name, value in own.items() if head.get(name, run) != value}
    return {"name": run.name, "machine": run.machine, "head": head, "tables": found}


def _tables(run: Measured) -> dict[str, dict[str, Any]]:
    own = {protocol: _forms(SHOWN[protocol].render, table) for protocol, table in run.own.items()}
    return {"speed": _forms(tables.render, run.times)} | own


def _forms(render: Callable[..., str], table: Any) -> dict[str, Any]:
    """Return a table in the forms that the page carries."""
    return {
        "json": json.loads(render(table, "json", digits=DIGITS)),
        "csv": render(table, "csv", digits=DIGITS),
    }


def _methods(runs: Sequence[Measured]) -> dict[str, str]:
    """Return the names of the methods that have a time, by their identifier."""
    return {row.method: row.name for run in runs for row in run.times.rows if row.time is not None}


def _packed(document: dict[str, Any]) -> str:
    """Return a document as compressed JSON in base64: plain, it would be half of the page."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _harmless(text: str) -> str:
    """Return JSON that no HTML parser takes for the end of its element."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
