"""The energy counters: which are found, which reason is given where one is missing, and that no wrap is missed."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from powercap import Powered, cpuinfo, server, write, zone

from bench.core.description import EnergyCounter
from bench.machine.energy import Meter, NoCounter, packages

RANGE_UJ = 1_000_000  # a joule, so that a test can go around


def test_the_packages_are_summed_and_nothing_within_or_around_them(tmp_path):
    counters = server(tmp_path)
    meter = Meter(["cpu"], tmp_path)
    assert meter.facts == {"cpu": EnergyCounter(names=("package-0", "package-1"))}
    with meter.open(["cpu"]) as read:
        before = read()
        write(counters[0], 1000 + 3_000_000)
        write(counters[1], 1000 + 4_000_000)
        for name in ("intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:2", "intel-rapl-mmio:0"):
            write(counters[0].parents[1] / name / "energy_uj", 99_000_000)
        seconds, joules = read().since(before)
    assert joules == {"cpu": pytest.approx(7.0)}
    assert seconds > 0


def test_a_wrap_is_not_missed(tmp_path):
    counter = zone(tmp_path, "intel-rapl:0", "package-0", 900_000, RANGE_UJ)
    with Meter(["cpu"], tmp_path).open(["cpu"]) as read:
        before = read()
        write(counter, 100_000)
        assert read().since(before)[1]["cpu"] == pytest.approx(0.2)


@pytest.mark.parametrize(("sample_s", "joules"), [(0.01, 2.2), (60.0, 0.2)])
def test_two_wraps_between_two_readings_are_seen_by_the_thread_that_reads_in_between(tmp_path, sample_s, joules):
    counter = zone(tmp_path, "intel-rapl:0", "package-0", 900_000, RANGE_UJ)
    with Meter(["cpu"], tmp_path, sample_s).open(["cpu"]) as read:
        before = read()
        for value in (100_000, 600_000, 100_000, 600_000, 100_000):
            write(counter, value)
            time.sleep(0.3)
        assert read().since(before)[1]["cpu"] == pytest.approx(joules)


def test_the_idle_power_is_measured(tmp_path):
    counters = server(tmp_path)
    meter = Meter(["cpu"], tmp_path)
    with Powered({counters[0]: lambda: 30.0, counters[1]: lambda: 12.0}):
        meter.measure_idle(1.0)
    assert meter.facts["cpu"].idle_watts == pytest.approx(42.0, rel=0.2)


def test_a_counter_that_stands_still_is_refused_by_name(tmp_path):
    counters = server(tmp_path)
    meter = Meter(["cpu"], tmp_path)
    with Powered({counters[0]: lambda: 30.0}):
        meter.measure_idle(0.3)
    assert meter.facts["cpu"] == EnergyCounter(missing="the counter package-1 stands still")


def test_a_counter_that_disappears_is_left_out(tmp_path):
    counter = zone(tmp_path, "intel-rapl:0", "package-0")
    meter = Meter(["cpu"], tmp_path)
    with meter.open(["cpu"]) as read:
        before = read()
        counter.unlink()
        assert read().since(before)[1] == {}
    meter.measure_idle(0.0)
    assert meter.facts["cpu"].missing == "the counter package-0 cannot be read any more"


def test_without_a_counter_no_time_is_spent_on_idle_power(tmp_path, monkeypatch):
    cpuinfo(tmp_path, "hypervisor")
    meter = Meter(["cpu"], tmp_path)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it waited"))
    meter.measure_idle()
    assert meter.facts["cpu"].missing


@pytest.mark.parametrize(
    ("flags", "marker", "reason"),
    [
        ("sse2 hypervisor", None, "no powercap here: a virtual machine"),
        ("sse2", "sys/hypervisor/type", "no powercap here: a virtual machine"),
        ("sse2", ".dockerenv", "no powercap here: a container, which hides it"),
        ("sse2", "run/.containerenv", "no powercap here: a container, which hides it"),
        ("sse2", None, "no powercap here: the kernel module intel_rapl_msr is not loaded, or does not know this CPU"),
        (None, None, "no powercap here: only Linux has it"),
    ],
)
def test_where_there_is_no_powercap_the_reason_says_why(tmp_path, flags, marker, reason):
    if flags is not None:
        cpuinfo(tmp_path, flags)
    if marker is not None:
        (tmp_path / marker).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / marker).touch()
    assert Meter(["cpu"], tmp_path).facts["cpu"] == EnergyCounter(missing=reason)


def test_a_tree_without_a_package_says_so(tmp_path):
    cpuinfo(tmp_path, "hypervisor")
    zone(tmp_path, "intel-rapl:0", "psys")
    assert Meter(["cpu"], tmp_path).facts["cpu"].missing == "powercap has no CPU package here: a virtual machine"


def test_a_damaged_counter_is_named(tmp_path):
    counter = zone(tmp_path, "intel-rapl:0", "package-0")
    counter.write_text("what?\n")
    with pytest.raises(NoCounter, match=r"intel-rapl:0/energy_uj cannot be read"):
        packages(tmp_path)


@contextlib.contextmanager
def readable_folder():
    """Make a folder that every user may enter; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(action):
    """Return the text that `action` returns in a child process without root's rights, which no permission binds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writing, action().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text


def test_a_missing_permission_is_told_with_the_command_that_gives_it():
    with readable_folder() as root:
        for counter in server(root):
            counter.chmod(0o400)
        (root / "sys/class/powercap/intel-rapl:1/energy_uj").chmod(0o000)
        folder = root / "sys/class/powercap"
        said = as_nobody(lambda: Meter(["cpu"], root).facts["cpu"].missing)
        command = f"sudo chmod a+r {folder}/*/energy_uj"
        first = "intel-rapl:1" if os.geteuid() else "intel-rapl:0"  # a user can read what belongs to him
        assert said == f"no permission to read {folder}/{first}/energy_uj; '{command}' gives it until the next boot"
        subprocess.run(command.removeprefix("sudo "), shell=True, check=True)
        assert as_nobody(lambda: str(Meter(["cpu"], root).facts["cpu"].names)) == "('package-0', 'package-1')"


NVML = r"""
#include <string.h>
static char gpus[2];
static unsigned long long millijoules[2] = {5000, 9000};
int nvmlInit_v2(void) { return 0; }
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = gpus + index; return 0; }
int nvmlDeviceGetHandleByUUID(const char *name, void **device)
{
    *device = gpus + 1;
    return strcmp(name, "GPU-b") ? 6 : 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned length)
{
    strcpy(name, (char *)device == gpus ? "X" : SECOND);
    return 0;
}
const char *nvmlErrorString(int error) { return "Not Found"; }
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *energy)
{
    int index = (char *)device - gpus;
    millijoules[index] += 1500 * (index + 1);
    *energy = millijoules[index];
    return 0;
}
"""
"""A driver's library with two GPUs: from one reading to the next, they use 1.5 and 3 J."""
READ_GPU = """
from pathlib import Path
from bench.machine.energy import Meter
meter = Meter(["cuda"], Path("/nowhere"))
print(meter.facts["cuda"].names, meter.facts["cuda"].missing, sep="; ")
with meter.open(["cuda"]) as read:
    before = read()
    print(read().since(before)[1])
"""
UNCLEAR = "(); the driver counts no energy of it (the GPUs are of different makes; set CUDA_DEVICE_ORDER=PCI_BUS_ID)"


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, for a library in the place of NVIDIA's")
@pytest.mark.parametrize(
    ("second", "environ", "found", "used"),
    [
        ("X", {}, "('GPU',); ", "{'cuda': 1.5}"),
        ("X", {"CUDA_VISIBLE_DEVICES": "1,0"}, "('GPU',); ", "{'cuda': 3.0}"),
        ("Y", {"CUDA_VISIBLE_DEVICES": "GPU-b"}, "('GPU',); ", "{'cuda': 3.0}"),
        ("X", {"CUDA_VISIBLE_DEVICES": "GPU-c"}, "(); the driver counts no energy of it (Not Found)", "{}"),
        ("X", {"CUDA_VISIBLE_DEVICES": "7"}, "(); the driver counts no energy of it (there is no such GPU)", "{}"),
        ("Y", {}, UNCLEAR, "{}"),
        ("Y", {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "('GPU',); ", "{'cuda': 1.5}"),
    ],
)
def test_the_counter_of_the_gpu_that_the_worker_uses_is_read_through_the_drivers_library(
    tmp_path, second, environ, found, used
):
    (tmp_path / "nvml.c").write_text(NVML)
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", f'-DSECOND="{second}"', "-shared", "-fPIC", "-o", library, tmp_path / "nvml.c"], check=True)
    others = {name: value for name, value in os.environ.items() if not name.startswith("CUDA_")}
    done = subprocess.run(
        [sys.executable, "-c", READ_GPU],
        env={**others, **environ, "LD_LIBRARY_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [found, used]


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a driver")
def test_without_a_driver_the_gpu_has_no_counter_and_the_reason_says_so(tmp_path):
    said = Meter(["cuda"], tmp_path).facts["cuda"].missing
    assert said == "the driver counts no energy of it (NVML Shared Library Not Found)"
