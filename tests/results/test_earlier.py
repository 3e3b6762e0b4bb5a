"""Which earlier runs say how processes differ on this machine."""

import dataclasses
import json
import os

import pytest

from bench.core.description import Description, Machine, MethodFacts
from bench.core.lines import to_json
from bench.core.settings import Settings
from bench.protocols.relax.record import Relaxation
from bench.results.earlier import MOST_RUNS, rounds_here

MACHINE = Machine(cpu="A", usable_cores=2)
NOW = Description(
    run_id="now",
    settings=Settings(methods=("toy",), rounds=2),
    machine=MACHINE,
    methods={"toy": MethodFacts("Toy", "toys", "mlip")},
)


def relaxation(structure, number, ns):
    trace = {"calculator_ns": (ns, ns), "optimizer_ns": (0, 0), "harness_ns": (0, 0), "force_calls": (1, 1)}
    return Relaxation("toy", "cpu", number, structure, "BFGS", "converged", 1, 2, -1.0, 0.01, None, 2 * ns, trace)


@pytest.fixture
def kept(tmp_path):
    """Return a function that keeps runs, each newer than the one before, and the folder of these."""

    def keep(name, **changes):
        folder = tmp_path / name
        folder.mkdir()
        written = dataclasses.replace(NOW, run_id=name, **changes).written()
        (folder / "campaign.json").write_text(json.dumps(written))
        records = [relaxation(s, r, 10**6 * (s + 2) * (r + 1)) for s in range(2) for r in range(2)]
        (folder / "records.jsonl").write_text("".join(to_json(one) + "\n" for one in records))
        age = len(list(tmp_path.iterdir()))
        os.utime(folder / "campaign.json", (age, age))

    keep.folder = tmp_path
    return keep


def test_runs_of_this_machine_with_several_rounds_count_and_the_newest_of_them(kept):
    kept("good")
    (found,) = rounds_here(NOW, kept.folder)
    # rounds a factor of two apart
    assert found["toy"].squares == pytest.approx(2 * (0.6931 / 2) ** 2, rel=1e-3)
    assert found["toy"].freedom == 1
    for number in range(MOST_RUNS):
        kept(f"newer-{number}")
    assert len(rounds_here(NOW, kept.folder)) == MOST_RUNS


@pytest.mark.parametrize(
    "changes",
    [
        {"machine": Machine(cpu="B", usable_cores=2)},
        {"machine": Machine(cpu="A", usable_cores=4)},
        {"machine": Machine(cpu="A", usable_cores=2, beside="another run")},
        {"settings": Settings(methods=("toy",), rounds=2, threads=2)},
        {"settings": Settings(methods=("toy",), rounds=1)},
    ],
    ids=["another CPU", "other cores", "beside another measurement", "other threads", "one round"],
)
def test_others_do_not_count(kept, changes):
    kept("other", **changes)
    assert rounds_here(NOW, kept.folder) == []


def test_a_run_says_nothing_of_itself_and_a_damaged_one_is_passed_over(kept):
    kept("now")
    kept("damaged")
    (kept.folder / "damaged" / "campaign.json").write_text("{")
    assert rounds_here(NOW, kept.folder) == []
