"""The plain script of a row: every shipped adapter has one, it runs alone, and it computes what the adapter does."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from ase.build import molecule

from bench.core.settings import Settings
from bench.core.task import SCRIPT, Criterion, Molecule, Structure, Subject, Task, Told
from bench.engine.script import write
from bench.environments.catalogue import Catalogue
from bench.measure.loading import load_adapter
from bench.paths import PROJECT, adapters_dir

FAKES, SCRIPTED, TUNABLE = (PROJECT / "tests" / "fakes" / name for name in ("fakes.py", "scripted.py", "tunable.py"))
EMBEDDED = ("--structures", "naphthalene-gfn2")
CATALOGUE = Catalogue()


def tasks_of(method):
    """Tasks for a method: each device, kind of weights, optimiser, and each value of each knob."""
    water = Molecule.of(molecule("H2O"), {"charge": 1, "spin": 2} if method.charge else None)
    for device in method.devices:
        knobs = {name: knob.values[0] for name, knob in method.knobs_on(device).items()}
        others = [{**knobs, name: value} for name, knob in method.knobs_on(device).items() for value in knob.values]
        for number, chosen in enumerate([knobs, *others]):
            subject = Subject(
                adapter=str(method.adapter),
                method=method.name,
                known_as=method.name,
                device=device,
                dtype=method.dtypes[-1],
                threads=2,
                seed=0,
                cpus=(0, 1) if number else (),
                checkpoint="/weights/it's" if number or not shipped(method) else None,
                native=method.native,
                knobs=chosen,
            )
            yield Task(
                SCRIPT,
                subject,
                told=Told(weights=("pretrained", "random")[number % 2] if method.random_weights else "none"),
                systems=(water,),
                structures=(Structure(0, water),),
                criterion=Criterion(("BFGS", "CG")[number % 2], 0.05, 500),
            )


def shipped(method):
    return method.checkpoint is None or method.checkpoint.shipped


@pytest.mark.parametrize("name", [name for name, one in CATALOGUE.methods.items()])
def test_every_shipped_method_has_a_script_that_compiles_and_imports_nothing_of_pesbench(name):
    method = CATALOGUE.methods[name]
    for task in tasks_of(method):
        adapter = load_adapter(method.adapter)
        adapter.reference, adapter.knobs = task.reference.atoms(), task.subject.knobs
        checkpoint = Path(task.subject.checkpoint) if task.subject.checkpoint else None
        lines = adapter.script(name, task.subject.device, task.subject.dtype, 2, checkpoint)
        text = write(task, lines, "# head", Settings(methods=(name,)), repeats=2)
        compile(text, name, "exec")
        assert not {found.split(".")[0] for found in imports(text)} & {"bench", "pesbench"}
        assert not re.search(r"\bbench\b", text)
        assert "calculator = " in text


def imports(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_the_knobs_of_the_row_are_those_of_the_script():
    method = CATALOGUE.methods["orb-v3-conservative-inf-omat"]
    adapter = load_adapter(method.adapter)
    for value in ("on", "off"):
        adapter.knobs = {"compile": value, "edge-method": "knn_scipy"}
        text = adapter.script(method.name, "cpu", "float32", 1, Path("x.ckpt"))
        assert f"compile={value == 'on'}" in text
        assert "edge_method='knn_scipy'" in text
        assert adapter._options("cpu", "float32")["compile"] is (value == "on")


@pytest.mark.parametrize(
    ("method", "dtype", "knob", "on", "off"),
    [
        ("mattersim-v1-5m", "float32", "stress", "compute_stress=True", "compute_stress=False"),
        ("uma-s-1p2", "float32", "stress", "auto_add_default_untrained_tasks=True", "'regress_stress': False"),
        ("pet-mad-1.5-s", "float32", "stress", "UPETCalculator(", '["do_gradients_with_energy"] = False'),
        ("pet-mad-1.5-s", "float32", "uncertainty", "UPETCalculator(", "uncertainty_threshold=None"),
    ],
)
def test_a_script_leaves_out_what_the_row_leaves_out_and_nothing_else(method, dtype, knob, on, off):
    adapter = load_adapter(CATALOGUE.methods[method].adapter)
    texts = {}
    for value in ("on", "off"):
        adapter.knobs = {knob: value}
        texts[value] = adapter.script(method, "cpu", dtype, 1, Path("x.ckpt"))
    assert on in texts["on"]
    assert off not in texts["on"]
    assert off in texts["off"]


@pytest.mark.parametrize("method", ["toy", "toy-native"])
def test_the_printed_command_runs_the_script_and_it_makes_the_steps_of_the_row(pesbench, tmp_path, method):
    done = pesbench("script", method, "--adapter", FAKES, *EMBEDDED, "--repeats", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "script.py").write_text(done.stdout)
    command = done.stderr.splitlines()[-1].strip()
    assert f"#   {command}" in done.stdout.splitlines()
    ran = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    printed = [re.fullmatch(r"(\d+) steps, [\d.e-]+ ms/step", line) for line in ran.stdout.splitlines()]
    assert len(printed) == 2 and all(printed)
    row = pesbench(
        *("run", "--adapter", FAKES, "--methods", method, *EMBEDDED, "--limit", "1", "--rounds", "1", "--threads", "1"),
        *("--output", tmp_path / "runs", "--json"),
    )
    steps = json.loads(row.stdout)["rows"][0]["steps_per_structure"]
    assert {int(found[1]) for found in printed} == {steps}


def test_random_weights_make_force_calls_along_the_path_of_the_row_and_say_so(pesbench, tmp_path):
    file = tmp_path / "replay.py"
    done = pesbench(
        *("script", "architecture", "--adapter", FAKES, *EMBEDDED, "--weights", "random", "--repeats", "1"),
        *("--output", file),
        PESBENCH_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 0, done.stderr
    assert "With random weights a relaxation means nothing" in file.read_text()
    ran = subprocess.run(done.stderr.splitlines()[-1], shell=True, capture_output=True, text=True)
    assert re.fullmatch(r"10 force calls, [\d.e-]+ ms/force call\n", ran.stdout), ran.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("always-fails", "--adapter", FAKES), "fakes.py does not say how a plain script loads always-fails"),
        (("toy", "--adapter", FAKES, "--index", "999"), "naphthalene-gfn2 has no structure 999; it has 0 to 100."),
        (("toy", "--adapter", FAKES, "--repeats", "0"), "--repeats is 0; it must be a number above zero."),
        (("toy,toy-native", "--adapter", FAKES), "a script is for one method; name one."),
        (("needs-weights", "--adapter", FAKES), "needs-weights cannot run here: "),
    ],
)
def test_bad_input_is_one_sentence(pesbench, tmp_path, arguments, sentence):
    done = pesbench("script", *arguments, *EMBEDDED, "--output", tmp_path / "x.py")
    assert done.returncode == 2
    assert sentence in done.stderr.splitlines()[-1]
    assert not (tmp_path / "x.py").exists()


@pytest.mark.parametrize("plain", [(), ("--plain", "relax")])
def test_a_file_s_name_stays_in_the_comment_and_what_it_says_in_vain_is_listed(pesbench, tmp_path, plain):
    file = tmp_path / "new\nraise SystemExit('ran').xyz"
    file.write_text("2\nfoo=7\nH 0 0 0\nH 0 0 0.74\n")
    done = pesbench("script", "slower-than-its-script", "--adapter", SCRIPTED, "--structures", file, *plain)
    assert done.returncode == 0, done.stderr
    assert "raise SystemExit" not in ast.unparse(ast.parse(done.stdout))
    assert "not used: the key 'foo'" in done.stderr


def test_overhead_finds_a_row_that_takes_twice_and_in_a_shell_four_times_as_long_as_its_script(pesbench):
    done = pesbench(
        *("overhead", "--methods", "slower-than-its-script", "--adapter", SCRIPTED, *EMBEDDED),
        *("--limit", "2", "--json"),
    )
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    # all of them sleep; a busy machine adds to each step, and so brings the ratios nearer to 1
    assert found["row_over_script"]["estimate"] == pytest.approx(2, rel=0.25)
    assert found["row_over_shell"]["estimate"] == pytest.approx(4, rel=0.35)
    assert found["ratio"]["estimate"] == pytest.approx(1, rel=0.15)
    assert found["row_ms_per_step"] == pytest.approx(104, rel=0.2)
    assert found["steps_differ"] == 0


def test_overhead_says_that_a_script_does_not_do_the_same(pesbench):
    done = pesbench(
        *("overhead", "--methods", "another-than-its-script", "--adapter", SCRIPTED, *EMBEDDED, "--limit", "1")
    )
    assert done.returncode == 0, done.stderr
    assert "the script made another number of steps than the harness in 1 of 1 rounds" in " ".join(done.stderr.split())


COMPARE = """
import json, runpy, sys
from pathlib import Path
from bench.measure.loading import load_adapter

