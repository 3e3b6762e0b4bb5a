"""What machine this is, its cores and accelerators, and the commit of the checkout."""

import os
import subprocess

import pytest

from bench import paths
from bench.core.description import ParallelSpeed
from bench.core.device import DEVICES, Device
from bench.machine import accelerators, cores, provenance


def test_the_machine_is_described_with_the_parallel_speed_that_was_measured():
    found = provenance.machine(ParallelSpeed(2, 1.9))
    assert found.cpu
    assert 1 <= found.usable_cores <= found.logical_cores
    assert found.memory_bytes > 1e8
    assert found.parallel_speed == ParallelSpeed(2, 1.9)


@pytest.mark.parametrize(
    ("threads", "speed", "default"), [(4, 3.9, 4), (4, 3.4, 4), (4, 2.9, 3), (4, 1.2, 1), (2, 1.0, 1), (1, 1.0, 1)]
)
def test_as_many_threads_are_used_as_cores_were_really_there(threads, speed, default):
    assert cores.default_threads(ParallelSpeed(threads, speed)) == default


def test_each_kind_of_accelerator_can_be_looked_at():
    assert accelerators.ACCELERATORS.keys() == {name for name, kind in DEVICES.items() if kind.accelerator}


def test_the_cpu_is_always_here_and_has_no_processes_to_count():
    cpu = Device.parse("cpu")
    assert accelerators.missing(cpu) is None
    assert accelerators.processes(cpu) is None


@pytest.fixture
def two_gpus(monkeypatch, tmp_path):
    """Put an nvidia-smi on PATH that names two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf 'NVIDIA H100\\nNVIDIA H100\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_a_gpu_is_here_if_the_driver_names_as_many(two_gpus):
    assert accelerators.found("cuda") == ["NVIDIA H100", "NVIDIA H100"]
    assert provenance.machine().gpus == ("NVIDIA H100", "NVIDIA H100")
    assert accelerators.missing(Device.parse("cuda:1")) is None
    assert "no cuda:2" in accelerators.missing(Device.parse("cuda:2"))


def test_without_a_driver_there_is_no_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert accelerators.all_found() == []
    assert accelerators.missing(Device.parse("cuda")) == "nvidia-smi shows no GPU on this machine"


def test_the_repository_that_an_installation_lies_in_is_not_taken_for_ours(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "theirs"], check=True)
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    assert provenance.commit() == {"commit": None, "dirty": None}
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "adapters").mkdir()
    assert len(provenance.commit()["commit"]) == 40


def test_looking_for_changes_does_not_write_into_the_repository(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (tmp_path / "adapters").mkdir()
    file = tmp_path / "pyproject.toml"
    file.touch()
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "ours"], check=True)
    os.utime(file, (1, 1))  # the same content at another time: a plain status would write this into the index
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    index = tmp_path / ".git" / "index"
    before = index.read_bytes()
    assert provenance.commit()["dirty"] is False
    assert index.read_bytes() == before
