"""Copies on a disk of this machine: complete or absent, made once, and of no use to anybody else's files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench import paths
from bench.environments.environments import STAMP
from bench.environments.scratch import NoScratch, Scratch
from bench.errors import BadInput

WHERE = "import sys, os; print(sys.prefix, sys.base_prefix, os.__file__, sep='\\n')"


def make_environment(folder, python=sys.executable):
    """Make a real environment with a script and the file that pesbench leaves in its own."""
    subprocess.run([str(python), "-m", "venv", "--without-pip", str(folder)], check=True)
    script = folder / "bin" / "tool"
    script.write_text(f"#!{folder}/bin/python\nimport sys; print(sys.prefix)\n")
    script.chmod(0o755)
    (folder / STAMP).write_text("{}")
    return folder / "bin" / "python"


@pytest.fixture
def python(tmp_path):
    return make_environment(tmp_path / "shared" / "toy-cpu-0123456789")


def asked(python, code=WHERE):
    done = subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def left_over(folder):
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


def test_a_copied_environment_works_without_the_one_it_was_copied_from(python, tmp_path):
    copied = Scratch(tmp_path / "scratch").environment(python)
    shutil.rmtree(tmp_path / "shared")
    assert asked(copied)[0] == str(copied.parents[1])
    assert copied.is_relative_to(tmp_path / "scratch")
    tool = subprocess.run([str(copied.with_name("tool"))], capture_output=True, text=True, check=True)
    assert tool.stdout.strip() == str(copied.parents[1])


def test_uvs_own_interpreter_is_copied_too(tmp_path):
    base = Path(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    fetched = tmp_path / "shared" / "python" / "cpython-3-linux"
    (fetched / "bin").mkdir(parents=True)
    shutil.copy2(Path(sys.executable).resolve(), fetched / "bin" / version)
    for library in base.glob("lib/libpython*"):  # where the interpreter is a shared library
        (fetched / "lib").mkdir(exist_ok=True)
        shutil.copy2(library, fetched / "lib")
    leave_out = shutil.ignore_patterns("site-packages", "test", "idlelib", "tkinter", "__pycache__", "config-*")
    shutil.copytree(base / "lib" / version, fetched / "lib" / version, ignore=leave_out)
    python = make_environment(tmp_path / "shared" / "toy-cpu-0123456789", fetched / "bin" / version)
    assert asked(python)[1] == str(fetched)
    copied = Scratch(tmp_path / "scratch").environment(python)
    shutil.rmtree(tmp_path / "shared")
    prefix, base_prefix, library = asked(copied)
    assert prefix == str(copied.parents[1])
    assert Path(base_prefix).is_relative_to(tmp_path / "scratch")
    assert Path(library).is_relative_to(tmp_path / "scratch")


def test_a_finished_copy_is_used_again_until_the_environment_changes(python, tmp_path):
    said = []
    scratch = Scratch(tmp_path / "scratch", said.append)
    first = scratch.environment(python)
    assert scratch.environment(python) == first
    assert said == [f"copying {python.parents[1].name} to {tmp_path / 'scratch'}"]
    (package,) = python.parents[1].glob("lib/python*/site-packages")
    (package / "another-1.0.dist-info").mkdir()
    second = scratch.environment(python)
    assert second != first
    assert list(second.parents[1].glob("lib/python*/site-packages/another-1.0.dist-info"))


def test_an_interpreter_that_pesbench_did_not_make_stays_where_it_is(python, tmp_path):
    (python.parents[1] / STAMP).unlink()
    assert Scratch(tmp_path / "scratch").environment(python) is None


def test_checkpoints_keep_their_names_and_are_told_apart_by_what_is_in_them(tmp_path):
    scratch = Scratch(tmp_path / "scratch")
    one, folder = tmp_path / "model.pt", tmp_path / "saved"
    one.write_bytes(b"one")
    folder.mkdir()
    (folder / "weights").write_bytes(b"two")
    first, second = scratch.checkpoint(one, "a" * 64), scratch.checkpoint(one, "b" * 64)
    assert first != second and first.name == second.name == "model.pt"
    assert first.read_bytes() == b"one"
    assert (scratch.checkpoint(folder, None) / "weights").read_bytes() == b"two"


def test_jobs_that_come_at_once_make_one_copy(tmp_path):
    source = tmp_path / "model.pt"
    source.write_bytes(os.urandom(1 << 22))
    said = []

    def copy(_):
        return Scratch(tmp_path / "scratch", said.append).checkpoint(source, "a" * 64)

    with ThreadPoolExecutor(8) as pool:
        copies = set(pool.map(copy, range(8)))
    assert len(copies) == len(said) == 1
    assert copies.pop().read_bytes() == source.read_bytes()


SLOW = """
import shutil, sys, time
from pathlib import Path
from bench.environments.scratch import Scratch
copy = shutil.copy2
def slowly(here, there):
    copy(here, there)
    print("one", flush=True)
    time.sleep(60)
