"""Growth with size through real workers, over planted times: the law, a cliff, and each way that a series ends."""

import csv
import io
import json
from pathlib import Path
from time import perf_counter_ns

import pytest
from rich.console import Console

from bench.adapter import Adapter
from bench.core.description import ParallelSpeed
from bench.core.settings import Settings
from bench.data.clusters import sizes_of
from bench.data.structures import GFN2, load_dataset
from bench.engine.display import PlainProgress
from bench.engine.runner import Campaign
from bench.environments.catalogue import Catalogue
from bench.measure import process
from bench.protocols.scaling import measure as scaling
from bench.protocols.scaling.record import Size
from bench.render.shown import SHOWN
from bench.results import store, tables

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


def measure(directory, *methods, largest=1152, resume=None, **changes):
    """Run a campaign of the scaling protocol and return its table."""
    settings = Settings(
        methods=methods,
        protocols=("scaling",),
        rounds=changes.pop("rounds", 2),
        repeats=False,
        budget_s=dict.fromkeys(methods, changes.pop("budget", None)),
        sizes=sizes_of((), largest),
        **changes,
    )
    progress = PlainProgress(settings, Console(quiet=True))
    campaign = Campaign(directory, settings, Catalogue([FAKES]), load_dataset(GFN2), progress, ParallelSpeed(1, 1.0))
    campaign.resume() if resume else campaign.begin()
    campaign.run()
    return tables.shown_as(directory, "scaling")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("runs") / "run", "grows", "grows-faster", largest=1152, rounds=3)


def row_of(table, method):
    return next(row for row in table.rows if row.method == method)


def test_the_planted_law_is_found(table):
    """The machine may be busy, so the limits are wide; tests/studies/growth.py has narrow ones."""
    row = row_of(table, "grows")
    assert row.law.exponent == pytest.approx(1.5, abs=0.4)
    assert row.held_out.atoms == row.largest_atoms == 1152
    assert row.held_out.measured_ms > (1 + 0.002 * 1152**1.5)
    assert row.ended_by == "end of series"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_text_fits_into_the_terminal(table, width):
    lines = SHOWN["scaling"].render(table, "terminal", width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_the_json_has_the_promised_keys(table):
    document = json.loads(SHOWN["scaling"].render(table, "json"))
    row = next(row for row in document["rows"] if row["method"] == "grows")
    for name in ("floor_ms", "exponent", "us_per_atom"):
        assert set(row["law"][name]) == {"estimate", "low", "high"}
    assert set(row["held_out"]) == {"atoms", "predicted_ms", "measured_ms", "inside"}
    assert row["largest_atoms"] == 1152
    assert [point["atoms"] for point in row["points"]] == list(sizes_of((), 1152))
    assert all(point["peak_memory_bytes"] > 0 for point in row["points"])


def test_the_csv_has_a_line_for_each_size(table):
    lines = list(csv.DictReader(io.StringIO(SHOWN["scaling"].render(table, "csv"))))
    assert len(lines) == 2 * 7
    assert float(lines[0]["ms_per_call_estimate"]) > 0


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_other_formats(table, form):
    assert "1,152" in SHOWN["scaling"].render(table, form)


def test_the_figure_is_drawn(table, tmp_path):
    SHOWN["scaling"].draw(table).savefig(tmp_path / "growth.svg")
    assert (tmp_path / "growth.svg").stat().st_size > 10_000


def test_a_failure_ends_the_series_in_all_rounds(tmp_path):
    row = row_of(measure(tmp_path / "run", "fails-when-large"), "fails-when-large")
    assert [point.atoms for point in row.points] == [18, 36, 72]
    assert (row.ended_by, row.message) == ("calculator", "RuntimeError: the neighbour list is full")
    records = store.read(tmp_path / "run").of(Size)
    assert [(one.round, one.atoms) for one in records] == [
        (0, 18),
        (0, 36),
        (0, 72),
        (0, 144),
        (1, 18),
        (1, 36),
        (1, 72),
    ]
    assert row.law is None


def test_a_crash_ends_the_series_too(tmp_path):
    row = row_of(measure(tmp_path / "run", "dies-when-large"), "dies-when-large")
    assert [point.atoms for point in row.points] == [18, 36, 72]
    assert row.ended_by == "crash"
    records = store.read(tmp_path / "run").of(Size)
    assert [(one.round, one.atoms) for one in records if one.failure] == [(0, 144)]


def test_time_ends_a_series(tmp_path):
    directory = tmp_path / "run"
    row = row_of(measure(directory, "grows", largest=36_864, budget=3.0), "grows")
    assert row.ended_by == "time"
    assert 100 < row.largest_atoms < 9216
    first = [one for one in store.read(directory).of(Size) if one.round == 0]
    assert first[-1].status == "censored"
    assert first[-1].predicted_ns > 0

    # resumed with as much time, nothing is measured again (on a busy machine some of it may be left); with more, the
    # series goes on
    measure(directory, "grows", largest=36_864, budget=3.0, resume=True)
    done = [(one.round, one.atoms) for one in store.read(directory).of(Size) if one.status == "done"]
    assert len(set(done)) == len(done)
    longer = row_of(measure(directory, "grows", largest=36_864, budget=12.0, resume=True), "grows")
    assert longer.largest_atoms > row.largest_atoms


def known(*memories):
    """Return the forecast of a series of which these sizes are known, by atoms and memory; each took 60 ns."""
    forecast = scaling.Forecast()
    for atoms, memory in memories:
        forecast.add(Size("m", "cpu", 0, 0, atoms, "done", 10, 10, (10, 10, 10), memory, None, 60))
    return forecast


KEY = {"method": "m", "device": "cpu", "round": 0, "size": 4}


def test_a_size_that_would_not_fit_into_the_time_is_not_begun():
    forecast = known((18, 1_000), (36, 1_000))
    # an adapter that is called would fail: it has no calculator
    record = scaling.measure_size(
        Adapter(), None, [None] * 288, forecast, key=KEY, seed=0, deadline_ns=perf_counter_ns()
    )
    assert (record.status, record.ended_by, record.failure) == ("censored", "time", None)
    assert record.predicted_ns == forecast.nanoseconds(288) > 0
    assert record.calculator_ns == ()


def test_memory_ends_a_series(monkeypatch):
    forecast = known((18, 1_000), (36, 1_010), (72, 1_050), (144, 1_210))
    assert forecast.memory(288) == pytest.approx(640 + 210 - 210, rel=0.4)  # about a factor of four per doubling

    monkeypatch.setattr(process, "free_memory", lambda: 100)
    record = scaling.measure_size(Adapter(), None, [None] * 288, forecast, key=KEY, seed=0)
    assert (record.status, record.ended_by) == ("censored", "memory")


def test_the_verb_measures_a_series_of_ones_own(pesbench, tmp_path):
    import ase.io
    from ase.build import molecule

    names = ("H2", "CH4", "C2H6", "C6H6", "isobutane", "C60")
    ase.io.write(tmp_path / "own.xyz", [molecule(name) for name in names], format="extxyz")
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "grows", "--protocols", "scaling", "--threads", "1"),
        *("--structures", tmp_path / "own.xyz", "--budget", "60", "--rounds", "2", "--output", tmp_path / "runs"),
    )
    assert done.returncode == 0, done.stderr
    assert "Systems: those of the user's file." in done.stdout
    (run,) = (tmp_path / "runs").iterdir()
    again = pesbench("run", "--resume", run.name, "--adapter", FAKES, "--output", tmp_path / "runs")
    assert again.returncode == 0, again.stderr
    document = json.loads(pesbench("table", run, "--protocol", "scaling", "--format", "json").stdout)
    assert [point["atoms"] for point in document["rows"][0]["points"]] == [2, 5, 8, 12, 14, 60]


