"""pesbench as people install it: from a wheel, called from an empty folder, with nothing of the project beside it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from uv import find_uv_bin

from bench.environments.uv import uv_environment
from bench.paths import PROJECT

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with an installed pesbench, an empty home, an empty cache and an empty working directory."""
    folder = tmp_path_factory.mktemp("installed")
    for name in ("home", "work", "tmp"):
        (folder / name).mkdir()
    environ = uv_environment()

    def uv(*arguments: str | Path) -> None:
        done = subprocess.run([find_uv_bin(), *map(str, arguments)], env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    # the wheel is made from the source distribution, so that both are known to be whole
    uv("build", "--out-dir", folder / "dist", PROJECT)
    (wheel,) = (folder / "dist").glob("*.whl")
    uv("venv", folder / "venv")
    uv("pip", "install", "--python", folder / "venv" / "bin" / "python", wheel)
    return folder


@pytest.fixture(scope="module")
def installed(place) -> Callable[..., subprocess.CompletedProcess]:
    """Return a function that calls the installed command in the working directory."""
    uv_cache = subprocess.run([find_uv_bin(), "cache", "dir"], capture_output=True, text=True, check=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PESBENCH_", "XDG_"))}
    environ |= {
        "HOME": str(place / "home"),
        "PESBENCH_CACHE": str(place / "cache"),
        "TMPDIR": str(place / "tmp"),
        "UV_CACHE_DIR": uv_cache.stdout.strip(),  # else each dependency would be fetched again
        "COLUMNS": "120",
    }

    def pesbench(*arguments: str) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [place / "venv" / "bin" / "pesbench", *arguments],
            cwd=place / "work",
            env=environ,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr
        return done

    return pesbench


@pytest.fixture(scope="module")
def table(installed) -> dict:
    """Return the table of a small run, as JSON."""
    campaign = ("--methods", "uff", "--structures", "naphthalene-gfn2", "--limit", "3", "--rounds", "1")
    return json.loads(installed("run", *campaign, "--no-repeats", "--json").stdout)


def test_a_run_is_measured_and_kept_in_the_working_directory(place, installed, table):
    (row,) = table["rows"]
    assert row["method"] == "uff"
    assert [path.name for path in (place / "work").iterdir()] == ["results"]
    assert len(list((place / "work" / "results").iterdir())) == 1
    assert json.loads(installed("table", "--format", "json").stdout)["rows"] == table["rows"]


def test_its_answers_are_held_against_the_baseline_that_came_along(table):
    assert table["rows"][0]["answers"] == []  # None where there is none


def test_the_published_table_and_the_methods_come_along(installed):
    published = json.loads(installed("table", "paper", "--format", "json").stdout)
    assert {"uff", "eqv2-m"} <= {row["method"] for row in published["rows"]}
    assert len(json.loads(installed("list", "--json").stdout)) > 20


def test_nothing_is_written_but_the_cache_and_the_working_directory(place, table):
    assert list((place / "home").rglob("*")) == []
    left = [path.name for path in (place / "tmp").iterdir()]
    assert left == ["pesbench-measuring"], "the file by which measurements wait for each other, and no more"
    assert (place / "cache" / "envs").is_dir()
