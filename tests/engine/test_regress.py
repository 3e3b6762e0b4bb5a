"""Two versions of a fake measured in turn, through the same path as real ones."""

import itertools
import json
from pathlib import Path

import pytest

import bench
from bench.core.records import Finished

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
SLOWER = "            energy, forces = adapter.misbehave("
PAUSE = "            time.sleep(0.05)  # so much more than the toy takes that it is seen on a busy machine, too\n"


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """Return an adapter file whose toy takes 50 ms more a call."""
    path = tmp_path_factory.mktemp("slow") / "fakes.py"
    path.write_text(FAKES.read_text().replace(SLOWER, PAUSE + SLOWER))
    return path


def regress(pesbench, tmp_path, adapter, base, *more):
    return pesbench(
        *("regress", "--methods", "toy", "--adapter", adapter, "--base-env", base, "--limit", "8"),
        *("--structures", "naphthalene-gfn2", "--output", tmp_path / "runs", "--format", "json", *more),
    )


@pytest.fixture(scope="module")
def slowed(tmp_path_factory, pesbench, slow):
    """Return what was said of a slowed version, and the run."""
    folder = tmp_path_factory.mktemp("slowed")
    done = regress(pesbench, folder, slow, FAKES, "--budget", "30")
    return done, bench.load(next((folder / "runs").iterdir()))


def test_a_slowed_version_is_slower_and_the_exit_status_says_so(slowed):
    done, run = slowed
    assert done.returncode == 1, done.stderr
    (one,) = json.loads(done.stdout)["comparisons"]
    assert one["verdict"] == "slower"
    assert one["ratio"]["low"] > 1.1
    assert one["answers"] == []
    assert set(run.methods.method) == {"toy", "toy@base"}
    by_round = run.replays.groupby(["method", "round"]).size()
    assert set(by_round) == {8}
    assert (run.replays.force_calls == 3).all(), "four geometries, of which the first counts in no time"
    assert run.replays.step_ns.isna().all(), "versions are compared by their force calls, without an optimiser"
    assert len(run.watched) == len(by_round)


def test_old_and_new_start_first_in_turn_in_at_least_four_rounds(slowed):
    done, run = slowed
    (one,) = json.loads(done.stdout)["comparisons"]
    assert one["ratio"]["rounds"] >= 4
    firsts = [record.method for record in run.contents.started][::2]
    assert all(before != after for before, after in itertools.pairwise(firsts))


def test_what_is_faster_because_it_computes_something_else_is_not_called_so(pesbench, tmp_path, slow):
    other = tmp_path / "other" / "fakes.py"
    other.parent.mkdir()
    other.write_text(FAKES.read_text().replace("0.25 * 5.0", "0.25 * 5.1"))
    done = regress(pesbench, tmp_path, other, slow, "--budget", "30")
    (one,) = json.loads(done.stdout)["comparisons"]
    assert one["verdict"] == "other answer"
    assert "energies by up to" in one["answers"][0]


def test_a_version_that_does_not_load_is_one_sentence_and_leaves_what_was_measured(pesbench, tmp_path):
    broken = tmp_path / "broken" / "fakes.py"
    broken.parent.mkdir()
    broken.write_text(FAKES.read_text().replace("        self.method = method\n", "        raise RuntimeError('no')\n"))
    done = regress(pesbench, tmp_path, broken, FAKES)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("pesbench: toy cannot be measured: RuntimeError: no; see ")
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def odd(tmp_path_factory, pesbench):
    """Return the run of a method without warm-up whose workers take ten minutes to end, and what the end leaves."""
    folder = tmp_path_factory.mktemp("odd")
    code = FAKES.read_text().replace('# kind = "force-field"\n', '# kind = "force-field"\n# warm-up = false\n')
    slow_end = f"atexit.register(lambda: (time.sleep(600), pathlib.Path({str(folder / 'ended')!r}).touch()))"
    (folder / "fakes.py").write_text(f"{code}import atexit, pathlib\n{slow_end}\n")
    done = regress(pesbench, folder, folder / "fakes.py", folder / "fakes.py", "--budget", "5")
    # a call takes microseconds, so beside other tests one may look slower
    assert done.returncode in (0, 1), done.stderr
    return bench.load(next((folder / "runs").iterdir())), folder / "ended"


def test_a_method_that_makes_no_call_before_its_first_structure_is_measured(odd):
    run, _ = odd
    assert all(record.first_call_ns is None for record in run.contents.started)
    assert len(run.replays)


def test_a_worker_that_is_done_is_ended_and_not_waited_for(odd):
    run, ended = odd
    assert not ended.exists()
    assert len(run.of(Finished)) == run.replays.groupby(["method", "round"]).ngroups


def test_a_faster_version_that_was_compared_before_another_method_failed_is_shown(pesbench, tmp_path, slow):
    done = pesbench(
        *("regress", "--methods", "toy,always-fails", "--adapter", FAKES, "--base-env", slow, "--limit", "4"),
        *("--structures", "naphthalene-gfn2", "--output", tmp_path / "runs", "--format", "json", "--budget", "10"),
    )
    assert done.returncode == 2, done.stderr
    first, second = json.loads(done.stdout)["comparisons"]
    assert first["verdict"] == "faster"
    assert second["verdict"] == "not compared"
    assert "the matrix is singular" in second["why"]
    run = next((tmp_path / "runs").iterdir())
    assert "the matrix is singular" in (run / "records.jsonl").read_text()
    kept = pesbench("history", "add", run)
    assert kept.returncode == 2
    assert "is a comparison by 'pesbench regress'" in kept.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--methods", "toy-native", "--base-env", FAKES), "has no force calls to replay; leave it out."),
        (("--methods", "uff-ase", "--base-env", FAKES), "has no method 'uff-ase'"),
        (("--methods", "uff-ase", "--base", "no-such-commit"), "there is no adapters/uff.py at 'no-such-commit'"),
        (("--methods", "uff-ase", "--base-with", "numba==1"), "uff.py does not pin numba"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing_behind(pesbench, tmp_path, arguments, says):
    done = pesbench("regress", "--adapter", FAKES, "--output", tmp_path / "runs", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
