"""A new protocol is one folder: copied into a tree, it has options, a budget, resuming, failures, tables and a page."""

import csv
import io
import json
import shutil

import pytest

from bench.environments import environments
from bench.environments.header import read_header
from bench.paths import PROJECT

FAKES = PROJECT / "tests" / "fakes" / "fakes.py"
STRUCTURES = ["--structures", "naphthalene-gfn2"]
METHODS = "toy,takes-20,always-fails"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a copy of the project with the folder of the protocol in it, and nothing else changed."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("bench", "adapters", "datasets", "results/paper", "results/baselines"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    shutil.copytree(FAKES.parent / "stretched", folder / "bench" / "protocols" / "stretched")
    made = environments.prepare(read_header(FAKES)).python.parents[1]
    (folder / ".envs").mkdir()
    (folder / ".envs" / made.name).symlink_to(made)
    return folder


@pytest.fixture(scope="module")
def run(tree, pesbench):
    """Return the directory of a run of it, with its own options."""
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", METHODS, *STRUCTURES, "--protocols", "relax,stretched"),
        *("--stretched-factor", "1.05", "--stretched-calls", "3", "--limit", "8", "--rounds", "2", "--threads", "1"),
        *("--budget", "20", "--no-repeats", "--output", tree / "runs"),
        cwd=tree,
        still=True,
        page=True,
    )
    assert done.returncode == 0, done.stderr
    assert "ms/stretched call" in done.stderr
    return next((tree / "runs").iterdir())


def records(directory):
    lines = map(json.loads, (directory / "records.jsonl").read_text().splitlines())
    return [one for one in lines if one["record"] == "stretched"]


def test_it_has_options_that_reach_the_worker(tree, pesbench, run):
    shown = pesbench("run", "--help", cwd=tree, still=True).stdout
    assert "--stretched-factor X" in shown
    assert "force calls at each structure (default: 2)" in shown
    assert "--stretched-calls N" in shown
    measured = [one for one in records(run) if one["method"] != "always-fails"]
    assert {one["factor"] for one in measured} == {1.05}
    assert {len(one["calculator_ns"]) for one in measured} == {3}
    assert len(measured) == 32, "two methods, eight structures, two rounds"


def test_it_refuses_options_of_its_own(tree, pesbench, tmp_path):
    words = ("--methods", "uff", *STRUCTURES, "--protocols", "stretched", "--stretched-calls", "0")
    done = pesbench("run", *words, "--output", tmp_path, cwd=tree, still=True)
    assert (done.returncode, done.stderr) == (2, "pesbench: --stretched-calls is 0; at least 1 is needed.\n")


def test_a_failure_is_a_record_and_is_shown(tree, pesbench, run):
    failed = [one for one in records(run) if one["status"] == "failed"]
    assert {one["method"] for one in failed} == {"always-fails"}
    assert {one["failure"]["message"] for one in failed} == {"RuntimeError: the matrix is singular"}
    text = pesbench("table", run, "--protocols", "stretched", cwd=tree, still=True, COLUMNS="200").stdout
    assert "stretched by 1.05" in text
    assert failed[0]["failure"]["kind"] in text


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex", "csv", "json"])
def test_it_has_a_table_in_every_format(tree, pesbench, run, form):
    done = pesbench("table", run, "--protocols", "stretched", "--format", form, cwd=tree, still=True)
    assert done.returncode == 0, done.stderr
    if form == "json":
        rows = json.loads(done.stdout)["rows"]
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
    else:
        assert "springs between all atoms" in done.stdout
        return
    assert [int(row["done"]) for row in rows if row["method"] == "toy"] == [16]


def test_the_table_of_times_has_its_column_and_its_key(tree, pesbench, run):
    assert "pull" in pesbench("table", run, cwd=tree, still=True, COLUMNS="200").stdout
    rows = json.loads(pesbench("table", run, "--format", "json", cwd=tree, still=True).stdout)["rows"]
    energies = {row["method"]: row["stretched"]["energy"] for row in rows}
    assert energies["toy"] > 0.1
    assert energies["takes-20"] == 0.0


def test_the_page_has_a_section_of_it_and_explain_knows_its_words(tree, pesbench, run):
    page = (run / "report.html").read_text()
    assert "What does stretching cost?" in page
    assert "Stretched in all directions." in page
    assert "The mean energy of the stretched molecules." in pesbench("explain", "pull", cwd=tree, still=True).stdout


def test_it_is_drawn(tree, pesbench, run):
    done = pesbench("plot", run, "--protocols", "stretched", cwd=tree, still=True)
    assert done.returncode == 0, done.stderr
    assert (run / "stretched.svg").is_file()


def test_a_run_that_was_stopped_continues_with_it(tree, pesbench, run, tmp_path):
    whole = records(run)
    stopped = tmp_path / run.name
    shutil.copytree(run, stopped)
    lines = (stopped / "records.jsonl").read_text().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if '"record":"stretched"' in line)
    (stopped / "records.jsonl").write_text("".join(lines[:last]))
    done = pesbench("run", "--resume", stopped.name, "--output", tmp_path, "--adapter", FAKES, cwd=tree, still=True)
    assert done.returncode == 0, done.stderr
    key = ("method", "round", "structure", "status")
    assert sorted([one[name] for name in key] for one in records(stopped)) == sorted(
        [one[name] for name in key] for one in whole
    )


def test_a_budget_cuts_it_off(tree, pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "takes-20", *STRUCTURES, "--protocols", "stretched"),
        *("--stretched-calls", "200", "--limit", "3", "--rounds", "1", "--threads", "1", "--budget", "1"),
        *("--output", tmp_path),
        cwd=tree,
        still=True,
    )
    assert done.returncode == 0, done.stderr
    (only,) = records(next(tmp_path.iterdir()))
    assert only["status"] == "censored"
    assert 10 <= len(only["calculator_ns"]) < 150


def test_few_files_know_a_protocol_by_name():
    own = PROJECT / "bench" / "protocols" / "throughput"
    knowing = [path for path in (PROJECT / "bench").rglob("*.py") if "throughput" in path.read_text()]
    assert len([path for path in knowing if own not in path.parents]) <= 3
