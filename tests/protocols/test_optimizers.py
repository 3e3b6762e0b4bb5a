"""The optimizers protocol: planted times come out, what is no relaxation is none, and every optimiser relaxes."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from synthetic import campaign, method

from bench.analysis.measurements import Measurements
from bench.core.description import MethodFacts, SystemFacts
from bench.core.failure import Failure
from bench.environments.catalogue import Catalogue
from bench.environments.header import HeaderError
from bench.environments.optimizers import optimizers, read_optimizers, selected
from bench.errors import BadInput
from bench.paths import PROJECT
from bench.protocols.optimizers.analyse import optimizers_table
from bench.protocols.optimizers.figure import draw
from bench.protocols.optimizers.measure import Repeats
from bench.protocols.optimizers.page import urgent
from bench.protocols.optimizers.record import Optimization

NAMES = ("BFGS", "fast", "slow")


def attempt(structure, optimizer, ms=100.0, **changes):
    fields = {
        "method": "a",
        "device": "cpu",
        "round": structure % 2,
        "attempt": 100 * structure + NAMES.index(optimizer),
        "structure": structure,
        "optimizer": optimizer,
        "status": "converged",
        "tight_fmax": 0.005,
        "force_calls": 30,
        "energy": -10.0 - structure,
        "calculator_ns": int(2e6 * ms),
        "optimizer_ns": int(1e6 * ms),
        "calls_at_fmax": 20,
        "calculator_ns_at_fmax": int(0.75e6 * ms),
        "optimizer_ns_at_fmax": int(0.25e6 * ms),
        "energy_at_fmax": -10.0 - structure + 0.004,
        "bonds_changed": 0,
        **changes,
    }
    return Optimization(**fields)


def table(records, systems=(), methods=("a",)):
    described = campaign(settings={"protocols": ("optimizers",), "optimizers": NAMES})
    if systems:
        dataset = described.dataset
        described = campaign(
            settings={"protocols": ("optimizers",), "optimizers": NAMES},
            dataset=type(dataset)(**{**vars(dataset), "systems": systems}),
        )
    return optimizers_table(Measurements(described, tuple(map(method, methods)), records=tuple(records)))


def test_a_method_has_not_the_name_of_its_own_optimiser_where_others_relax():
    facts = Catalogue().methods["uff"]
    described = campaign(
        settings={"protocols": ("optimizers",), "optimizers": NAMES},
        methods={"a": MethodFacts(facts.label, facts.family, facts.kind, native=True, model_label=facts.model_label)},
    )
    found = optimizers_table(
        Measurements(described, (method("a", label=facts.label),), records=(attempt(0, "BFGS"), attempt(0, "fast")))
    )
    assert {one.label for one in found.rows} == {"UFF (Open Babel)"}


def row(found, optimizer, name="a"):
    return next(one for one in found.rows if (one.method, one.optimizer) == (name, optimizer))


def test_planted_times_and_ratios_come_out_where_structures_differ_a_hundredfold():
    difficulty = np.exp(np.linspace(-2.3, 2.3, 9))
    found = table(
        attempt(number, name, 100 * scale * factor)
        for number, scale in enumerate(difficulty)
        for name, factor in (("BFGS", 1.0), ("fast", 0.6), ("slow", 4.0))
    )
    assert row(found, "BFGS").ms_per_molecule.estimate == pytest.approx(100)
    assert row(found, "BFGS").ms_per_molecule.high > 200
    fast = row(found, "fast")
    assert (fast.time_ratio.estimate, fast.time_ratio.low, fast.time_ratio.high) == pytest.approx((0.6, 0.6, 0.6))
    assert fast.own_share == pytest.approx(0.25)
    assert fast.above_mev == pytest.approx(4.0)
    assert row(found, "slow").tight_time_ratio.estimate == pytest.approx(4.0)
    assert row(found, "BFGS").time_ratio is None
    (_, overall, _) = found.overall
    assert (overall.best, overall.within_twice) == (1.0, 1.0)
    assert [one.within_twice for one in found.overall] == [1.0, 1.0, 0.0]


def test_a_burst_that_nothing_shows_makes_the_interval_of_the_ratio_wider_and_not_wrong():
    found = table(
        attempt(number, name, 100 * factor * (3.0 if (name, number) == ("fast", 4) else 1.0))
        for number in range(9)
        for name, factor in (("BFGS", 1.0), ("fast", 0.6))
    )
    ratio = row(found, "fast").time_ratio
    assert ratio.low < 0.6 < ratio.high
    assert ratio.high / ratio.low > 1.5
    assert row(found, "fast").solved == 9, "a slow relaxation is one"


def test_repeats_end_where_they_do_not_help_and_are_few():
    helps, quiet, vain = Repeats(True), Repeats(True), Repeats(True)
    assert not any(quiet.wanted(False) for _ in range(9))
    for repeats, disturbed in ((helps, False), (vain, True)):
        for _ in range(40):
            if repeats.wanted(True):
                repeats.take_note(disturbed)
    assert (helps.made, vain.made) == (9, 2)
    assert not Repeats(False).wanted(True), "the user can forbid it"


@pytest.fixture(scope="module")
def burst(tmp_path_factory, pesbench):
    """Return a run of two optimisers, of which one is slowed at one structure by processes that want its core."""
    output = tmp_path_factory.mktemp("burst")
    done = pesbench(
        *("run", "--adapter", "tests/fakes/fakes.py", "--methods", "bursts", "--structures", "naphthalene-gfn2"),
        *("--optimizers", "BFGS,LBFGS", "--limit", "4", "--rounds", "1", "--threads", "1", "--budget", "60"),
        *("--output", output, "--format", "json"),
    )
    assert done.returncode == 0, done.stderr
    lines = (next(output.iterdir()) / "records.jsonl").read_text().splitlines()
    return json.loads(done.stdout), [one for one in map(json.loads, lines) if one["record"] == "optimization"]


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not count waiting")
def test_a_relaxation_whose_threads_waited_for_a_core_is_made_again_and_said(burst):
    found, records = burst
    again = sum(one["visits"] - 1 for one in records)
    assert again, "the burst, or what else this machine does"
    (note,) = [note for note in found["notes"] if "again, because threads had waited for a core" in note]
    assert note.startswith(f"{again} relaxation")


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not count waiting")
def test_a_burst_that_hits_one_optimiser_leaves_its_time_as_it_was(burst):
    _, records = burst
    (hit,) = [one["attempt"] for one in records if one["visits"] > 1][:1]
    if max(one["waited_ns"] / one["calculator_ns"] for one in records) > 0.05:
        pytest.skip("other processes want the cores of this machine, too")
    each = {one["attempt"]: one["calculator_ns"] / one["force_calls"] for one in records}
    # the burst alone would make it five times as long: five processes on one core
    assert each[hit] == pytest.approx(np.median(list(each.values())), rel=0.5)


def test_systems_count_alike_however_many_structures_each_has():
    systems = (
        SystemFacts("large", "X", 9, frames=(0, 1, 2, 3, 4, 5)),
        SystemFacts("small", "Y", 3, frames=(6,)),
        SystemFacts("other", "Z", 3, frames=(7,)),
    )
    found = table(
        (
            attempt(number, name, factor if name == "fast" else 1.0)
            for number, factor in enumerate([0.5] * 6 + [2.0, 1.0])
            for name in ("BFGS", "fast")
        ),
        systems,
    )
    ratio = row(found, "fast").time_ratio
    assert ratio.estimate == pytest.approx(1.0)
    assert (ratio.n, ratio.over) == (3, "systems")
    unlike = [
        attempt(number, name, 8.0 if (number, name) == (5, "fast") else 1.0) for number in range(8) for name in NAMES
    ]
    assert row(table(unlike, systems), "fast").time_ratio.estimate == pytest.approx(8.0 ** (1 / 6 / 3)), "no median"


@pytest.mark.parametrize(("rounds", "process"), [(3, 0.0), (3, 0.2), (6, 0.2)])
def test_the_interval_of_a_time_has_what_the_structures_of_one_process_share(rounds, process):
    rng, inside, errors = np.random.default_rng(rounds), 0, []
    for _ in range(200):
        shared = rng.normal(0.0, process, rounds)
        took = [100 * np.exp(rng.normal(0.0, 0.3) + shared[number % rounds]) for number in range(18)]
        found = row(
            table(attempt(number, "BFGS", ms, round=number % rounds) for number, ms in enumerate(took)), "BFGS"
        ).ms_per_molecule
        inside += found.low <= 100 <= found.high
        errors.append(np.log(found.estimate / 100))
    assert inside >= 182, "over structures alone it would be 140 of 200 with the scatter of 20 %"
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(len(errors))


def test_a_time_is_the_mean_of_the_processes_with_a_part_of_structures_and_one_of_processes():
    took = {0: (90.0, 130.0), 1: (300.0, 420.0, 350.0), 2: (60.0,)}
    records, number = [], 0
    for process, times in took.items():
        for ms in times:
            changes = {"round": process, "calculator_ns": int(1.5e6 * ms), "optimizer_ns": int(0.5e6 * ms)}
            records.append(attempt(number, "BFGS", ms, **changes))
            records.append(attempt(number, "fast", ms, **changes | {"calculator_ns": int(0.1e6 * ms)}))
            number += 1
    found = table(records)
    logs = [np.log(times) for times in took.values()]
    means = np.array([one.mean() for one in logs])
    single = sum(((one - one.mean()) ** 2).sum() for one in logs) / (6 - 3)
    of_structures = single * (1 / 2 + 1 / 3 + 1) / 3**2
    of_processes = means.var(ddof=1) / 3 - of_structures
    factor = (of_structures * stats.t.ppf(0.975, 3) + of_processes * stats.t.ppf(0.975, 2)) / means.var(ddof=1) * 3
    half = factor * np.sqrt(of_structures + of_processes)
    one = row(found, "BFGS").ms_per_molecule
    assert np.log([one.low, one.estimate, one.high]) == pytest.approx(means.mean() + half * np.array([-1, 0, 1]))
    tight = row(found, "BFGS").tight_ms_per_molecule
    assert tight.estimate == pytest.approx(2 * np.exp(means.mean())), "all calls and the optimiser's own time"
    assert row(found, "fast").tight_time_ratio.estimate == pytest.approx(0.6 / 2.0)


def test_a_single_process_gives_no_interval_of_a_time_and_one_of_a_ratio():
    found = table(
        attempt(number, name, (1.0 + number) * factor, round=0)
        for number in range(5)
        for name, factor in (("BFGS", 1.0), ("fast", 0.5 + 0.01 * number))
    )
    assert row(found, "fast").ms_per_molecule.low is None
    assert row(found, "fast").ms_per_molecule.lacks == "one process"
    assert row(found, "fast").time_ratio.low is not None


def test_two_systems_say_nothing_about_their_scatter():
    systems = (SystemFacts("one", "X", 9, frames=(0,)), SystemFacts("other", "Y", 3, frames=(1,)))
    found = table((attempt(number, "BFGS", 1 + number) for number in range(2)), systems)
    assert row(found, "BFGS").ms_per_molecule.low is None


def test_a_collapsed_molecule_a_higher_minimum_and_a_failure_are_not_relaxed_and_not_fast():
    records = [attempt(number, "BFGS") for number in range(4)]
    records += [
        attempt(0, "fast", 1.0, bonds_changed=53, energy=-500.0),
        attempt(1, "fast", 1.0, energy=-11.0 + 0.02),
        attempt(2, "fast", 1.0, status="failed", failure=Failure("nan", "not finite")),
        attempt(3, "fast", 50.0, energy=-13.0 + 0.0005),
    ]
    found = table(records)
    fast = row(found, "fast")
    assert (fast.solved, fast.attempts, fast.higher) == (1, 4, 1)
    assert fast.higher_mev == pytest.approx(20)
    assert fast.failures == {"bonds changed": 1, "nan": 1}
    assert fast.ms_per_molecule.estimate == pytest.approx(50), "what failed soon is not fast"
    assert row(found, "BFGS").solved == 4, "the energy of a collapsed molecule is no minimum to be compared with"
    assert found.overall[1].best == 0.25


def test_structures_that_need_no_step_are_said_to_tell_nothing_about_optimisers():
    names = ("BFGS", "fast")
    still = [attempt(number, name, calls_at_fmax=1) for number in range(2) for name in names]
    (note,) = urgent(table(still))
    assert note.startswith("All forces were below 0.05 eV/Å at the start"), note
    (note,) = urgent(table([*still, *(attempt(2, name) for name in names)]))
    assert note.startswith("In 2 of 3 problems"), note
    assert urgent(table(attempt(0, name) for name in names)) == []


def test_what_the_budget_cut_off_counts_nowhere():
    records = [attempt(0, "BFGS"), attempt(0, "slow", status="censored"), attempt(1, "BFGS"), attempt(1, "slow", 300.0)]
    found = table(records)
    assert (row(found, "slow").attempts, row(found, "slow").cut) == (1, 1)
    assert found.problems == 1


def test_a_problem_that_an_optimiser_did_not_begin_is_not_one_that_it_failed_to_solve():
    found = table([attempt(0, "BFGS"), attempt(0, "slow", 300.0), attempt(1, "BFGS"), attempt(1, "fast", 50.0)])
    assert found.problems == 0, "neither problem was begun by all three"
    found = table([attempt(0, "BFGS"), attempt(0, "slow", 300.0), attempt(1, "BFGS")])
    assert found.problems == 1
    assert [len(one.time) for one in found.profiles] == [1, 0, 1]
    assert [one.best for one in found.overall] == [1.0, None, 0.0], "one that did not begin has no share"


def test_a_method_whose_time_let_one_optimiser_begin_does_not_make_it_the_best():
    """`fast` takes half the time wherever both ran; with b the budget let BFGS alone begin."""
    records = [attempt(i, name, ms) for i in range(2) for name, ms in (("BFGS", 100.0), ("fast", 50.0))]
    records += [attempt(i, "BFGS", 1000.0, method="b") for i in range(6)]
    found = table(records, methods=("a", "b"))
    assert found.problems == 2
    assert [(one.best, one.within_twice) for one in found.overall] == [(0.0, 1.0), (1.0, 1.0), (None, None)]
    assert [one.get_text() for one in draw(found).legends[0].get_texts()] == ["BFGS", "fast"]


def test_optimisers_are_found_by_name_in_any_letters_and_unknown_ones_get_a_hint():
    known = optimizers()
    assert next(iter(known)) == "BFGS"
    assert {"LBFGS", "FIRE2", "Sella", "geomeTRIC", "Berny", "CG"} <= known.keys()
    assert selected(["fire2", "GEOMETRIC", "fire2"], known) == ("FIRE2", "geomeTRIC")
    assert selected(["all"], known) == tuple(known)
    with pytest.raises(BadInput, match="no optimiser 'lbgfs'; did you mean 'LBFGS'"):
        selected(["lbgfs"], known)


def test_the_example_of_the_docs_is_an_optimiser_in_a_folder_of_ones_own(pesbench, tmp_path):
    page = (PROJECT / "docs" / "extending.md").read_text()
    (example,) = (one for one in page.split("```") if "(Minimizer)" in one)
    (tmp_path / "mine.py").write_text(example.strip() + "\n")
    done = pesbench("list", "--optimizers", PESBENCH_OPTIMIZERS=str(tmp_path))
    assert "Mine: Mine (internal coordinates)" in done.stdout, done.stderr
    missing = pesbench("list", "--optimizers", PESBENCH_OPTIMIZERS=str(tmp_path / "elsewhere"))
    assert missing.returncode == 2
    assert "PESBENCH_OPTIMIZERS names" in missing.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\n", "no '# /// script' header"),
        ('# /// script\n# [tool.pesbench]\n# family = "F"\n# ///\n', "lacks 'family' or 'optimizers'"),
        (
            '# /// script\n# [tool.pesbench]\n# family = "F"\n# [tool.pesbench.optimizers.A]\n# speed = 3\n# ///\n',
            "gives A the unknown key 'speed'",
        ),
    ],
)
def test_a_file_that_describes_no_optimiser_is_refused(tmp_path, text, says):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(HeaderError, match=says):
        read_optimizers(tmp_path / "mine.py")


@pytest.fixture(scope="module")
def run(tmp_path_factory, pesbench):
    """Return a run of all optimisers that need no packages of their own, with springs between all atoms."""
    output = tmp_path_factory.mktemp("optimizers")
    names = [name for name, one in optimizers().items() if not one.header.dependencies]
    done = pesbench(
        *("run", "--adapter", "tests/fakes/fakes.py", "--methods", "toy,always-fails"),
        *("--structures", "naphthalene-gfn2", "--optimizers", ",".join(names), "--limit", "3", "--rounds", "2"),
        *("--threads", "1", "--budget", "60", "--output", output),
        page=True,
    )
    assert done.returncode == 0, done.stderr
    return next(output.iterdir()), names


def test_every_optimiser_of_ase_relaxes_to_the_same_minimum(run, pesbench):
    directory, names = run
    found = json.loads(pesbench("table", directory, "--protocols", "optimizers", "--format", "json").stdout)
    mine = {one["optimizer"]: one for one in found["rows"] if one["method"] == "toy"}
    assert list(mine) == names
    assert {name: (one["solved"], one["attempts"]) for name, one in mine.items()} == dict.fromkeys(names, (3, 3))
    assert all(0 < one["own_share"] < 1 for one in mine.values())
    failing = [one for one in found["rows"] if one["method"] == "always-fails"]
    assert all(one["failures"] == {"calculator": one["attempts"] - one["solved"]} for one in failing)
    assert sum(one["attempts"] - one["solved"] for one in failing) > 0
    assert [one["optimizer"] for one in found["optimizers"]] == names


def test_the_same_figures_are_in_every_format_on_the_page_and_by_optimizer(run, pesbench):
    directory, _ = run
    shown = pesbench("table", directory, "--by", "optimizer").stdout
    assert "Which optimiser? All methods" in shown
    assert shown == pesbench("table", directory, "--protocols", "optimizers").stdout
    page = (directory / "report.html").read_text()
    assert "Which optimiser?" in page
    assert "Share of the problems" in page
    assert "Which method should I take?" not in page, "there is nothing to say to it"
    assert pesbench("plot", directory, "--protocols", "optimizers").returncode == 0
    assert (directory / "optimizers.svg").is_file()


def test_a_stopped_run_continues_with_what_is_missing(run, pesbench, tmp_path):
    import shutil

    directory, _ = run
    stopped = tmp_path / directory.name
    shutil.copytree(directory, stopped)
    lines = (stopped / "records.jsonl").read_text().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if '"record":"optimization"' in line)
    (stopped / "records.jsonl").write_text("".join(lines[:last]))
    done = pesbench(
        *("run", "--resume", stopped.name, "--output", tmp_path, "--adapter", "tests/fakes/fakes.py", "--no-page")
    )
    assert done.returncode == 0, done.stderr
    after = [json.loads(line) for line in (stopped / "records.jsonl").read_text().splitlines()]
    attempts = [(one["method"], one["attempt"]) for one in after if one["record"] == "optimization"]
    assert len(attempts) == len(set(attempts)) == 60


def test_an_optimiser_that_makes_no_step_any_more_is_ended(monkeypatch):
    from bench.protocols.optimizers import measure

    monkeypatch.setattr(measure, "LEAST_PATIENCE_S", 0.2)
    with pytest.raises(measure.Stuck, match="made no step for 0 s"), measure.Patience() as patience:
        for _ in range(3):
            patience.step()
        while True:
            pass
    monkeypatch.setattr(measure, "LEAST_PATIENCE_S", 5.0)
    with measure.Patience() as patience:
        patience.step()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0), "nothing rings afterwards"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--optimizers", "BFGS,LBGFS"), "there is no optimiser 'LBGFS'; did you mean 'LBFGS'?"),
        (("--optimizers", "BFGS,native"), "cannot be compared here: it stops by its own criterion"),
        (("--optimizer", "newton"), "there is no optimiser 'newton'; there are BFGS, LBFGS"),
        (("--optimizers", "BFGS", "--protocols", "md"), "--optimizers belongs to --protocols optimizers"),
        (
            ("--optimizers", "BFGS", "--optimizers-tight", "0"),
            "--optimizers-tight is 0; it must be a number above zero.",
        ),
    ],
)
def test_bad_input_is_named(pesbench, tmp_path, options, says):
    done = pesbench("run", "--methods", "uff", *options, "--output", tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert not list(tmp_path.iterdir())
