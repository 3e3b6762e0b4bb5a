"""The documents: the example of an adapter is measured as it stands, every link leads somewhere."""

import json
import re
from pathlib import Path

import pytest

from bench.environments.catalogue import Catalogue
from bench.environments.header import read_header

PROJECT = Path(__file__).parents[1]
PAGES = (*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("*.md")))
EXTENDING, METHODS = ((PROJECT / "docs" / name).read_text() for name in ("extending.md", "methods.md"))
MOST_LINES = 140


def test_the_example_adapter_can_be_measured(pesbench, tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", EXTENDING, re.DOTALL)
    adapter = tmp_path / "emt.py"
    adapter.write_text(example)
    assert "emt" in read_header(adapter).methods
    done = pesbench(
        *("run", "--adapter", adapter, "--methods", "emt", "--structures", "naphthalene-gfn2", "--limit", "2"),
        *("--rounds", "1", "--threads", "1", "--output", tmp_path / "results", "--json"),
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["ms_per_step"]["estimate"] > 0
    # no molecule keeps its bonds in a potential for metals, and pesbench says so
    assert row["failures"] == {"bonds changed": 2}


def test_the_readme_is_short():
    assert len((PROJECT / "README.md").read_text().splitlines()) <= MOST_LINES


def test_every_method_is_in_the_list_of_methods():
    named = set(re.findall(r"`([a-z0-9.-]+)`", METHODS))
    methods = Catalogue().methods
    assert not {name for name, one in methods.items() if not one.engine_of} - named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_of_prose_is_wider_than_the_code(page):
    code = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        code ^= line.startswith("```")
        assert code or len(line) <= 120 or line.startswith(("|", "![")), f"line {number} of {page.name}"


def test_every_link_leads_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{target} in {page.name}"