shutil.copy2 = slowly
Scratch(Path(sys.argv[1])).checkpoint(Path(sys.argv[2]), "a" * 64)
"""


def test_a_job_that_is_killed_in_the_middle_leaves_no_half_copy_in_use(tmp_path):
    source = tmp_path / "saved"
    source.mkdir()
    for name in ("one", "two"):
        (source / name).write_text(name)
    words = [sys.executable, "-c", SLOW, str(tmp_path / "scratch"), str(source)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=paths.PROJECT) as process:
        assert process.stdout.readline() == b"one\n"
        process.send_signal(signal.SIGKILL)
    assert left_over(tmp_path / "scratch")
    copied = Scratch(tmp_path / "scratch").checkpoint(source, "a" * 64)
    assert {path.name for path in copied.iterdir()} == {"one", "two"}
    assert not left_over(tmp_path / "scratch")


def test_a_full_disk_is_told_with_its_name_and_nothing_is_left(tmp_path):
    disk, source = tmp_path / "disk", tmp_path / "model.pt"
    disk.mkdir()
    source.write_bytes(bytes(1 << 22))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        scratch = Scratch(disk)
        with pytest.raises(NoScratch) as refused:
            scratch.checkpoint(source, "a" * 64)
        assert str(refused.value) == f"model.pt cannot be copied to {disk} (PESBENCH_SCRATCH): No space left on device"
        assert not left_over(disk)
        shutil.rmtree(scratch.root)
        folder = tmp_path / "saved"
        folder.mkdir()
        shutil.copy2(source, folder)
        with pytest.raises(NoScratch, match=r"saved cannot be copied .*No space left"):
            Scratch(disk).checkpoint(folder, "b" * 64)
        assert not left_over(disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_place_that_is_no_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NoScratch, match=r"file \(PESBENCH_SCRATCH\) cannot be written to: Not a directory"):
        Scratch(tmp_path / "file")


def test_a_folder_that_others_can_change_is_not_used(tmp_path):
    folder = tmp_path / f"pesbench-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(NoScratch, match="can be changed by other users"):
        Scratch(tmp_path)
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoScratch, match="can be changed by other users"):
        Scratch(tmp_path)


def test_variables_get_their_values_on_the_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("JOB", "17")
    monkeypatch.setenv("PESBENCH_SCRATCH", f"{tmp_path}/$JOB")
    assert paths.scratch_dir() == tmp_path / "17"
    monkeypatch.delenv("JOB")
    folder = paths.scratch_dir()
    with pytest.raises(NoScratch, match=r"\$JOB, and a variable in it is not set on this machine"):
        Scratch(folder)
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("PESBENCH_SCRATCH", "scratch")
    with pytest.raises(BadInput, match="PESBENCH_SCRATCH names scratch; give a whole path"):
        paths.scratch_dir()
    monkeypatch.delenv("PESBENCH_SCRATCH")
    assert paths.scratch_dir() is None
