"""Methods that lie about what they compute, measured through the command line: marked, and no others."""

import json
import re
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
STRUCTURES = ("--structures", "naphthalene-gfn2")


@pytest.fixture(scope="module")
def run(tmp_path_factory, pesbench):
    """Return the run directory of a campaign of one honest and two doubtful methods."""
    results = tmp_path_factory.mktemp("results")
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,moves-atoms,never-the-same", *STRUCTURES, "--limit", "3"),
        *("--protocols", "relax,replay", "--rounds", "1", "--threads", "1", "--no-repeats", "--output", results),
    )
    assert done.returncode == 0, done.stderr
    return next(results.iterdir())


def test_each_row_of_a_doubtful_method_says_what_it_does(pesbench, run):
    document = json.loads(pesbench("table", run, "--format", "json").stdout)
    found = {(row["method"], row["protocol"]): row["doubts"] for row in document["rows"]}
    for protocol in ("relax", "replay"):
        assert found["toy", protocol] == []
        assert found["moves-atoms", protocol] == ["alters atoms: info['touched']"]
        (doubt,) = found["never-the-same", protocol]
        assert re.match(r"varies: energies by up to (0\.\d+|1) eV", doubt)  # a random number below 1, as it is printed
    assert sum("never-the-same (energies by up to" in note for note in document["notes"]) == 1
    assert sum("moves-atoms (info['touched'])" in note for note in document["notes"]) == 1


def test_the_table_of_80_columns_has_the_mark(pesbench, run):
    table = pesbench("table", run).stdout.partition("Times are")[0]
    marked = {line.split()[0]: line for line in table.splitlines() if " alters atoms " in line or " varies " in line}
    assert set(marked) == {"moves-atoms", "never-the-same"}
