"""The README's example is a method: it is measured as it stands."""

import json
import re
from pathlib import Path

from bench.methods.catalogue import Catalogue
from bench.methods.header import read_header

README = (Path(__file__).parents[1] / "README.md").read_text()


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
