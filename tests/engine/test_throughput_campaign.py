"""Throughput through real workers, over the fakes: batches, several processes, what ends a series, and the table."""

import csv
import dataclasses
import io
import json
from pathlib import Path
from types import SimpleNamespace

import ase.io
import pytest
from ase.build import molecule
from rich.console import Console

from bench.analysis.statistics import Estimate
from bench.core.description import ParallelSpeed
from bench.core.failure import Failure
from bench.core.records import CENSORED, DONE, FAILED, Finished, Started, Watched
from bench.core.settings import Settings
from bench.core.task import MEASURE, Item, Molecule, Structure, Subject, Task
from bench.data.structures import load_dataset
from bench.engine import schedule, side_by_side
from bench.engine.display import PlainProgress
from bench.engine.ledger import Ledger
from bench.engine.runner import Campaign
from bench.environments.catalogue import Catalogue
from bench.errors import BadInput
from bench.protocols.throughput.analyse import whole_sets
from bench.protocols.throughput.plan import PointPlan, larger, points_of
from bench.protocols.throughput.record import BATCH, PROCESSES, SINGLE, Throughput
from bench.protocols.throughput.table import Point, Series, ThroughputRow
from bench.render.shown import SHOWN
from bench.results import store, tables

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
METHODS = ("batches", "wrong-batch", "dies-in-a-batch", "sleeps", "waits-in-line", "toy-native", "dies")
RANDOM = "batches-at-random"
COUNT = 6


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Return methanol and distorted copies of it."""
    images = [molecule("CH3OH") for _ in range(COUNT)]
    for number, image in enumerate(images[1:]):
        image.rattle(0.05, seed=number)
    path = tmp_path_factory.mktemp("structures") / "methanol.xyz"
    ase.io.write(path, images, format="extxyz", columns=["symbols", "positions"])
    return load_dataset(path)


def settings_of(*methods, budget=10.0, **changes):
    fields = {"protocols": ("throughput",), "rounds": 1, "repeats": False, "budget_s": dict.fromkeys(methods, budget)}
    return Settings(methods=methods, **{**fields, **changes})


def measure(directory, dataset, settings, adapter=FAKES):
    """Run a campaign, or go on with it; returns what was said and the records."""
    said = io.StringIO()
    progress = PlainProgress(settings, Console(file=said, width=200))
    campaign = Campaign(directory, settings, Catalogue([adapter]), dataset, progress, ParallelSpeed(1, 1.0))
    campaign.resume() if directory.exists() else campaign.begin()
    campaign.run()
    return said.getvalue(), store.read(directory)


@pytest.fixture(scope="module")
def run(tmp_path_factory, dataset):
    """Return one round of throughput of the fakes on two cores."""
    directory = tmp_path_factory.mktemp("run") / "run"
    with pytest.MonkeyPatch.context() as patch:
        for module in ("bench.engine.schedule", "bench.engine.tasks"):
            patch.setattr(f"{module}.usable_cores", lambda: 2)
        settings = settings_of(*METHODS, RANDOM, budget=3.0)
        settings.budget_s.update(dict.fromkeys(("sleeps", "waits-in-line"), 6.0))  # they are compared
        # four and eight in a batch have to be reached on a busy machine, too
        settings.budget_s.update(dict.fromkeys(("wrong-batch", "dies-in-a-batch"), 10.0))
        return directory, *measure(directory, dataset, settings)


def of(run, method, way=None):
    return [one for one in run[2].of(Throughput) if one.method == method and way in (None, one.way)]


def row_of(run, method):
    return next(row for row in tables.shown_as(run[0], "throughput").rows if row.method == method)


def test_each_way_has_its_points_and_batches_double(run):
    (single,) = of(run, "batches", SINGLE)
    batches = of(run, "batches", BATCH)
    assert single.status == DONE
    assert [one.size for one in batches] == [2**power for power in range(len(batches))]
    assert [(one.size, one.threads, one.status) for one in of(run, "batches", PROCESSES)] == [
        (1, 2, DONE),
        (2, 1, DONE),
    ]
    assert all(one.energy_difference is not None for one in batches if one.status == DONE)


def test_a_batch_that_costs_less_than_its_molecules_is_found_faster(run):
    row = row_of(run, "batches")
    assert row.batch.best.gain.estimate > 2
    assert 1 < row.half_gain_batch < row.batch.best.size
    assert row.batch.ended_by in ("time", "largest planned")


def test_a_batch_that_is_wrong_in_one_molecule_is_refused_with_the_difference(run):
    last = of(run, "wrong-batch", BATCH)[-1]
    assert (last.size, last.status, last.failure.kind) == (4, FAILED, "batch")
    assert last.energy_difference == pytest.approx(0.5)
    row = row_of(run, "wrong-batch")
    assert (row.batch.best, row.batch.ended_by) == (None, "refused")
    assert row.single.relaxed_per_s is not None


def test_a_batch_that_kills_the_worker_ends_the_series_and_not_the_method(run):
    sizes = {one.size: one for one in of(run, "dies-in-a-batch", BATCH)}
    assert sorted(sizes) == [1, 2, 4, 8]
    assert (sizes[8].status, sizes[8].failure.kind) == (FAILED, "crash")
    row = row_of(run, "dies-in-a-batch")
    assert row.batch.ended_by == "crash"
    assert row.batch.best.size < 8
    assert row.processes.best is not None
    assert sum(one.method == "dies-in-a-batch" for one in run[2].of(Started)) == 1


def test_processes_that_only_wait_scale_and_those_that_share_a_lock_do_not(run):
    gains = {name: row_of(run, name).processes.points[-1].gain.estimate for name in ("sleeps", "waits-in-line")}
    assert gains["sleeps"] > 1.5
    assert gains["waits-in-line"] < 1.4


def test_processes_share_the_structures_and_their_records_have_an_entry_for_each(run):
    one, two = of(run, "sleeps", PROCESSES)
    assert (len(one.force_calls), len(two.force_calls)) == (1, 2)
    assert len(two.relax_ns) == len(two.relaxed) == 2
    assert two.peak_memory_bytes > one.peak_memory_bytes
    assert len(set(two.ended["structure"])) == len(two.ended["structure"])


def test_a_native_optimiser_relaxes_without_counting_force_calls(run):
    (single,) = of(run, "toy-native", SINGLE)
    assert single.relax_calls == [None]
    assert single.relaxed[0] > 0
    row = row_of(run, "toy-native")
    assert row.single.relaxed_per_s is not None
    assert row.batch is None


def test_random_weights_are_timed_and_relax_nothing(run):
    mine = of(run, RANDOM)
    assert {one.way for one in mine} == {SINGLE, BATCH, PROCESSES}
    assert all(not one.relax_ns and not one.relaxed for one in mine)
    row = row_of(run, RANDOM)
    assert row.weights == "random"
    assert row.batch.best.gain.estimate > 1
    assert row.single.relaxed_per_s is None


def test_a_method_that_dies_is_a_row_with_the_reason(run):
    assert {one.status for one in of(run, "dies")} == {FAILED}
    row = row_of(run, "dies")
    assert row.refused.startswith("crash: died of SIGSEGV")


def test_progress_tells_the_time_of_a_force_call_and_counts_no_missing_batch_as_a_failure(run):
    (line,) = (one for one in run[1].splitlines() if "sleeps cpu" in one)
    assert "ms/force call" in line
    assert "structures" not in line
    assert "failed" not in line


def test_the_workers_of_several_processes_leave_no_records_of_their_own(run):
    for kind in (Started, Finished):
        assert sum(one.method == "sleeps" for one in run[2].of(kind)) == 1
    assert sum(one.method == "sleeps" for one in run[2].of(Watched)) == 1


def test_a_resumed_run_goes_on_with_the_series_that_time_ended(dataset, tmp_path):
    settings = settings_of("batches", budget=3.0)
    _, before = measure(tmp_path / "run", dataset, settings)
    sizes = [one.size for one in before.of(Throughput) if one.way == BATCH and one.status == DONE]
    _, same = measure(tmp_path / "run", dataset, dataclasses.replace(settings, budget_s={"batches": 3.0}))
    assert [one.size for one in same.of(Throughput) if one.way == BATCH and one.status == DONE][: len(sizes)] == sizes
    _, after = measure(tmp_path / "run", dataset, dataclasses.replace(settings, budget_s={"batches": 9.0}))
    more = [one.size for one in after.of(Throughput) if one.way == BATCH and one.status == DONE]
    assert max(more) > max(sizes)
    assert len(more) == len(set(more))


def test_the_table_is_rendered_in_all_formats_and_fits_a_narrow_terminal(run):
    table = tables.shown_as(run[0], "throughput")
    shown = SHOWN["throughput"]
    assert shown.formats == ("terminal", "markdown", "latex", "csv", "json")
    narrow = shown.render(table, "terminal", width=80)
    assert max(map(len, narrow.splitlines())) <= 80
    flat = " ".join(narrow.split())
    for words in ("How many force calls a second?", "batches refused: in a batch of 4", "refused", "all cores"):
        assert words in flat
    document = json.loads(shown.render(table, "json"))
    rows = {row["method"]: row for row in document["rows"]}
    assert rows["wrong-batch"]["batch"]["ended_by"] == "refused"
    assert rows["batches"]["batch"]["best"]["force_calls_per_s"]["estimate"] > 0
    assert {one["way"] for one in rows["batches"]["points"]} == {SINGLE, BATCH, PROCESSES}
    assert rows["dies"]["refused"].startswith("crash")
    lines = [*csv.DictReader(shown.render(table, "csv").splitlines())]
    assert sum(line["best"] == "True" for line in lines if line["method"] == "batches") == 3
    assert {line["method"] for line in lines} == {*METHODS, RANDOM}
    for form in ("markdown", "latex"):
        assert "wrong-batch" in shown.render(table, form)
    with pytest.raises(BadInput, match="there is no format 'xml'"):
        shown.render(table, "xml")


def test_the_figure_shows_the_gains_of_batches_and_of_processes(run):
    figure = SHOWN["throughput"].draw(tables.shown_as(run[0], "throughput"))
    batches, processes = figure.axes
    assert batches.get_xlabel() == "molecules in a batch"
    assert len(processes.lines) > 3
    (legend,) = figure.legends
    assert "batches-at-random (random weights)" in [text.get_text() for text in legend.get_texts()]


def test_a_run_with_nothing_measured_has_no_figure(dataset, tmp_path):
    measure(tmp_path / "run", dataset, settings_of("fails-to-load"))
    with pytest.raises(BadInput, match="these weights are for another model"):
        SHOWN["throughput"].draw(tables.shown_as(tmp_path / "run", "throughput"))


def test_a_run_without_throughput_says_how_to_measure_it(dataset, tmp_path):
    measure(tmp_path / "run", dataset, settings_of("toy", protocols=("relax",), limit=1))
    with pytest.raises(BadInput, match="has no records of the protocol throughput"):
        tables.shown_as(tmp_path / "run", "throughput")


def test_a_round_has_every_point_and_random_weights_have_them_too(monkeypatch):
    monkeypatch.setattr("bench.engine.schedule.usable_cores", lambda: 3)
    settings = settings_of("toy", protocols=("relax", "throughput"), limit=1, rounds=3)
    for number in range(3):
        items = schedule.items(settings, "none", [0, 4], number)
        assert items[0] == Item("relax", 0)
        assert [item.number for item in items[1:]] == [one.point for one in points_of(1, 3)]
        assert {item.part for item in schedule.items(settings, "random", [0, 4], number)} == {"replay", "throughput"}
    alone, several = schedule.apart(schedule.items(settings, "none", [0, 4], 0))
    assert [item.number for item in several] == [101, 102, 103]
    assert Item("relax", 0) in alone


def record(way, size, status=DONE, failure=None, round_number=0, wall_s=1.0):
    one = next(one for one in points_of(1, 2) if (one.way, one.size) == (way, size))
    key = {"method": "toy", "device": "cpu", "round": round_number, "way": way, "size": size, "threads": one.threads}
    return Throughput(**key, point=one.point, status=status, wall_ns=int(wall_s * 1e9), failure=failure)


def test_a_failed_batch_settles_the_larger_ones_and_one_without_time_settles_nothing():
    four, eight = (next(one.point for one in points_of(1, 2) if one.size == size) for size in (4, 8))
    failed = schedule.settled(record(BATCH, 4, FAILED, Failure("batch", "wrong")))
    assert failed[0] == Item("throughput", four)
    assert Item("throughput", eight) in failed
    assert schedule.settled(record(BATCH, 4)) == [Item("throughput", four)]
    assert schedule.settled(record(BATCH, 4, CENSORED)) == []
    assert schedule.settled(record(PROCESSES, 1, FAILED, Failure("crash", "died"))) == [Item("throughput", 101)]


def test_the_budget_of_a_round_is_shared_by_one_worker_and_several_processes():
    ledger = Ledger(settings_of("toy", budget=90.0, rounds=3))
    key = ("toy", "cpu")
    items = [Item("throughput", one.point) for one in points_of(1, 2)]
    alone, several = schedule.apart(items)
    assert ledger.allowance(key, 0, "throughput", alone).end_s == pytest.approx(21.0)
    ledger.book(record(SINGLE, 1, wall_s=21.0))
    first = ledger.allowance(key, 0, "throughput", several).end_s
    assert first == pytest.approx(4.5)
    ledger.book(record(PROCESSES, 1, wall_s=4.5))
    assert ledger.allowance(key, 0, "throughput", several[1:]).end_s == pytest.approx(
        69 / (1 + 2 / 0.3) * 64.5 / 69, rel=0.1
    )
    assert Ledger(settings_of("toy", budget=None)).allowance(key, 0, "throughput", alone).end_s is None


def task_of(count=5):
    structures = tuple(Structure(number, Molecule.of(molecule("H2O"))) for number in range(count))
    return Task(MEASURE, Subject("x.py", "toy", "toy", "cpu", "float64", threads=1, seed=0), structures=structures)


def test_processes_have_cores_and_structures_of_their_own(monkeypatch):
    monkeypatch.setattr(side_by_side, "physical_cpus", lambda count: list(range(10, 10 + count)))
    three = next(one for one in points_of(1, 7) if (one.way, one.size) == (PROCESSES, 4))
    made = [*side_by_side._tasks(three, task_of(), 6.0)]
    assert [one.subject.cpus for one in made] == [(10,), (11,), (12,), (13,)]
    assert [[one.index for one in task.structures] for task in made] == [[0, 4], [1], [2], [3]]
    assert all(one.paced and one.plans_of("throughput", PointPlan) == [three] for one in made)
    few = [*side_by_side._tasks(three, task_of(2), 6.0)]
    assert all(one.structures for one in few)


def test_more_processes_than_memory_are_not_started(monkeypatch):
    monkeypatch.setattr(side_by_side.psutil, "virtual_memory", lambda: SimpleNamespace(available=5e9, total=8e9))
    measurer = side_by_side.SideBySide(settings_of("toy"), ParallelSpeed(1, 1.0), Path("nowhere"))
    prepared = SimpleNamespace(method=SimpleNamespace(memory_mb=2500))
    one, two = (one for one in points_of(1, 2) if one.way == PROCESSES)
    found = measurer.measure(two, task_of(), prepared, 1.0)
    assert (found.status, found.failure.kind) == (FAILED, "out-of-memory")
    assert found.failure.message == "2 processes would need about 5.0 GB; 4.5 GB can be used"
    assert measurer._refused(one, prepared) is None
    limited = side_by_side.SideBySide(settings_of("toy", memory_limit_bytes=10**9), ParallelSpeed(1, 1.0), Path("x"))
    prepared = SimpleNamespace(method=SimpleNamespace(memory_mb=600))
    assert "1.0 GB can be used" in limited._refused(two, prepared).message


def test_the_command_line_shows_the_throughput_that_it_measured(pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy", "--structures", "naphthalene-gfn2", "--rounds", "1"),
        *("--protocols", "throughput", "--threads", "1", "--limit", "3", "--budget", "3", "--no-repeats"),
        *("--output", tmp_path / "results"),
    )
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "How many force calls a second?" in done.stdout
    assert "The adapter computes no batches: springs between all atoms." in " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    """Return one round of water and methanol, with a method that knows only the elements of the first."""
    images = []
    for name in ("H2O", "CH3OH"):
        for number in range(3):
            image = molecule(name)
            image.info = {"name": name}
            if number:
                image.rattle(0.05, seed=number)
            images.append(image)
    folder = tmp_path_factory.mktemp("of_two")
    ase.io.write(folder / "two.xyz", images, format="extxyz", columns=["symbols", "positions"])
    with pytest.MonkeyPatch.context() as patch:
        for module in ("bench.engine.schedule", "bench.engine.tasks"):
            patch.setattr(f"{module}.usable_cores", lambda: 2)
        settings = settings_of("batches", "waters", "wrong-batch", budget=4.0, starts=(0, 3))
        settings.budget_s["wrong-batch"] = 10.0  # four in a batch are wrong
        adapter = folder / "fakes.py"
        waters = "# [tool.pesbench.methods.toy]\n"
        text = FAKES.read_text().replace(waters, f'# [tool.pesbench.methods.waters]\n# elements = ["H", "O"]\n{waters}')
        adapter.write_text(text)
        measured = measure(folder / "run", load_dataset(folder / "two.xyz"), settings, adapter)
    return folder / "run", *measured


def test_each_system_has_its_points_and_its_own_molecules(of_two):
    records = [one for one in of_two[2].of(Throughput) if one.method == "batches"]
    for start in (0, 3):
        mine = [one for one in records if one.structure == start]
        assert [one.status for one in mine if one.way == SINGLE] == [DONE]
        sizes = [one.size for one in mine if one.way == BATCH]
        assert sizes == [2**power for power in range(len(sizes))]
        assert sizes
        assert [(one.size, one.status) for one in mine if one.way == PROCESSES] == [(1, DONE), (2, DONE)]
        relaxed = {structure for one in mine for structure in one.ended.get("structure", ())}
        assert relaxed
        assert relaxed <= {start, start + 1, start + 2}


def test_a_wrong_batch_at_one_system_does_not_end_the_series_of_another(of_two):
    records = [one for one in of_two[2].of(Throughput) if one.method == "wrong-batch" and one.way == BATCH]
    assert {one.structure for one in records if one.status == FAILED} == {0, 3}


def test_a_row_for_each_system_that_a_method_takes_and_one_for_the_set(of_two):
    table = tables.shown_as(of_two[0], "throughput")
    rows = {(row.method, row.system): row for row in table.rows}
    assert rows.keys() == {(one, "H2O") for one in ("batches", "waters", "wrong-batch")} | {
        (one, "CH3OH") for one in ("batches", "wrong-batch")
    }
    whole = {one.method: one for one in table.whole}
    assert (whole["batches"].systems, whole["waters"].systems) == (2, 1)
    singly = [rows["batches", name].single.relaxed_per_s.estimate for name in ("H2O", "CH3OH")]
    assert whole["batches"].singly_per_hour.estimate == pytest.approx(3600 * 2 / sum(1 / rate for rate in singly))
    assert whole["batches"].best_per_hour.estimate >= whole["batches"].singly_per_hour.estimate
    for form in SHOWN["throughput"].formats:
        text = SHOWN["throughput"].render(table, form)
        assert "CH3OH" in text
    found = json.loads(SHOWN["throughput"].render(table, "json"))
    assert [one["system"] for one in found["rows"]].count("H2O") == 3
    assert found["whole_set"][0].keys() >= {"method", "systems", "singly_per_hour", "best_per_hour"}
    with pytest.raises(BadInput, match="measure one with --systems"):
        SHOWN["throughput"].draw(table)


def test_throughput_by_system_has_a_line_for_each_method_that_takes_it(of_two):
    table, shown = tables.shown_as(of_two[0], "throughput"), SHOWN["throughput"].by_system
    rows = json.loads(shown.formats.render(table, "json"))["rows"]
    assert [one["system"] for one in rows] == ["H2O"] * 3 + ["CH3OH"] * 2
    assert rows[0]["atoms"] == 3 and "points" not in rows[0]
    one = shown.only(table, {"CH3OH"})
    assert {row["system"] for row in json.loads(shown.formats.render(one, "json"))["rows"]} == {"CH3OH"}
    for form in ("terminal", "markdown", "latex"):
        assert "H2O, 3 atoms" in shown.formats.render(table, form)
        assert "H2O, 3 atoms" not in shown.formats.render(one, form)


def test_the_points_of_a_system_have_its_number_and_end_with_it(monkeypatch):
    monkeypatch.setattr("bench.engine.schedule.usable_cores", lambda: 2)
    settings = settings_of("toy", starts=(0, 4), limit=2)
    numbers = [item.number for item in schedule.items(settings, "none", [0, 4, 2], 0)]
    assert numbers == [one.point for start in (0, 4) for one in points_of(1, 2, start)]
    assert [item.number for item in schedule.apart([Item("throughput", one) for one in numbers])[1]] == [
        *(101, 102, 40101, 40102)
    ]
    one = next(plan for plan in points_of(1, 2, 4) if (plan.way, plan.size) == (BATCH, 1024))
    assert list(larger(one.point)) == list(range(one.point + 1, 40100))
    assert not list(larger(40000))
    assert schedule.items(dataclasses.replace(settings, limit=1), "none", [0, 4], 0)[-1].number == 102


def test_processes_have_structures_of_their_own_system(monkeypatch):
    monkeypatch.setattr(side_by_side, "physical_cpus", lambda count: list(range(count)))
    two = next(one for one in points_of(1, 2, 3) if (one.way, one.size) == (PROCESSES, 2))
    task = task_of(6)
    task = dataclasses.replace(
        task, structures=tuple(dataclasses.replace(one, system=one.index // 3) for one in task.structures)
    )
    made = [*side_by_side._tasks(two, task, 6.0)]
    assert [[one.index for one in each.structures] for each in made] == [[3, 5], [4]]


def test_the_set_is_done_in_the_sum_of_the_times_of_its_molecules():
    def row(system, rate, low, high):
        point = Point(SINGLE, 1, 1, 2, relaxed_per_s=Estimate(rate, low, high, 2, "rounds"))
        return ThroughputRow("m", "m", "mlip", "cpu", system=system, single=point)

    (found,) = whole_sets([row("a", 2.0, 1.0, 4.0), row("b", 0.5, 0.25, 1.0)])
    assert found.singly_per_hour.estimate == pytest.approx(3600 * 2 / (0.5 + 2.0))
    assert (found.singly_per_hour.low, found.singly_per_hour.high) == pytest.approx((1440.0, 5760.0))
    assert found.best_per_hour == found.singly_per_hour
    wrong = Point(BATCH, 2, 1, 2, relaxed_per_s=Estimate(9.0, 8.0, 10.0, 2, "rounds"))
    refused = dataclasses.replace(row("a", 2.0, 1.0, 4.0), batch=Series((wrong,), None, "refused"))
    (other,) = whole_sets([refused, row("b", 0.5, 0.25, 1.0)])
    assert other.best_per_hour == found.best_per_hour, "a batch that is wrong has no rate"
    (half,) = whole_sets([row("a", 2.0, None, None), ThroughputRow("m", "m", "mlip", "cpu", system="b")])
    assert (half.systems, half.singly_per_hour.estimate, half.singly_per_hour.low) == (1, 7200.0, None)
