"""Environments on top of an interpreter that the user has: its frameworks are used, what it lacks is installed."""

import dataclasses
import json
import subprocess
import sys

import pytest

from bench import paths
from bench.environments import environments, interpreters
from bench.environments.header import read_header
from bench.environments.interpreters import Interpreter
from bench.environments.uv import EnvironmentFailed, run_uv

HEADER = """# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.13.0", "six==1.17.0", "toolz==1.0.0"]
# [tool.pesbench]
# family = "Small"
# kind = "mlip"
# [tool.pesbench.methods.small]
# ///
"""
ON_ANOTHER_MACHINE = Interpreter(None, "3.12", (), {"torch": "2.6.0+cu124", "numpy": "1.26.4", "scipy": "1.14.0"})


@pytest.fixture
def header(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "envs_dir", lambda: tmp_path / "envs")
    (tmp_path / "small.py").write_text(HEADER)
    return read_header(tmp_path / "small.py")


@pytest.fixture
def python(tmp_path):
    """An interpreter with six 1.16, toolz 1.0, and a torch of a site's own build."""
    folder = tmp_path / "site"
    run_uv("venv", "--quiet", "--python", sys.executable, str(folder))
    run_uv("pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), "six==1.16.0", "toolz==1.0.0")
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "torch.py").write_text("HERE = __file__\n")
    (site / "torch-2.6.0+site7.dist-info").mkdir()
    (site / "torch-2.6.0+site7.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 2.6.0+site7\n"
    )
    return folder / "bin" / "python"


def test_what_is_there_is_used_and_only_what_is_missing_is_installed(header, python):
    base = interpreters.ask(python)
    said = []
    made = environments.prepare(header, say=said.append, base=base)
    assert f"on top of {python}" in said[0]
    code = "import six, toolz, torch, threadpoolctl; print(six.__version__, six.__file__, toolz.__file__, torch.HERE)"
    done = subprocess.run([made.python, "-I", "-c", code], capture_output=True, text=True, check=True)
    version, six, toolz, torch = done.stdout.split()
    own = str(made.python.parents[1])
    assert version == "1.17.0" and six.startswith(own)
    assert toolz.startswith(base.folders[0]) and torch.startswith(base.folders[0])
    assert not list(made.python.parents[1].glob("lib/python*/site-packages/toolz"))
    assert made.differences == ("torch 2.6.0+site7 instead of ==2.13.0",)
    assert "torch 2.6.0+site7, toolz 1.0.0" in made.facts()["on_top_of"]
    assert environments.prepare(header, base=base) == made, "a made environment is found again"
    assert environments.ready(header, "cpu") is None, "it is not the environment of the header alone"


def test_an_interpreter_that_has_changed_gets_a_new_environment(header, python):
    before = interpreters.ask(python)
    run_uv("pip", "install", "--quiet", "--python", str(python), "six==1.17.0")
    interpreters._ask.cache_clear()
    assert environments.directory(header, "cpu", None, before) != environments.directory(
        header, "cpu", None, interpreters.ask(python)
    )


def test_what_pythonpath_adds_counts_unless_the_interpreter_runs_isolated(python, tmp_path, monkeypatch):
    module = tmp_path / "module"
    (module / "jax-0.4.30.dist-info").mkdir(parents=True)
    (module / "jax-0.4.30.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: jax\nVersion: 0.4.30\n")
    monkeypatch.setenv("PYTHONPATH", str(module))
    monkeypatch.chdir(module)
    interpreters._ask.cache_clear()
    assert interpreters.ask(python).frameworks == {"torch": "2.6.0+site7", "jax": "0.4.30"}
    assert "jax" not in interpreters.ask(python, isolated=True).packages
    monkeypatch.delenv("PYTHONPATH")
    interpreters._ask.cache_clear()
    assert "jax" not in interpreters.ask(python).packages, "the working directory does not count"


