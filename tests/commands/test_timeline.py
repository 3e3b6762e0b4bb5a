"""The verb timeline: an earlier release is measured once, and shown again without measuring."""

import json

import pytest

from bench.paths import PROJECT

FAKES = PROJECT / "tests" / "fakes" / "fakes.py"
WORDS = (
    "timeline",
    "toy",
    "--adapter",
    FAKES,
    "--package",
    "ase",
    "--versions",
    "1",
    "--structures",
    "naphthalene-gfn2",
)


@pytest.mark.environment
def test_a_release_is_measured_once_and_shown_again(pesbench, tmp_path):
    words = (*WORDS, "--limit", "2", "--budget", "4", "--threads", "1", "--output", tmp_path)
    alone = pesbench(*WORDS, "--limit", "1", "--output", tmp_path)
    assert alone.returncode == 2
    assert "a timeline needs several structures for its intervals, and this is one" in alone.stderr
    done = pesbench(*words, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (release,) = found["releases"]
    assert release["same_answers"] is True
    assert 0.2 < release["time_over_newest"]["estimate"] < 5
    assert (tmp_path / "toy-ase.json").is_file()
    again = pesbench(*words)
    assert "round" not in again.stderr, "nothing is measured again"
    assert release["version"] in again.stdout
    assert (tmp_path / "toy-ase.svg").is_file()
    assert pesbench(*words, "--show").stdout == again.stdout
    threads = pesbench(*words, "--threads", "2")
    assert threads.returncode == 2
    assert "1 thread, and this is naphthalene-gfn2" in threads.stderr, "a timeline is of one kind of work"
    other = pesbench(*words, "--again", "0.1")
    assert other.returncode == 2
    assert f"--again 0.1: the last release before {found['newest']} is {release['version']}." in other.stderr
    anew = pesbench(*words, "--again", release["version"], "--json")
    (measured,) = json.loads(anew.stdout)["releases"]
    assert measured["run"] != release["run"]


@pytest.mark.environment
def test_environments_are_made_beforehand_and_nothing_is_measured(pesbench, tmp_path):
    done = pesbench(*WORDS, "--output", tmp_path, "--prepare")
    assert done.returncode == 0, done.stderr
    newest, earlier = done.stdout.splitlines()
    assert newest.startswith("ase 3.") and newest.endswith(": ready")
    assert earlier.startswith("ase 3.") and earlier.endswith(": ready")
    assert newest != earlier
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("timeline", "uff"), "uses its own optimiser"),
        (("timeline", "uff-ase", "--versions", "0"), "--versions is 0"),
        (("timeline", "uff-ase,gfn2-xtb"), "a timeline is of one method"),
        (("timeline", "uff-ase", "--package", "torch"), "does not pin torch"),
        (("timeline", "uff-ase", "--pin", "torch"), "--pin torch: give one version of a package, like torch==2.12.0."),
        (("timeline", "uff-ase", "--pin", "numpy>=2"), "--pin numpy>=2: give one version"),
        (("timeline", "uff-ase", "--pin", "openbabel_wheel==3.1.1.20"), "the timeline is of openbabel-wheel itself"),
        (("timeline", "7net-0", "--show"), "nothing is measured yet of earlier releases of sevenn for 7net-0; "),
        (("timeline", "7net-0", "--show", "--package", "torch"), "timeline 7net-0 --package torch' measures them."),
    ],
)
def test_bad_input_is_named(pesbench, tmp_path, words, says):
    done = pesbench(*words, "--output", tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
