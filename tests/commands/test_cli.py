"""The command line: bad input is one clear sentence and status 2, and nothing is lost."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import write

from bench.cli import parser
from bench.commands import verbs
from bench.environments.catalogue import Catalogue
from bench.machine import accelerators

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


def refused(done):
    """Return the one sentence of a refusal."""
    assert done.returncode == 2, done.stderr or done.stdout
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--methods", "ufff"), "there is no method 'ufff'; did you mean 'uff' or 'uff-ase' or 'uff-ase@rdkit'?"),
        (("--device", "tpu"), "there is no device 'tpu'; use cpu, cuda or cuda:N."),
        (("--optimizer", "LBGFS"), "there is no optimiser 'LBGFS'; did you mean 'LBFGS'?"),
        (
            ("--protocols", "dance"),
            "there is no protocol 'dance'; use relax, replay, optimizers, md, accuracy, throughput or scaling.",
        ),
        (("--structures", "benzene-md17"), "benzene-md17 is neither a file, a folder nor a data set"),
        (("--fmax", "-1"), "--fmax is -1; it must be a number above zero."),
        (("--limit", "0"), "--limit is 0; it must be a number above zero."),
        (("--ensembles", "npt"), "there is no ensemble 'npt'; use nve or nvt."),
        (("--duration", "-1"), "--duration is -1; it must be a number above zero."),
        (("--time-step", "50000"), "--time-step is longer than the trajectories"),
        (("--threads", "0"), "--threads is 0; it must be a number above zero."),
        (("--adapter", "nowhere.py"), "nowhere.py."),
        (("--checkpoint", "nowhere.pt"), "uff takes no checkpoint; leave out --checkpoint."),
        (("--methods", "7net-0", "--checkpoint", "nowhere.pt"), "nowhere.pt; give its path with --checkpoint."),
        (("--budget", "soon"), "'soon' is not a budget; give a number of seconds above zero, or none."),
        (("--rounds", "two"), "--rounds takes a whole number, not 'two'."),
        (("--duration", "5"), "--duration belongs to --protocols md, and this run measures relax; add md to"),
        (
            ("--max-atoms", "72", "--protocols", "md"),
            "--max-atoms belongs to --protocols scaling, and this run measures",
        ),
        (("--spin", "0"), "--spin is 0; it is the multiplicity 2S+1, at least 1."),
    ],
)
def test_a_bad_option_of_run_is_named(pesbench, tmp_path, arguments, says):
    options = dict(zip(arguments[::2], arguments[1::2], strict=True))
    defaults = {"--methods": "uff", "--structures": "naphthalene-gfn2", "--output": str(tmp_path)}
    given = [word for pair in {**defaults, **options}.items() for word in pair]
    assert says in refused(pesbench("run", *given))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pack", "--methods", "uff"), "pack takes METHOD without an option; leave out --methods."),
        (("table", "--run", "newest"), "table takes RUN|paper|FILE.html without an option; leave out --run."),
        (("explain", "uff", "--rum", "x"), "explain has no option --rum; did you mean --run?"),
        (("run", "--cluster", "slurm", "--time", "2h"), "'2h' is not a time limit; write HH:MM:SS, such as 02:00:00."),
        (("advise", "x.xyz", "--budget", "1h"), "'1h' is not a time; give a number of seconds above zero."),
        (("history",), "history needs an action; see"),
    ],
)
def test_a_word_that_a_verb_does_not_take_is_named(pesbench, words, says):
    assert says in refused(pesbench(*words))


def test_a_device_that_is_not_here_is_refused_before_anything_is_written(pesbench, tmp_path):
    done = pesbench("run", "--device", "cuda", "--output", tmp_path / "results", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    assert done.stderr.startswith("pesbench: --device cuda: ") and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_a_negative_budget_is_named(pesbench):
    done = pesbench("run", "--methods", "uff", "--budget", "-5")
    assert done.returncode == 2
    assert "'-5' is not a budget; give a number of seconds above zero, or none." in done.stderr
    assert "Traceback" not in done.stderr


WATER = molecule("H2O")


def nan_in(atoms):
    atoms.positions[1, 2] = np.nan
    return atoms


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ([nan_in(WATER.copy())], "finite"),
        ([Atoms("H2", [(0, 0, 0), (0, 0, 0.01)])], "only 0.010 Angstrom apart"),
    ],
)
def test_a_set_that_cannot_be_measured_is_named(pesbench, tmp_path, images, says):
    path = tmp_path / "set.xyz"
    write(path, images, format="extxyz")
    line = refused(pesbench("run", "--methods", "uff", "--structures", path, "--output", tmp_path / "results"))
    assert says in line


@pytest.mark.parametrize("content", [b"", b"this is no structure\n", bytes(range(256))])
def test_a_file_that_is_no_structure_is_named(pesbench, tmp_path, content):
    path = tmp_path / "set.xyz"
    path.write_bytes(content)
    assert path.name in refused(
        pesbench("run", "--methods", "uff", "--structures", path, "--output", tmp_path / "results")
    )


def test_a_results_folder_that_cannot_be_written_is_named(pesbench, tmp_path):
    (tmp_path / "results").write_text("a file where a folder has to be")
    line = refused(
        pesbench("run", "--methods", "uff", "--structures", "naphthalene-gfn2", "--output", tmp_path / "results")
    )
    assert f"cannot write to {tmp_path / 'results'}" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_results_folder_is_named(pesbench, tmp_path):
    tmp_path.chmod(0o500)
    line = refused(
        pesbench("run", "--methods", "uff", "--structures", "naphthalene-gfn2", "--output", tmp_path / "results")
    )
    assert "Permission denied" in line


def test_a_resumed_run_takes_no_other_plan(pesbench, fake_run):
    line = refused(pesbench("run", "--resume", fake_run, "--max-steps", "9"))
    assert "leave out --max-steps, or start a new run" in line


def test_a_run_of_another_machine_is_not_continued_here(pesbench, fake_run, tmp_path):
    copy = Path(shutil.copytree(fake_run, tmp_path / fake_run.name))
    described = json.loads((copy / "campaign.json").read_text())
    described["machine"] |= {"cpu": "Z80", "usable_cores": 97}
    (copy / "campaign.json").write_text(json.dumps(described))
    before = (copy / "records.jsonl").read_text()
    line = refused(pesbench("run", "--resume", copy))
    assert f"{copy.name} was begun on another machine (CPU: Z80 and " in line
    assert "cores: 97 and " in line
    assert line.endswith("and times of both would enter one mean; continue it there, or start a new run here.")
    assert (copy / "records.jsonl").read_text() == before


def test_results_of_a_protocol_that_a_run_has_not_are_refused(pesbench, fake_run):
    line = refused(pesbench("table", fake_run, "--protocols", "replay"))
    assert f"there are no replay results in {fake_run}; 'pesbench run --protocols replay' measures it." in line
    assert "has no records of the protocol md" in refused(pesbench("table", fake_run, "--protocols", "md"))


def test_a_table_can_be_of_one_protocol(pesbench, fake_run):
    whole, part = (
        json.loads(pesbench("table", fake_run, "--format", "json", *chosen).stdout)
        for chosen in ([], ["--protocols", "relax"])
    )
    assert part["rows"] == [row for row in whole["rows"] if row["protocol"] == "relax"]


def test_an_unknown_format_is_named(pesbench, fake_run):
    assert "there is no format 'docx'" in refused(pesbench("table", fake_run, "--format", "docx"))


def test_a_folder_in_place_of_a_file_is_named(pesbench, tmp_path):
    line = refused(pesbench("script", "uff", "--structures", "naphthalene-gfn2", "--output", tmp_path))
    assert f"{tmp_path}: Is a directory; name a file." in line
    line = refused(pesbench("run", "--methods", "7net-0", "--checkpoint", tmp_path, "--structures", "naphthalene-gfn2"))
    assert f"{tmp_path} is no file, which a checkpoint of 7net-0 is." in line


def test_a_budget_without_end_is_none(pesbench):
    assert "'1e400' is not a budget" in refused(pesbench("run", "--methods", "uff", "--budget", "1e400"))


def test_an_empty_name_is_no_folder(pesbench):
    assert "an empty name is no data set" in refused(pesbench("script", "uff", "--structures", ""))


def test_a_run_that_is_not_there_is_named(pesbench, tmp_path):
    assert "there is no run '20200101-000000'" in refused(pesbench("run", "--resume", "20200101-000000"))
    assert "there is no run" in refused(pesbench("table", tmp_path / "nowhere"))


def test_a_folder_of_weights_that_is_not_there_is_named(pesbench, tmp_path):
    missing = str(tmp_path / "nowhere")
    line = refused(
        pesbench(
            *("run", "--methods", "nequix-mp-1", "--structures", "naphthalene-gfn2", "--output", tmp_path),
            PESBENCH_WEIGHTS=missing,
        )
    )
    assert f"PESBENCH_WEIGHTS names {missing}, which is not a folder" in line


def test_an_environment_that_is_not_there_is_named(pesbench):
    assert "there is no environment 'nowhere'" in refused(pesbench("env", "--remove", "nowhere"))


def test_the_table_of_a_run_is_one_json_object_with_what_scripts_rely_on(pesbench, fake_run):
    table = json.loads(pesbench("table", fake_run, "--format", "json").stdout)
    rows = {row["method"]: row for row in table["rows"]}
    toy = rows["toy"]
    for key in ("method", "weights", "protocol", "device", "dtype", "threads", "converged", "failures"):
        assert key in toy
    assert toy["structures"] == {"done": 6, "total": 6}
    assert toy["steps_per_structure"] > 1
    assert toy["force_calls_per_step"] == 1
    assert "paper_ms_per_step" in toy
    for name in ("ms_per_step", "calculator_ms_per_call"):
        estimate = toy[name]
        assert 0 < estimate["low"] < estimate["estimate"] < estimate["high"]
    assert rows["dies"]["failures"]["crash"] >= 2
    assert isinstance(table["geometric_means"], list)


def test_the_papers_table_comes_out_of_the_same_code(pesbench):
    table = json.loads(pesbench("table", "paper", "--format", "json").stdout)
    gain = next(mean for mean in table["geometric_means"] if mean["name"] == "GPU over CPU")
    assert round(gain["estimate"], 2) == 3.07
    assert len(gain["methods"]) == 9


@pytest.mark.parametrize("columns", ["60", "80", "132"])
def test_a_table_fits_the_terminal(pesbench, fake_run, columns):
    done = pesbench("table", fake_run, COLUMNS=columns)
    assert max(map(len, done.stdout.splitlines())) <= int(columns)


@pytest.mark.parametrize("verb", [("list", "--optimizers"), ("explain", "uff"), ("doctor",), ("runs",)])
def test_no_line_ends_with_blanks(pesbench, fake_run, verb):
    done = pesbench(*verb, *(("--output", fake_run.parent) if verb == ("runs",) else ()))
    assert done.stdout.strip(), done.stderr
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []


def test_a_figure_is_drawn_of_a_run_and_of_the_paper(pesbench, fake_run, tmp_path):
    for run in (fake_run, "paper"):
        done = pesbench("plot", run, "--output", tmp_path / "speed")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "speed.svg").read_text().startswith("<?xml")
        assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_list_doctor_and_env_speak_json(pesbench):
    methods = json.loads(pesbench("list", "--json").stdout)
    assert "uff" in {method["method"] for method in methods}
    findings = json.loads(pesbench("doctor", "--json").stdout)
    states = {finding["method"]: finding["state"] for finding in findings["methods"]}
    assert set(states.values()) <= {"ready", "preparable", "blocked"}
    assert states["uff"] in ("ready", "preparable")
    assert findings["machine"]["parallel_speed"]["speed"] > 0
    assert isinstance(json.loads(pesbench("env", "--json").stdout), list)


def test_doctor_says_why_a_method_cannot_run_on_a_gpu_that_is_not_there(pesbench):
    findings = json.loads(pesbench("doctor", "--device", "cuda", "--json", PATH="/usr/bin:/bin").stdout)
    reasons = {finding["method"]: finding["reason"] for finding in findings["methods"]}
    assert reasons["uff"] == "uff runs on cpu only"


@pytest.mark.skipif(bool(accelerators.found("cuda")), reason="the environments of all methods would be made")
def test_prepare_without_names_takes_the_methods_that_run_measures_by_default(pesbench):
    done = pesbench("prepare", "--device", "cuda")
    assert done.returncode == 1, done.stderr
    said = [line.partition(":")[0] for line in done.stdout.splitlines() if ": not ready. " in line]
    assert said == [method.name for method in Catalogue().select(None)]


def test_a_folder_that_nobody_may_write_to_is_told_in_a_sentence(pesbench):
    told = refused(pesbench("pack", "uff", "--output", "/sys/kit.tar"))  # not even root may make files there
    assert "/sys/" in told and "see who may write there, or choose another place." in told


def test_a_cache_that_nobody_may_write_to_costs_only_the_methods_that_need_it(pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,architecture", "--structures", "naphthalene-gfn2"),
        *("--limit", "1", "--rounds", "1", "--threads", "1", "--no-repeats", "--json", "--output", tmp_path),
        PESBENCH_CACHE="/sys/pesbench",
    )
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["toy"]["structures"]["done"] == 1
    assert rows["architecture"]["failures"] == {"no-weights": 1}
    assert "could not be built with random weights: /sys/pesbench" in rows["architecture"]["message"]


@pytest.mark.parametrize("verb", list(verbs()))
def test_the_help_fits_a_narrow_terminal(verb, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    top = parser(verbs())
    (chosen,) = (one for one in top._actions if one.dest == "verb")
    text = chosen.choices[verb].format_help().partition("\nexample")[0]
    # a group of options that exclude each other cannot be broken
    assert not [line for line in text.splitlines() if len(line) > 60 and "(--" not in line]


def test_the_usage_of_a_verb_with_many_options_names_what_it_needs_alone():
    top = parser(verbs())
    (chosen,) = (one for one in top._actions if one.dest == "verb")
    usage = {name: one.format_usage() for name, one in chosen.choices.items()}
    assert usage["run"] == f"usage: {chosen.choices['run'].prog} [OPTION ...]\n"
    assert "--level NAME" in usage["reference"]
    assert "FILE" in usage["advise"]
    assert "--machine NAME" in usage["history"]
