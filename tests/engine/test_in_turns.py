"""The structures of a round, measured in turns: over the fakes, through the command line and real workers."""

import contextlib
import io
import itertools
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

import bench
from bench.core.description import ParallelSpeed
from bench.core.message import Result
from bench.core.settings import Settings
from bench.core.task import Item
from bench.core.turn import Turn
from bench.data.structures import load_dataset
from bench.engine import runner, sharing, tasks
from bench.engine.display import PlainProgress
from bench.engine.paced import PacedWorker
from bench.engine.ready import Ready
from bench.engine.turns import start_paced
from bench.environments.catalogue import Catalogue
from bench.protocols.relax.record import Relaxation

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
STRUCTURES = ["--structures", "naphthalene-gfn2"]
SPIN = "import time\nend = time.monotonic() + 600\nwhile time.monotonic() < end: pass"


@pytest.fixture
def worker(tmp_path):
    """Return a function that starts a paced worker of a fake on a structure, and its records."""
    with contextlib.ExitStack() as running:

        def begin(method, structures=1):
            catalogue = Catalogue([FAKES])
            settings = Settings(methods=(method,), budget_s={method: None})
            dataset = load_dataset("naphthalene-gfn2")
            ready = Ready(settings, catalogue, dataset, ParallelSpeed(1, 1.0), print)
            prepared = ready.or_refuse(catalogue.methods[method], "cpu")
            items = [Item("relax", number) for number in range(structures)]
            task = tasks.measure(prepared, settings, dataset, items, 0, paced=True)
            (tmp_path / "logs").mkdir(exist_ok=True)
            process = start_paced(running, task, prepared, settings, ParallelSpeed(1, 1.0), 60.0, tmp_path)
            records = []
            made = PacedWorker(process, lambda said: records.append(said.record) if isinstance(said, Result) else None)
            made.listen()
            return made, records

        yield begin


def relaxations(records):
    return [record for record in records if isinstance(record, Relaxation)]


def test_a_long_structure_pauses_between_two_steps_and_the_pause_is_in_no_time(worker):
    made, records = worker("slow", 3)
    pauses = 0
    while len(relaxations(records)) < 3:
        made.take_turn(Turn(seconds=0.05, most_seconds=0.1))
        if made.within:
            pauses += 1
            time.sleep(1.0 if pauses < 3 else 0.0)
    made.finish()
    third = relaxations(records)[2]  # the first ones are quick
    assert pauses > 1
    assert third.status == "converged"
    parts = [sum(third.trace[name]) for name in ("calculator_ns", "optimizer_ns", "harness_ns")]
    assert sum(parts) == pytest.approx(third.wall_ns, abs=0.8e9), "a pause of a second is in none of them"
    assert max(third.trace["harness_ns"] + third.trace["optimizer_ns"]) < 0.8e9


def test_a_structure_whose_time_is_up_is_cut_off_and_keeps_its_steps(worker):
    made, records = worker("slow", 5)
    while not (made.within and len(relaxations(records)) >= 2):
        made.take_turn(Turn(seconds=0.05, most_seconds=0.2))
    made.finish()
    last = relaxations(records)[-1]
    assert last.status == "censored"
    assert last.steps >= 1
    assert made.failure() is None


def test_a_turn_of_seconds_has_as_many_structures_as_fit(worker):
    made, records = worker("toy", 30)
    made.take_turn(Turn(seconds=0.02, most_seconds=3.0))
    few = len(relaxations(records))
    made.take_turn(Turn(seconds=60.0, most_seconds=60.0))
    assert 1 <= few < 30
    assert len(relaxations(records)) == 30
    assert made.ended


def test_a_worker_that_waits_for_its_turn_sleeps(worker):
    made, _ = worker("toy", 3)
    stat = Path(f"/proc/{made.process.process.pid}/stat")
    before = stat.read_text().split()[13:15]
    time.sleep(1.0)
    assert stat.read_text().split()[13:15] == before
    made.finish()


