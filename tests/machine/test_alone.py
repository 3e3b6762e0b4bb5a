"""Two measurements on one machine: the second waits, and says for whom."""

import os
import subprocess
import sys
import time

HOLD = """
import sys, time
from bench.machine import alone
alone.hold(sys.argv[1], lambda line: print(line, flush=True), sys.argv[2] == "beside")
print("measures", alone.beside() or "alone", flush=True)
time.sleep(float(sys.argv[3]))
"""


def begin(folder, name, how, seconds):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, name, how, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    return process, process.stdout.readline().strip()


def rest_of(process):
    # not communicate(): it would miss what readline() has read ahead
    rest = process.stdout.read().strip()
    process.wait(timeout=600)
    return rest


def test_the_second_waits_for_the_first_and_says_for_whom(tmp_path):
    first, said = begin(tmp_path, "pesbench run", "alone", 60)
    try:
        assert said == "measures alone"
        second, said = begin(tmp_path, "pesbench tune", "alone", 0)
        assert said.startswith("waiting for pesbench run of ")
        assert f"(process {first.pid})" in said
        time.sleep(1.5)
        assert second.poll() is None, "it waits"
    finally:
        first.kill()  # the lock does not outlive a process, however it ends
        first.wait()
    assert rest_of(second) == "measures alone"


def test_beside_measures_at_once_and_tells(tmp_path):
    first, _ = begin(tmp_path, "pesbench run", "alone", 60)
    try:
        second, said = begin(tmp_path, "pesbench run", "beside", 0)
        assert said.startswith("measuring beside pesbench run of ")
        assert rest_of(second).startswith("measures pesbench run of ")
    finally:
        first.kill()
        first.wait()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_waits(tmp_path):
    (tmp_path / "pesbench-measuring").mkdir()
    process, said = begin(tmp_path, "pesbench run", "alone", 0)
    assert said.startswith("cannot find out whether another pesbench measures here")
    assert rest_of(process) == "measures alone"
