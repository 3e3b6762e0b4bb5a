"""One worker process, and how it ends."""

import os
import signal
import sys
import time

import psutil
import pytest

from bench.core import message
from bench.core.message import Beat, Done
from bench.core.task import MEASURE, Subject, Task
from bench.engine.local import LocalWorker

READ_TASK = "import sys, os, time; sys.stdin.readline();"
TASK = Task(MEASURE, Subject("x.py", "toy", "toy", "cpu", "float64", threads=1, seed=0))
BEAT = message.to_json(Beat(3, 7)).encode() + b"\n"
DONE = message.to_json(Done()).encode() + b"\n"


@pytest.fixture
def worker(tmp_path):
    def start(code, timeout_s=30.0, memory_limit=10**12):
        command = [sys.executable, "-c", READ_TASK + code]
        return LocalWorker(command, dict(os.environ), TASK, tmp_path / "log", timeout_s, memory_limit)

    return start


def test_a_message_arrives_whole_even_where_it_is_written_in_pieces(worker):
    code = f"os.write(1, {BEAT[:9]!r}); time.sleep(0.4); os.write(1, {BEAT[9:] + DONE!r})"
    started = worker(code)
    assert list(started.messages()) == [Beat(3, 7)]
    assert started.failure() is None


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "os._exit(0)"])
def test_a_worker_that_ends_with_status_0_before_it_was_done_has_failed(worker, ending):
    started = worker(f"os.write(1, {BEAT!r}); {ending}")
    assert list(started.messages()) == [Beat(3, 7)]
    assert started.failure().kind == "crash"
    assert started.failure().message == "ended with status 0 before it was done"


def test_what_happens_after_a_worker_was_done_is_no_failure(worker):
    started = worker(f"os.write(1, {DONE!r}); os.kill(os.getpid(), 11)")
    assert list(started.messages()) == []
    assert started.failure() is None


def test_a_worker_that_talks_nonsense_is_ended(worker):
    started = worker("os.write(1, b'Hello!\\n'); time.sleep(60)")
    assert list(started.messages()) == []
    assert "it sent a message that cannot be read" in started.failure().message


def test_a_worker_that_dies_of_a_signal_is_a_crash_with_its_last_words(worker):
    started = worker("sys.stderr.write('the last words\\n'); sys.stderr.flush(); os.kill(os.getpid(), 11)")
    assert list(started.messages()) == []
    assert started.failure().kind == "crash"
    assert started.failure().message == "died of SIGSEGV: the last words"


def test_a_worker_that_ends_with_a_status_is_a_crash(worker):
    started = worker("sys.exit(3)")
    list(started.messages())
    assert started.failure().message == "ended with status 3"


def test_a_silent_worker_is_ended(worker):
    started = worker("time.sleep(600)", timeout_s=0.5)
    begin = time.monotonic()
    list(started.messages())
    assert started.failure().kind == "timeout"
    assert time.monotonic() - begin < 300


def test_a_worker_that_gives_signs_of_life_is_not_ended(worker):
    started = worker(f"[(time.sleep(1), os.write(1, {BEAT!r})) for _ in range(5)]; os.write(1, {DONE!r})", timeout_s=4)
    assert len(list(started.messages())) == 5
    assert started.failure() is None


def test_a_worker_that_takes_too_much_memory_is_ended(worker):
    started = worker("hoard = b'x' * 200_000_000; time.sleep(60)", memory_limit=100_000_000)
    list(started.messages())
    assert started.failure().kind == "out-of-memory"
    assert "limit is 0.1 GB" in started.failure().message


def test_the_memory_of_a_workers_children_counts(worker):
    child = "import time; hoard = bytes(200_000_000).replace(bytes(1), bytes([1])); time.sleep(60)"
    code = f"import subprocess; subprocess.run([sys.executable, '-c', {child!r}])"
    started = worker(code, memory_limit=100_000_000)
    list(started.messages())
    assert started.failure().kind == "out-of-memory"


def test_stopping_a_worker_ends_its_children_too(worker):
    started = worker(f"import subprocess; subprocess.Popen(['sleep', '60']); os.write(1, {BEAT!r}); time.sleep(60)")
    messages = started.messages()
    next(messages)
    children = psutil.Process(started.process.pid).children()
    assert children
    started.stop()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert started.process.returncode == -signal.SIGKILL