def test_with_numpy_2_instead_of_1_nothing_but_the_frameworks_is_taken():
    same = ["numpy==1.26.4", "scipy==1.14.0", "six==1.17.0", "torch==2.6.0"]
    assert ON_ANOTHER_MACHINE.split(same) == (["six==1.17.0"], ["numpy==1.26.4", "scipy==1.14.0", "torch==2.6.0"])
    near = ["numpy==1.26.0", "scipy==1.14.0", "torch==2.6.0"]
    assert ON_ANOTHER_MACHINE.split(near) == (["numpy==1.26.0"], ["scipy==1.14.0", "torch==2.6.0"])
    other = ["numpy==2.4.6", "scipy==1.14.0", "torch==2.6.0"]
    assert ON_ANOTHER_MACHINE.split(other) == (["numpy==2.4.6", "scipy==1.14.0"], ["torch==2.6.0"])


def test_jax_for_another_cuda_is_not_installed_beside_the_one_that_is_there():
    site = dataclasses.replace(
        ON_ANOTHER_MACHINE, packages={"jax": "0.11.2", "jaxlib": "0.11.2", "jax-cuda13-plugin": "0.11.2"}
    )
    assert site.is_framework("jax-cuda12-plugin[with-cuda]==0.10.2")
    assert not site.is_framework("torch==2.13.0")
    assert set(site.excluded) == {"jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin"}
    assert site.split(["jax-cuda12-plugin==0.10.2", "toolz==1.0.0"])[0] == ["toolz==1.0.0"]


def test_a_list_of_packages_stands_for_an_interpreter_elsewhere(tmp_path):
    file = tmp_path / "there.json"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True
    )
    file.write_text(done.stdout)
    assert interpreters.listed(file, "3.12").packages["pip"]
    for wrong in ("", "{}", "[1]", json.dumps([{"name": "six"}])):
        file.write_text(wrong)
        with pytest.raises(EnvironmentFailed, match="is not a list of packages"):
            interpreters.listed(file, "3.12")


def test_an_interpreter_that_does_not_run_or_is_too_old_is_refused(tmp_path):
    with pytest.raises(EnvironmentFailed, match="is not a working Python"):
        interpreters.ask("/bin/false")
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\necho \'{"version": [3, 9, 2], "folders": [], "packages": {}}\'\n')
    old.chmod(0o755)
    with pytest.raises(EnvironmentFailed, match=r"is Python 3\.9\.2; pesbench needs 3\.11"):
        interpreters.ask(old)


@pytest.mark.parametrize("verb", ["run", "prepare", "pack", "check-gpu"])
def test_every_verb_that_takes_one_refuses_a_wrong_one(pesbench, tmp_path, verb):
    more = ("--methods", "uff", "--output", tmp_path) if verb == "run" else ("uff",)
    more += ("--device", "cpu") if verb == "check-gpu" else ()
    done = pesbench(verb, *more, "--on-top-of", "/bin/false", cwd=tmp_path)
    assert done.returncode == 2
    assert "--on-top-of: /bin/false is not a working Python" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_environment_variable_names_one_too(pesbench, tmp_path):
    done = pesbench("run", "--methods", "uff", "--output", tmp_path, PESBENCH_ON_TOP_OF="/bin/false")
    assert done.returncode == 2
    assert "PESBENCH_ON_TOP_OF: /bin/false is not a working Python" in done.stderr


def test_verbs_without_the_option_take_it_from_the_variable(pesbench):
    done = pesbench("conform", "uff", PESBENCH_ON_TOP_OF="/bin/false")
    assert done.returncode == 1
    assert "/bin/false is not a working Python" in " ".join(done.stdout.split())


def test_a_difference_is_told_once_and_not_in_each_round(pesbench, tmp_path):
    fakes = paths.PROJECT / "tests" / "fakes" / "fakes.py"
    header = fakes.read_text().replace("ase==3.29.0", "ase==3.28.0", 1)
    assert header != fakes.read_text()
    (tmp_path / "fakes.py").write_text(header)
    done = pesbench(
        *("run", "--adapter", tmp_path / "fakes.py", "--methods", "toy", "--python", f"toy={sys.executable}"),
        *("--structures", "naphthalene-gfn2", "--limit", "1", "--rounds", "3", "--no-repeats", "--threads", "1"),
        *("--output", tmp_path / "runs"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("ase 3.29.0 instead of ==3.28.0") == 1
