"""What a worker reports about its own process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.measure import process

MB = 1 << 20
WORKER = """
import json, resource, subprocess, sys
sys.path.insert(0, {project!r})
from bench.measure import process
before, by_the_old_rule = process.peak_memory(), 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
held = b"x" * (150 << 20)
after = process.peak_memory()
subprocess.run([sys.executable, "-c", "held = b'x' * (400 << 20)"])
print(json.dumps([before, by_the_old_rule, after, process.peak_memory()]))
"""


def test_of_two_versions_in_the_search_path_the_one_that_is_imported_is_reported(tmp_path, monkeypatch):
    for folder, version in (("own", "2.4.6"), ("base", "2.5.2")):
        about = tmp_path / folder / f"thing-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "own"), str(tmp_path / "base"), *sys.path])
    assert process.versions()["thing"] == "2.4.6"
    assert process.versions()["numpy"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps no such account")
def test_the_memory_of_a_large_harness_is_not_the_workers():
    held = b"x" * (600 * MB)  # such as a large structure file
    code = WORKER.format(project=str(Path(__file__).parents[2]))
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    before, by_the_old_rule, after, with_a_child = json.loads(done.stdout)
    assert len(held) < by_the_old_rule, "this is what went wrong"
    assert 5 * MB < before < 100 * MB
    assert 150 * MB < after - before + 1 * MB < 170 * MB, "its own memory counts"
    assert 400 * MB < with_a_child < 450 * MB, "and that of its programs"


def test_without_the_kernels_account_the_larger_figure_is_used(monkeypatch):
    monkeypatch.setattr(process, "_kilobytes", lambda file, name: None)
    assert process.peak_memory() > 5 * MB
