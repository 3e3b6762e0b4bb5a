"""How long a process waited for a core, by the kernel's account: with a real neighbour on the same core."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="this system does not count how long threads wait"
)

SPIN = (
    "import os, time\nos.sched_setaffinity(0, {CPU})\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"
)
MEASURE = """
import os, time
os.sched_setaffinity(0, {CPU})
from bench.measure.waiting import Waiting
waiting = Waiting()
for _ in range(COUNT):
    waiting.begin()
    end = time.process_time() + 0.2
    while time.process_time() < end: pass
    waiting.stop()
    print(waiting.waited_ns / waiting.measured_ns, waiting.was_long(), flush=True)
"""


def measured(cpu, count=1):
    words = MEASURE.replace("CPU", str(cpu)).replace("COUNT", str(count))
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    return [(float(share), long == "True") for share, long in map(str.split, done.stdout.splitlines())]


@pytest.fixture
def cpu():
    return max(os.sched_getaffinity(0))


def test_a_neighbour_on_the_same_core_costs_half_of_the_time_and_the_kernel_says_so(cpu):
    neighbour = subprocess.Popen([sys.executable, "-c", SPIN.replace("CPU", str(cpu))])
    try:
        ((share, long),) = measured(cpu)
    finally:
        neighbour.kill()
        neighbour.wait()
    assert share > 0.3
    assert long


def test_what_is_usual_for_a_method_disturbs_nothing(cpu):
    """Threads of one process that compete with each other wait everywhere: to measure again would not help."""
    neighbour = subprocess.Popen([sys.executable, "-c", SPIN.replace("CPU", str(cpu))])
    try:
        found = measured(cpu, 4)
    finally:
        neighbour.kill()
        neighbour.wait()
    assert found[0][1]
    assert not any(long for _, long in found[1:])


def test_where_the_system_does_not_count_nothing_is_claimed(monkeypatch, tmp_path):
    from bench.measure import waiting

    monkeypatch.setattr(waiting, "_TASKS", tmp_path / "nothing")
    monkeypatch.setattr(waiting, "_STAT", tmp_path / "nothing")
    one = waiting.Waiting()
    one.stop()
    assert one.waited_ns is None
    assert one.stolen_ns is None
    assert not one.was_long()


def test_a_thread_that_began_meanwhile_counts_from_its_begin(monkeypatch, tmp_path):
    from bench.measure import waiting

    def write(**threads):
        for name, waited in threads.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "schedstat").write_text(f"1 {waited} 1\n")

    monkeypatch.setattr(waiting, "_TASKS", tmp_path)
    write(one=1_000)
    watched = waiting.Waiting()
    write(one=1_500, two=700)
    watched.stop()
    assert watched.waited_ns == 500 + 700
