"""The README's example is a method: it is measured as it stands."""

import json
import re
from pathlib import Path

import pytest

from bench.environments.catalogue import Catalogue
from bench.environments.header import read_header

PROJECT = Path(__file__).parents[1]
PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))
README = PAGES[0].read_text()


def test_the_example_adapter_can_be_measured(pesbench, tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
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
    assert row["structures"]["done"] == 2


def test_every_method_is_in_the_readme():
    named = set(re.findall(r"`([a-z0-9.-]+)`", README))
    assert not set(Catalogue().methods) - named


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