@pytest.fixture(scope="module")
def in_turn(pesbench, tmp_path_factory):
    """Return a run of two methods whose times are planned, beside a process that has one of the cores."""
    results = tmp_path_factory.mktemp("turns")
    neighbour = subprocess.Popen([sys.executable, "-c", SPIN])
    try:
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", "takes-20,takes-21", *STRUCTURES, "--protocols", "replay"),
            *("--limit", "12", "--rounds", "3", "--budget", "8", "--threads", "1", "--output", results, "--json"),
        )
    finally:
        neighbour.kill()
        neighbour.wait()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), bench.load(next(results.iterdir()))


def test_times_measured_in_turn_are_right_beside_a_busy_process(in_turn):
    """The truth is 20 and 21 ms; a call may wake up late, so beside other tests only the quickest tenth is sure."""
    calls = {"takes-20": [], "takes-21": []}
    for record in in_turn[1].contents.replays:
        calls[record.method] += [call / 1e6 for call in record.calculator_ns[1:]]
    quickest = {name: statistics.quantiles(found, n=10)[0] for name, found in calls.items()}
    assert min(map(len, calls.values())) > 50
    assert 20.0 <= quickest["takes-20"] < 20.9
    assert 21.0 <= quickest["takes-21"] < 21.9


def test_the_methods_of_a_round_are_measured_at_the_same_time(in_turn):
    records = [json.loads(line) for line in (in_turn[1].directory / "records.jsonl").read_text().splitlines()]
    names = [one["method"] for one in records if one["record"] == "replay" and one["round"] == 0]
    changes = sum(one != other for one, other in itertools.pairwise(names))
    assert changes >= 4, names


def test_rounds_begin_at_different_structures(in_turn):
    replays = in_turn[1].replays
    first = replays.groupby(["method", "round"]).structure.first()
    assert first["takes-20"].tolist() == first["takes-21"].tolist()
    assert first["takes-20"].nunique() == 3


@pytest.fixture
def campaign(tmp_path):
    """Return a function that makes and runs a campaign over the fakes, and returns its run and what was said."""

    def run(widths=dict, **settings):
        console = Console(file=io.StringIO(), width=200)
        settings = Settings(methods=("toy", "slow"), budget_s={"toy": 60.0, "slow": 60.0}, **settings)
        made = runner.Campaign(
            tmp_path / "run",
            settings,
            Catalogue([FAKES]),
            load_dataset("naphthalene-gfn2"),
            PlainProgress(settings, console),
            ParallelSpeed(1, 1.0),
            widths=widths,
        )
        made.begin()
        made.run()
        return bench.load(tmp_path / "run"), console.file.getvalue(), made

    return run


def test_further_rounds_are_made_where_a_ratio_is_wide_but_not_without_end(campaign, monkeypatch):
    monkeypatch.setattr(sharing, "MOST_ROUNDS", 5)
    wide = {("toy", "cpu"): 0.0, ("slow", "cpu"): 0.3}
    run, _, _ = campaign(lambda: wide, total_s=600.0, limit=1)
    rounds = run.structures.groupby("method")["round"].nunique()
    assert rounds["slow"] == 5
    assert rounds["toy"] == 5, "the reference takes part in each of them"


def test_where_all_ratios_are_narrow_there_are_no_further_rounds(campaign):
    narrow = {("toy", "cpu"): 0.0, ("slow", "cpu"): 0.01}
    run, _, _ = campaign(lambda: narrow, total_s=600.0, limit=2)
    assert run.structures["round"].nunique() == 3


def test_a_method_that_does_not_fit_into_memory_with_the_others_has_its_round_later(campaign, monkeypatch):
    monkeypatch.setattr(runner, "available_memory", lambda: 1e6)
    run, said, _ = campaign(rounds=1, limit=2)
    assert "would not fit into memory with the others" in said
    assert run.structures.groupby("method").size().to_dict() == {"toy": 2, "slow": 2}
    assert run.structures.groupby("method")["round"].first().to_dict() == {"toy": 0, "slow": 1}