def test_random_weights_may_enter(tmp_path):
    table = measure(tmp_path / "run", "architecture", weights="random", largest=36)
    row = row_of(table, "architecture")
    assert (row.weights, [point.atoms for point in row.points]) == ("random", [18, 36])
    assert "architecture (random weights)" in SHOWN["scaling"].render(table, "markdown")


def test_a_method_without_periodic_systems_is_refused(pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "grows", "--protocols", "scaling", "--periodic", "--threads", "1"),
        *("--structures", "naphthalene-gfn2", "--max-atoms", "36", "--output", tmp_path),
    )
    assert done.returncode == 1
    assert "not measured (periodic): 1 ms + 2 us N^1.5 takes no periodic systems" in done.stderr


def test_periodic_belongs_to_scaling_alone(pesbench, tmp_path):
    done = pesbench("run", "--methods", "uff", "--periodic", "--protocols", "relax,scaling", "--output", tmp_path)
    assert done.returncode == 2
    assert "--periodic belongs to --protocols scaling alone" in done.stderr


def test_a_task_carries_the_cell():
    from bench.core.task import Molecule
    from bench.data.clusters import supercell
    from bench.data.naphthalene import naphthalene

    crystal = supercell(naphthalene(), 1)
    given = Molecule.of(crystal).atoms()
    assert given.pbc.all()
    assert given.cell.array == pytest.approx(crystal.cell.array)
    assert not Molecule.of(naphthalene()).atoms().pbc.any()


def test_other_protocols_are_measured_before_the_adapter_has_another_system(pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,toy-native", "--protocols", "scaling,throughput,relax"),
        *("--structures", "naphthalene-gfn2", "--limit", "2", "--rounds", "1", "--threads", "1", "--budget", "3"),
        *("--max-atoms", "72", "--no-repeats", "--output", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    (run,) = tmp_path.iterdir()
    rows = {
        name: json.loads(pesbench("table", run, "--protocols", name, "--format", "json").stdout)["rows"]
        for name in ("scaling", "throughput")
    }
    assert [row["largest_atoms"] for row in rows["scaling"]] == [72, 72]
    assert all(row["single"]["force_calls_per_s"]["estimate"] for row in rows["throughput"])
