"""A campaign over the fakes, through the same path as real methods: command line, environment, worker, records."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bench

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
PESBENCH = [sys.executable, "-m", "bench.cli"]
STRUCTURES = ["--structures", "naphthalene-gfn2"]


@pytest.fixture(scope="module")
def run(fake_run):
    return bench.load(fake_run)


@pytest.fixture(scope="module")
def methods(run):
    return run.methods.set_index("method")


def of(run, method):
    return run.structures[run.structures.method == method]


def test_a_right_method_relaxes_every_structure_in_every_round(run):
    toy = of(run, "toy")
    assert len(toy) == 12
    assert set(toy.status) == {"converged"}
    assert set(toy["round"]) == {0, 1}
    assert (toy.force_calls == toy.steps + 1).all()


def test_the_structures_are_the_same_for_all_methods(run):
    assert set(of(run, "toy").structure) == set(of(run, "toy-native").structure)
    assert len(set(of(run, "toy").structure)) == 6


def test_a_native_optimiser_has_steps_and_no_force_calls(run):
    native = of(run, "toy-native")
    assert set(native.status) == {"converged"}
    assert (native.steps > 0).all()
    assert native.force_calls.isna().all()
    assert (native.fmax < 0.06).all()


def test_rounds_are_fresh_processes_with_their_own_cold_start(run):
    started = [record for record in run.contents.started if record.method == "toy"]
    assert [record.round for record in started] == [0, 1]
    assert all(record.import_ns > 0 and record.load_ns > 0 and record.first_call_ns > 0 for record in started)
    assert all(len(record.warmup_ns) >= 4 for record in started)


def test_what_really_ran_is_recorded(run):
    started = next(record for record in run.contents.started if record.method == "toy")
    assert started.environment["OMP_NUM_THREADS"] == "1"
    assert started.environment["OPENBLAS_NUM_THREADS"] == "1"
    assert started.versions["ase"] == "3.29.0"
    assert all(pool["num_threads"] == 1 for pool in started.thread_pools)
    assert started.thread_pools


def test_an_error_in_a_structure_is_a_record_and_the_others_are_measured(run):
    failing = of(run, "always-fails")
    assert failing.status.value_counts().to_dict() == {"failed": 10, "converged": 2}
    assert set(failing.failure.dropna()) == {"calculator"}
    assert "RuntimeError: the matrix is singular" in set(failing.message)


def test_a_nan_is_a_failure_with_its_class(run):
    assert of(run, "returns-nan").failure.value_counts().to_dict() == {"nan": 10}


@pytest.mark.parametrize(
    ("method", "kind", "says"),
    [
        ("fails-to-load", "load", "RuntimeError: these weights are for another model"),
        ("dies-at-once", "crash", "died of SIGSEGV"),
        ("only-hydrogen", "elements", "only-hydrogen does not know C"),
        ("needs-weights", "no-weights", "the checkpoint no-such-file.ckpt is not here"),
        ("only-cuda", "no-device", "only-cuda runs on cuda only"),
    ],
)
def test_a_method_that_cannot_run_is_a_row_with_the_reason(methods, method, kind, says):
    assert methods.failure[method] == kind
    assert says in methods.message[method]


@pytest.mark.parametrize(("method", "kind"), [("dies", "crash"), ("hangs", "timeout"), ("allocates", "out-of-memory")])
def test_a_structure_that_kills_its_worker_is_a_failure_and_the_next_one_gets_a_fresh_worker(
    run, methods, method, kind
):
    lost = of(run, method)
    assert lost.failure.value_counts()[kind] == 2
    assert (lost.status == "converged").sum() == 2
    assert methods.failure[method] == kind
    assert "given up after 2 crashes" in methods.message[method]


def start(*arguments):
    return subprocess.Popen(
        [
            *PESBENCH,
            "run",
            "--no-repeats",
            "--adapter",
            str(FAKES),
            *STRUCTURES,
            "--threads",
            "1",
            *map(str, arguments),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's background job ignores Ctrl-C, and so would what it starts: tests may run in one
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    )


def wait_for(results, structures):
    """Wait until so many structures are written; return the run directory."""
    for _ in range(6000):
        for path in results.glob("*/records.jsonl"):
            if path.read_bytes().count(b'"record":"relaxation"') >= structures:
                return path.parent
        time.sleep(0.1)
    raise AssertionError("nothing was measured in ten minutes")


def test_a_killed_campaign_loses_at_most_the_structure_in_flight_and_can_be_resumed(tmp_path, pesbench):
    process = start("--methods", "slow", "--limit", 5, "--rounds", 1, "--output", tmp_path)
    directory = wait_for(tmp_path, 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = bench.load(directory).structures
    assert len(before) >= 2
    time.sleep(1.5)
    written = (directory / "records.jsonl").stat().st_size
    time.sleep(1.5)
    assert (directory / "records.jsonl").stat().st_size == written, "its worker lives on"
    done = pesbench("run", "--resume", directory, "--json")
    assert done.returncode == 0, done.stderr
    after = bench.load(directory).structures
    assert sorted(after.structure) == sorted(set(after.structure))
    assert len(after) == 5
    kept = after.set_index("structure").wall_ns[before.structure]
    assert kept.tolist() == before.wall_ns.tolist(), "what was measured is not measured again"
    assert json.loads(done.stdout)["rows"][0]["structures"] == {"done": 5, "total": 5}


def test_ctrl_c_ends_with_the_table_of_what_is_there(tmp_path):
    tmp_path /= "my results"
    process = start("--methods", "slow", "--limit", 20, "--rounds", 3, "--output", tmp_path)
    directory = wait_for(tmp_path, 1)
    os.kill(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "slow" in output
    assert "ms/step" in output
    command = errors.partition("continue with: ")[2].splitlines()[0]
    assert command.endswith(f"run --resume {shlex.quote(str(directory))}"), "its name alone is looked for elsewhere"
    assert command.startswith(sys.executable), "it was started as a module"
    assert "Traceback" not in errors


def test_a_budget_censors_and_the_row_says_so_and_a_larger_one_goes_on(tmp_path, pesbench):
    common = ("--adapter", FAKES, "--methods", "slow", *STRUCTURES, "--limit", "5", "--rounds", "2")
    done = pesbench("run", "--no-repeats", *common, "--budget", "0.4", "--output", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)["rows"][0]
    assert row["structures"]["done"] < 5
    run = bench.load(next(tmp_path.iterdir()))
    cut_off = run.structures[run.structures.status == "censored"]
    assert len(cut_off) >= 1
    assert (cut_off.steps >= 1).all(), "what was begun has at least one step to show"
    done = pesbench("run", "--resume", run.directory, "--budget", "none", "--json")
    assert json.loads(done.stdout)["rows"][0]["structures"] == {"done": 5, "total": 5}
    assert set(bench.load(run.directory).structures.status) == {"converged"}


def test_where_nothing_can_be_measured_the_status_is_one(tmp_path, pesbench):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "only-hydrogen,needs-weights", *STRUCTURES),
        *("--limit", "1", "--output", tmp_path),
    )
    assert done.returncode == 1
    assert "only-hydrogen does not know C" in done.stdout


@pytest.fixture(scope="module")
def strange_run(pesbench, tmp_path_factory):
    """Return what a campaign over methods printed that end or speak strangely, and its run directory."""
    results = tmp_path_factory.mktemp("strange")
    methods = "exits-quietly,leaves-quietly,hostile-words,odd-settings,bad-settings"
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", methods, *STRUCTURES, "--limit", "4", "--rounds", "1"),
        *("--threads", "1", "--no-repeats", "--output", results, "--json"),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), bench.load(next(results.iterdir()))


@pytest.mark.parametrize("method", ["exits-quietly", "leaves-quietly"])
def test_a_worker_that_ends_with_status_0_in_the_middle_loses_no_structure_in_silence(strange_run, method):
    lost = of(strange_run[1], method)
    assert lost.status.value_counts().to_dict() == {"failed": 2, "converged": 2}
    assert set(lost.failure.dropna()) == {"crash"}
    assert "ended with status 0 before it was done" in set(lost.message)


def test_hostile_words_of_a_method_leave_the_run_readable_and_are_made_clean(strange_run):
    failed = of(strange_run[1], "hostile-words").query("status == 'failed'")
    assert set(failed.message) == {"RuntimeError: caf\N{REPLACEMENT CHARACTER} red second line"}


def test_settings_that_can_plainly_be_kept_are_kept(strange_run):
    started = next(record for record in strange_run[1].contents.started if record.method == "odd-settings")
    assert started.settings == {
        "cutoff": 4.5,
        "species": ["C", "H"],
        "sizes": [0, 1, 2],
        "name": "caf\N{REPLACEMENT CHARACTER}",
    }


def test_settings_that_cannot_be_kept_are_a_row_that_names_the_key(strange_run):
    row = next(row for row in strange_run[0]["rows"] if row["method"] == "bad-settings")
    assert row["failures"] == {"load": 1}
    assert "settings()['model'] is a Fakes, which JSON cannot hold" in row["message"]


def test_a_failure_names_the_file_with_its_traceback(strange_run):
    rows, run = strange_run
    logs = {row["method"]: row["log"] for row in rows["rows"]}
    assert "Traceback" in (run.directory / logs["bad-settings"]).read_text()
    assert "Traceback" in (run.directory / logs["hostile-words"]).read_text(), "also where it fails at one structure"


def test_the_terminal_names_it_too(tmp_path, pesbench):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "bad-settings", *STRUCTURES, "--limit", "1", "--rounds", "1"),
        *("--threads", "1", "--no-page", "--output", tmp_path),
    )
    log = next(tmp_path.glob("*/logs/bad-settings-cpu-round0.log"))
    assert f"JSON cannot hold; see {log}" in " ".join(done.stderr.split())
    assert "(see logs/bad-settings-cpu-round0.log)" in " ".join(done.stdout.split())
