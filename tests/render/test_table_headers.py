"""Everything that stands at the head of a table, of any verb or protocol, is explained."""

import ast
from pathlib import Path

import pytest

from bench.core.failure import FAILURES
from bench.protocols.md.verdict import VERDICTS
from bench.render import comparison, engines, heading, timeline, tuning
from bench.render.glossary import explained
from bench.render.shown import SHOWN

BENCH = Path(heading.__file__).parents[1]


def of_blocks():
    """Return title and unit of each column of a block: (title, unit, function), wherever one is written."""
    for path in [*BENCH.glob("protocols/*/page.py"), BENCH / "render" / "by_system.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Tuple) and len(node.elts) == 3:
                title, unit, function = node.elts
                if isinstance(title, ast.Constant) and isinstance(function, ast.Lambda | ast.Name):
                    yield str(title.value), str(unit.value) if isinstance(unit, ast.Constant) else ""


def of_the_head():
    """Return the labels above a table."""
    tree = ast.parse(Path(heading.__file__).read_text())
    (function,) = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "heading"]
    pairs = [one for one in ast.walk(function) if isinstance(one, ast.Tuple) and len(one.elts) == 2]
    return [one.elts[0].value for one in pairs if isinstance(one.elts[0], ast.Constant)]


BLOCKS = sorted(set(of_blocks()))
OTHERS = sorted(
    {
        *of_the_head(),
        *FAILURES,
        *tuning.COLUMNS,
        *engines.COLUMNS,
        *(*timeline.COLUMNS, timeline.UNCLEAR, timeline.OTHER_ANSWERS),
        *(title for title in comparison.COLUMNS if title != "method"),
        *(column.title for view in SHOWN.values() for column in view.columns),
        *("random weights", "incomplete", "times slower than SevenNet-0", "CPU ms/step", "paper CPU ms", "GPU mem."),
        *(f"{one} systems" for one in VERDICTS),
        *("ours/paper CPU", "rounds differ", "memory peak", "cold start", "n/101", "How many times faster"),
    }
)


def test_headers_are_found_in_the_sources():
    assert len(BLOCKS) > 50
    assert {"Run", "Machine", "Protocol"} <= set(OTHERS)


@pytest.mark.parametrize(("title", "unit"), BLOCKS)
def test_each_header_of_a_block_is_explained(title, unit):
    assert explained(f"{title} {unit}".strip()) is not None
    assert explained(title) is not None


@pytest.mark.parametrize("title", OTHERS)
def test_what_else_is_printed_at_a_table_is_explained(title):
    found = explained(title)
    assert found is not None
    assert len(found[1]) > 20
