"""Method environments: made from the header, remade when it changes, listed and removed."""

import json
import subprocess
import time

import pytest

from bench import paths
from bench.commands import env
from bench.environments import environments, resolution
from bench.environments.header import read_header
from bench.environments.optimizers import optimizers
from bench.environments.uv import EnvironmentFailed, uv_environment

HEADER = """# /// script
# requires-python = ">=3.11"
# dependencies = [{}]
# [tool.pesbench]
# family = "Small"
# kind = "mlip"
# [tool.pesbench.methods.small]
# ///
"""


@pytest.fixture
def adapter(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "envs_dir", lambda: tmp_path / "envs")

    def write(dependencies):
        path = tmp_path / "small.py"
        path.write_text(HEADER.format(dependencies))
        return read_header(path)

    return write


def test_pips_settings_are_passed_on_to_uv_where_uv_has_none():
    pip = {
        "PIP_FIND_LINKS": "/wheels /more",
        "PIP_INDEX_URL": "https://mirror/index",
        "PIP_EXTRA_INDEX_URL": "https://extra/index",
        "PIP_CERT": "/cert.pem",
    }
    uv = uv_environment(pip)
    assert uv["UV_FIND_LINKS"] == "/wheels,/more"
    assert uv["UV_DEFAULT_INDEX"] == "https://mirror/index"
    assert uv["UV_INDEX"] == "https://extra/index"
    assert uv["SSL_CERT_FILE"] == "/cert.pem"
    assert uv_environment({**pip, "UV_INDEX_URL": "https://mine/index"}).get("UV_DEFAULT_INDEX") is None
    assert uv_environment({**pip, "UV_FIND_LINKS": "/mine"})["UV_FIND_LINKS"] == "/mine"


def test_an_active_environment_of_the_user_does_not_leak_into_uv():
    uv = uv_environment({"VIRTUAL_ENV": "/somewhere", "PYTHONPATH": "/elsewhere"})
    assert "VIRTUAL_ENV" not in uv
    assert "PYTHONPATH" not in uv


def test_an_environment_is_made_once_and_then_found_without_uv(adapter, monkeypatch):
    header = adapter('"six==1.16.0"')
    said = []
    made = environments.prepare(header, say=said.append)
    found = subprocess.run(
        [made.python, "-c", "import six, threadpoolctl; print(six.__version__)"], capture_output=True
    )
    assert found.stdout == b"1.16.0\n"
    assert len(said) == 1
    monkeypatch.setattr(environments, "run_uv", lambda *arguments: pytest.fail("uv was called again"))
    assert environments.prepare(header, say=said.append) == made
    assert len(said) == 1


def test_a_changed_header_makes_a_new_environment_and_the_old_one_is_stale(adapter):
    first = adapter('"six==1.16.0"')
    environments.prepare(first)
    second = adapter('"six==1.17.0"')
    assert environments.ready(second, "cpu") is None
    environments.prepare(second)
    listing = {entry["digest"]: entry["stale"] for entry in environments.listing([second])}
    assert listing == {first.digest: True, second.digest: False}
    for entry in environments.listing([second]):
        if entry["stale"]:
            environments.remove(entry["name"])
    assert environments.ready(first, "cpu") is None
    assert environments.ready(second, "cpu") is not None


def test_an_environment_that_cannot_be_made_says_why_and_leaves_nothing_behind(adapter):
    header = adapter('"six==99.0"')
    with pytest.raises(EnvironmentFailed, match=r"six==99\.0"):
        environments.prepare(header)
    assert environments.ready(header, "cpu") is None
    assert environments.listing([header]) == []


def test_an_environment_that_is_not_made_in_time_says_so_and_leaves_nothing_behind(adapter, tmp_path):
    header = adapter('"six"')
    with pytest.raises(EnvironmentFailed, match="did not finish in the time that was left"):
        environments.prepare(header, until=time.monotonic())
    assert environments.listing([header]) == []
    with pytest.raises(EnvironmentFailed, match="did not finish in the time that was left"):
        resolution.resolve(header, "cpu", "3.12", tmp_path, until=time.monotonic())


def test_the_cuda_variant_is_an_environment_of_its_own(adapter):
    header = adapter('"six==1.16.0"')
    assert environments.directory(header, "cuda", None) != environments.directory(header, "cpu", None)
    assert environments.directory(header, "cuda:1", None) == environments.directory(header, "cuda", None)
    assert environments.directory(header, "cpu", "cu128") != environments.directory(header, "cpu", None)


def test_a_cpu_environment_takes_the_cpu_build_of_torch_unless_the_user_has_a_wheel(adapter, monkeypatch):
    header = adapter('"torch==2.13.0"')
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    assert list(resolution.backends(header, "cpu", None)) == ["cpu", None]
    assert list(resolution.backends(header, "cpu", "cu128")) == ["cu128"]
    assert list(resolution.backends(header, "cuda", None)) == ["auto", None]
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    assert list(resolution.backends(header, "cpu", None)) == [None]
    assert list(resolution.backends(adapter('"six==1.16.0"'), "cpu", "cu128")) == [None]


def test_the_environment_of_an_optimiser_is_in_use_and_the_size_is_that_of_its_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "envs_dir", lambda: tmp_path)
    header = optimizers()["Berny"].header
    folder = tmp_path / "berny"
    (folder / "lib").mkdir(parents=True)
    stamp = json.dumps({"family": header.family, "device": "cpu", "digest": header.digest})
    (folder / environments.STAMP).write_text(stamp)
    (folder / "lib" / "large").write_bytes(bytes(100_000))
    (folder / "lib64").symlink_to("lib")
    env.run(env.Options(json=True))
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["stale"]) == ("berny", False)
    assert found["bytes"] == 100_000 + len(stamp) + len("lib"), "a link is counted as the link, once"


def test_sizes_are_added_up_again_only_where_packages_came_or_went(adapter, tmp_path, monkeypatch):
    header = adapter("")
    folder = environments.directory(header, "cpu", None)
    site = folder / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (folder / environments.STAMP).write_text(json.dumps({"digest": header.digest}))
    (site / "one.py").write_text("1" * 1000)
    (before,) = environments.listing([header])
    assert before["bytes"] >= 1000
    counted = []
    monkeypatch.setattr(environments, "_bytes", lambda folder: counted.append(folder) or 7)
    assert environments.listing([header]) == [before]
    assert not counted
    (site / "two.py").touch()
    (after,) = environments.listing([header])
    assert (after["bytes"], counted) == (7, [folder])
    (folder.parent / environments.SIZES).write_text("{")
    assert environments.listing([header]) == [after], "a damaged file is made anew"
