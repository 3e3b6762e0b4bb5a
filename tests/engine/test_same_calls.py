"""A method that keeps something from call to call, as an SCF its density, has one time in all protocols."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
NEAR_MS = 20.0
"""Elsewhere a call takes 25 times as long: one of ten such calls would more than triple the mean."""


@pytest.fixture(scope="module")
def run(tmp_path_factory, pesbench):
    results = tmp_path_factory.mktemp("results")
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "remembers", "--structures", "naphthalene-gfn2", "--limit", "3"),
        *("--protocols", "relax,replay,accuracy,scaling,throughput", "--max-atoms", "36", "--rounds", "1"),
        *("--threads", "1", "--budget", "20", "--no-repeats", "--output", results),
    )
    assert done.returncode == 0, done.stderr
    return next(results.iterdir())


def table(pesbench, run, protocol):
    done = pesbench("table", run, "--protocols", protocol, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["rows"]


def milliseconds(pesbench, run, protocol):
    """Return the time of a force call in the table of a protocol."""
    rows = table(pesbench, run, protocol)
    if protocol == "scaling":
        return rows[0]["points"][0]["ms_per_call"]["estimate"]
    if protocol == "throughput":
        (alone,) = [point for point in rows[0]["points"] if point["way"] == "single"]
        return 1e3 / alone["force_calls_per_s"]["estimate"]
    return rows[0]["calculator_ms_per_call"]["estimate"]


@pytest.mark.parametrize("protocol", ["relax", "replay", "scaling", "throughput"])
def test_a_force_call_takes_the_same_in_each_protocol(pesbench, run, protocol):
    assert NEAR_MS < milliseconds(pesbench, run, protocol) < 2.5 * NEAR_MS


def test_a_single_point_is_timed_at_its_first_structures_alone_and_by_a_call_that_goes_on(run):
    records = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    points = [one["calculator_ns"] * 1e-6 for one in records if one["record"] == "single-point"]
    assert len(points) == 3
    assert all(NEAR_MS < one < 10 * NEAR_MS for one in points)