path, method, file = sys.argv[1:4]
scope = runpy.run_path(file)
mine = scope["structure"].copy()
scope.get("prepare", lambda atoms: None)(mine)
mine.calc = scope["calculator"]
found = [mine.get_potential_energy(), mine.get_forces().tolist()]
adapter = load_adapter(path)
adapter.reference, adapter.knobs = scope["reference"], json.loads(sys.argv[4])
calculator = adapter.load(method, "cpu", sys.argv[5], 1, None)
atoms = adapter.prepare(scope["structure"].copy())
atoms.calc = adapter.new_structure(calculator, atoms)
print(json.dumps([found, [atoms.get_potential_energy(), atoms.get_forces().tolist()]]))
"""


@pytest.mark.environment
@pytest.mark.parametrize(
    ("name", "tolerance"), [("uff", 1e-9), ("gfn2-xtb", 1e-8), ("7net-0", 1e-4)]
)  # a float32 model adds up in another order
def test_energy_and_forces_are_those_of_the_adapter(pesbench, method_python, tmp_path, name, tolerance):
    method = CATALOGUE.methods[name]
    file = tmp_path / "script.py"
    done = pesbench("script", name, *EMBEDDED, "--repeats", "1", "--max-steps", "1", "--output", file)
    assert done.returncode == 0, done.stderr
    knobs = {knob: told.values[0] for knob, told in method.knobs_on("cpu").items()}
    ran = subprocess.run(
        [
            *(method_python(method.adapter.name), "-c", COMPARE, adapters_dir() / method.adapter.name, name, file),
            *(json.dumps(knobs), method.dtypes[0]),
        ],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    (energy, forces), (expected, by_adapter) = json.loads(ran.stdout.splitlines()[-1])
    assert energy == pytest.approx(expected, abs=tolerance)
    for mine, theirs in zip(forces, by_adapter, strict=True):
        assert mine == pytest.approx(theirs, abs=tolerance)
