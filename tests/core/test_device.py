"""Devices: their names, what a worker on one is told, and what it is compared with."""

import pytest

from bench.core.device import Device
from bench.errors import BadInput


@pytest.mark.parametrize(
    ("text", "exact", "label"),
    [("cpu", "cpu", "CPU"), ("cuda", "cuda:0", "GPU"), ("cuda:1", "cuda:1", "GPU 1")],
)
def test_a_device_is_read(text, exact, label):
    device = Device.parse(text)
    assert (device.exact, device.label) == (exact, label)


@pytest.mark.parametrize("text", ["tpu", "cuda:one", "cpu:1", "cuda:", "", "cuda:-1"])
def test_a_device_that_there_is_not_is_named(text):
    with pytest.raises(BadInput, match=r"there is no device .*; use cpu, cuda or cuda:N\."):
        Device.parse(text)


def test_a_worker_on_the_cpu_finds_no_gpu():
    assert Device.parse("cpu").variables() == {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    assert "CUDA_VISIBLE_DEVICES" not in Device.parse("cuda:1").variables()
