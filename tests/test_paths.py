"""bench.paths: where things lie in a checkout, and where in an installation."""

import shutil
import sys
from pathlib import Path

import pytest

from bench import paths


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Make the package believe that it lies in site-packages, and work in an empty folder."""
    monkeypatch.setattr(paths, "PROJECT", tmp_path / "site-packages")
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_in_a_checkout_everything_stays_inside_it_wherever_it_is_called_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = paths.checkout()
    assert project is not None
    assert (project / "pyproject.toml").is_file()
    assert paths.adapters_dir() == project / "adapters"
    assert paths.datasets_dir() == project / "datasets"
    assert paths.results_dir() == paths.shipped_results_dir() == project / "results"
    assert paths.envs_dir() == project / ".envs"


def test_an_installation_brings_its_files_and_writes_into_the_cache_and_the_working_directory(installed):
    shipped = installed / "site-packages" / "bench" / "_shipped"
    shipped.mkdir(parents=True)
    # what others may have put into site-packages
    (installed / "site-packages" / "pyproject.toml").touch()
    (installed / "site-packages" / "adapters").mkdir()
    assert paths.checkout() is None
    assert paths.adapters_dir() == shipped / "adapters"
    assert paths.datasets_dir() == shipped / "datasets"
    assert paths.shipped_results_dir() == shipped / "results"
    assert paths.results_dir() == installed / "work" / "results"
    assert paths.envs_dir() == installed / "cache" / "envs"


def test_a_cache_that_is_named_relatively_does_not_move_with_the_working_directory(installed, monkeypatch):
    monkeypatch.setenv("PESBENCH_CACHE", "here")
    found = paths.cache_dir()
    monkeypatch.chdir("/")
    assert found == installed / "work" / "here"


def test_a_path_is_shown_relative_to_the_working_directory_only_where_it_lies_below(installed):
    assert str(paths.shown(installed / "work" / "results" / "a")) == "results/a"
    assert paths.shown(installed / "elsewhere") == installed / "elsewhere"


@pytest.mark.parametrize(
    ("started", "on_path", "said"),
    [
        ("/opt/tools/pesbench", "/opt/tools/pesbench", "pesbench"),
        ("/my work/.venv/bin/pesbench", None, "'/my work/.venv/bin/pesbench'"),
        ("/work/.venv/bin/pesbench", "/opt/tools/pesbench", "/work/.venv/bin/pesbench"),
        ("/work/bench/cli.py", None, f"{sys.executable} -m bench.cli"),
    ],
)
def test_a_run_is_continued_by_the_program_that_began_it(monkeypatch, started, on_path, said):
    monkeypatch.setattr(sys, "argv", [started])
    monkeypatch.setattr(shutil, "which", lambda name: on_path)
    assert paths.resume_command(paths.results_dir() / "20261122-101500") == f"{said} run --resume 20261122-101500"
    assert paths.resume_command(Path("/elsewhere/of mine/1")) == f"{said} run --resume '/elsewhere/of mine/1'"


def test_a_program_in_the_working_directory_is_told_in_short(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv" / "bin" / "pesbench")])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert paths.program() == ".venv/bin/pesbench"


def test_commands_in_a_text_are_told_as_they_can_be_typed_and_other_words_stay(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv" / "bin" / "pesbench")])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    text = "pesbench: there is no method; 'pesbench list' shows them, and pesbench measures.\n  pesbench list\n"
    said = "pesbench: there is no method; '.venv/bin/pesbench list' shows them, and pesbench measures.\n"
    assert paths.told(text) == f"{said}  .venv/bin/pesbench list\n"
    assert paths.told(paths.told(text)) == paths.told(text)
