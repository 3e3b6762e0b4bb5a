"""The watch: what it calls a disturbance, and that it sees a real one."""

import os
import subprocess
import sys
import time

import pytest

from bench.machine.watch import Watch, disturbances

QUIET = {
    "seconds": 10.0,
    "cpus": 2,
    "foreign_cores": 0.02,
    "stolen_cores": 0.0,
    "clock_mhz": (3000.0, 2950.0),
    "throttled": 0,
    "swapped_bytes": 0,
    "free_memory_share": 0.8,
    "loop_speed": (30000.0, 29000.0),
    "foreign_gpu_processes": 0,
}


def test_a_quiet_machine_disturbs_nothing():
    assert disturbances(QUIET, 30000.0) == ()
    silent = {"clock_mhz": None, "throttled": None, "foreign_gpu_processes": None}
    assert disturbances(QUIET | silent, 30000.0) == ()


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"foreign_cores": 0.95}, "other processes used 0.9 of 2 CPUs"),
        ({"stolen_cores": 0.1}, "the host withheld 10 % of a CPU"),
        ({"loop_speed": (30000.0, 15000.0)}, "a plain loop ran at 50 % of its usual speed"),
        ({"clock_mhz": (3000.0, 2000.0)}, "the clock fell from 3000 to 2000 MHz"),
        ({"throttled": 3}, "the CPU was throttled for heat"),
        ({"swapped_bytes": 5_000_000}, "memory was read back from swap (5 MB)"),
        ({"free_memory_share": 0.01}, "1 % of the memory was free"),
        ({"foreign_gpu_processes": 1}, "1 other process(es) on the GPU"),
    ],
)
def test_a_disturbance_is_named(facts, says):
    assert disturbances(QUIET | facts, 30000.0) == (says,)


def test_what_a_few_percent_of_a_large_machine_do_is_no_disturbance():
    assert disturbances(QUIET | {"cpus": 64, "foreign_cores": 3.0}, 30000.0) == ()


def test_a_few_hundredths_of_a_second_are_chance():
    assert disturbances(QUIET | {"seconds": 0.14, "foreign_cores": 0.42, "stolen_cores": 0.1}, 30000.0) == ()


BUSY = "import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass"


def seen(watch):
    """Return what is seen while a child of ours works, and then while a process works that is nobody's child here."""
    # its parent ends at once
    launcher = (
        "import subprocess, sys; quiet = subprocess.DEVNULL; "
        f"print(subprocess.Popen([sys.executable, '-c', {BUSY!r}], stdout=quiet, stderr=quiet).pid)"
    )
    before = watch.look()
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)
    own = watch.since(before)
    done = subprocess.run([sys.executable, "-c", launcher], capture_output=True, text=True, check=True)
    try:
        before = watch.look()
        time.sleep(2)
        disturbed = watch.since(before)
    finally:
        os.kill(int(done.stdout), 9)
    return own, disturbed


def test_a_foreign_process_is_seen_and_our_own_children_are_not():
    watch = Watch()
    for _ in range(5):  # what else runs here may begin or end between the two looks
        own, disturbed = seen(watch)
        if disturbed["foreign_cores"] > own["foreign_cores"] + 0.3:
            break
    else:
        if own["foreign_cores"] > watch.count - 1:
            pytest.skip("other processes fill this machine, so that one more cannot be seen")
        pytest.fail(f"{disturbed['foreign_cores']} foreign cores, and {own['foreign_cores']} beside a child of ours")
    assert disturbed["foreign_cores"] > 0.4
    if watch.count <= 4:
        assert any("other processes used" in reason for reason in disturbed["disturbed"])


def test_a_child_that_still_computes_is_our_own():
    watch = Watch()
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        before = after = watch.look()
        deadline = time.monotonic() + 60  # on a busy machine it gets little of a core
        while after.own_s - before.own_s <= 0.2 and time.monotonic() < deadline:
            time.sleep(1)
            after = watch.look()
    finally:
        child.kill()
        child.wait()
    assert after.own_s - before.own_s > 0.2
    assert watch.look().own_s >= after.own_s  # and nothing of it twice, nor lost when it ends
    assert watch.look().own_s - after.own_s < 0.5
