"""One force call's time from the clock in the worker to its cell in the table: through how many files does it go?"""

import importlib.util
from pathlib import Path

import pytest

from bench.cli import main

TRACED = Path(__file__).parents[1] / "fakes" / "traced.py"
FORMS, HANDED_ON = 15, 5
"""How many files may change the form of a time, and how many more may only hand it on; docs/decisions.md says why."""


@pytest.fixture(scope="module")
def traced():
    """Return the adapter as a module: its tracer works here as in the worker."""
    spec = importlib.util.spec_from_file_location("traced", TRACED)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_time_goes_through_few_files_from_the_clock_to_its_cell(traced, tmp_path, capsys):
    # of FIRE only force calls are timed, so that the planted time is a cell of the table
    words = "--protocols replay --optimizer FIRE --replay-points 4 --structures naphthalene-gfn2 --limit 1 --rounds 1"
    where = ("--adapter", str(TRACED), "--output", str(tmp_path), "--budget", "none", "--threads", "1", "--beside")
    tracer = traced.Tracer(last="time_text")
    tracer.start()
    try:
        assert main(["run", "--methods", "traced", *words.split(), *where, "--no-page", "--no-repeats"]) == 0
    finally:
        tracer.stop()
    assert "7.654" in capsys.readouterr().out
    log = "".join(path.read_text() for path in tmp_path.glob("*/logs/*"))
    told = [line.removeprefix(traced.SEEN) for line in log.splitlines() if line.startswith(traced.SEEN)]
    made = {line.removesuffix(traced.FORM) for line in told if line.endswith(traced.FORM)} | set(tracer.made)
    every = {line.removesuffix(traced.FORM) for line in told} | set(tracer.files)
    # where the way begins, where it ends, and what lies between
    assert {"protocols/replay/measure.py", "core/lines.py", "analysis/model.py", "render/columns.py"} <= made
    assert len(made) <= FORMS, sorted(made)
    assert len(every - made) <= HANDED_ON, sorted(every - made)
