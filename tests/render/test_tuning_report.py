"""The result of a search as people see it: 80 columns, the best with its command, and what is left open."""

import dataclasses
import json

import pytest

from bench.analysis.fingerprint import Deviation
from bench.analysis.statistics import Estimate
from bench.analysis.tuning import Tried, Tuned
from bench.core.candidate import Candidate
from bench.render.tuning import Report, render


def tried(label, verdict, ratio=None, **more):
    changes = tuple(label.split(", ")) if label != "default" else ()
    found = None if ratio is None else Estimate(ratio, 0.9 * ratio, 1.1 * ratio, 20, "structures", 3)
    ms = None if ratio is None else Estimate(100 * ratio, None, None, 20, None)
    one = Tried(Candidate(f"m@{label}", 2, {"dtype": "float32"}, changes), verdict, rounds=3, ms=ms, ratio=found)
    return dataclasses.replace(one, **more)


DEFAULT = tried("default", "default", 1.0, warm_s=5.0, cold_start_s=5.0, peak_memory_bytes=600 << 20)
BEST = tried(
    "compile=on, execution-mode=umas_fast_pytorch",
    "faster",
    0.5,
    warm_s=131.0,
    cold_start_s=130.0,
    peak_memory_bytes=3 << 30,
    pays_after=2520,
    deviation=Deviation(2e-6, 3e-6, 1e-3, 2e-3, 5),
)
WRONG = tried("tf32=on", "other answer", 0.4, deviation=Deviation(0.02, 3e-6, 1e-3, 2e-3, 5))
FAILED = tried("kernel=cueq", "failed", why="ImportError: no cuequivariance")
TUNED = Tuned("Model M", "random", DEFAULT, (BEST, DEFAULT), (WRONG,), (FAILED,), BEST, ("threads=2",))


def report(tuned):
    return Report([("Method", "Model M on cpu")], tuned, 0.05, "pesbench run --methods m --knob compile=on")


def test_the_best_its_command_and_what_it_costs_are_said_in_80_columns():
    text = render(report(TUNED), "terminal", width=80)
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    assert "compile=on, execution-mode=umas_fast_pytorch: 2.00 [1.82, 2.22] times as fast as the default" in flat
    assert "pesbench run --methods m --knob compile=on" in flat
    assert "energies within 2e-06 eV and forces within 3e-06 eV/Å of the default's (5 structures" in flat
    assert "it is ready 126 s later than the default, which pays after 2,520 force calls" in flat
    assert "not distinguishable from the best: threads=2" in flat
    assert "Other answers tf32=on: energies by up to 0.02 eV" in flat
    assert "Failed kernel=cueq: ImportError: no cuequivariance" in flat
    assert "Random weights: the speed is right" in flat


def test_in_60_columns_settings_and_verdicts_are_whole_and_what_is_left_out_is_named():
    text = render(report(TUNED), "terminal", width=60)
    assert max(map(len, text.splitlines())) <= 60
    lines = text.splitlines()
    assert any(line.startswith("default ") for line in lines)
    (row,) = [line for line in lines if line.startswith("tf32=on")]
    assert row.endswith("other answer")
    assert "3 columns hidden: cold start, memory, pays after; a wider terminal and --json show all." in " ".join(
        text.split()
    )


def test_a_row_has_the_cold_start_and_the_memory_beside_the_gain():
    lines = render(report(TUNED), "terminal", width=120).splitlines()
    (row,) = [line for line in lines if "faster" in line and "0.50" in line]
    assert "130 s" in row
    assert "3.0 GiB" in row
    assert "2,520" in row


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        ("slower", "Best the default. No setting that was measured is faster by at least 5 %."),
        ("undecided", "Best not decided. No setting is certainly faster than the default by at least 5 %"),
    ],
)
def test_where_nothing_is_better_it_is_said_whether_that_is_known(verdict, says):
    other = tried("threads=2", verdict, 1.02, why="the budget ended before it was decided, after 3 rounds")
    tuned = dataclasses.replace(TUNED, ranking=(DEFAULT, other), best=None, as_fast=())
    flat = " ".join(render(report(tuned), "terminal", width=80).split())
    assert says in flat
    assert "No more rounds threads=2: the budget ended before it was decided, after 3 rounds" in flat


def test_many_settings_with_one_reason_are_counted():
    many = tuple(tried(f"a={i}", "not tried", why="not tried: the budget of 5 s is too small") for i in range(9))
    tuned = dataclasses.replace(TUNED, unmeasured=many)
    flat = " ".join(render(report(tuned), "terminal", width=80).split())
    assert "Not tried a=0; a=1; a=2; a=3 and 5 more: the budget of 5 s is too small" in flat


def test_the_json_has_every_setting_with_its_figures():
    found = json.loads(render(report(TUNED), "json"))
    assert found["best"] == BEST.candidate.label
    assert [row["setting"] for row in found["ranking"]] == [BEST.candidate.label, "default"]
    assert found["ranking"][0]["threads"] == 2
    assert found["other_answers"][0]["deviation"]["energy"] == 0.02
    assert found["not_measured"][0]["why"] == "ImportError: no cuequivariance"
