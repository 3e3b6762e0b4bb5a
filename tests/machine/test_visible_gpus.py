"""Which GPUs there are for a worker: those of nvidia-smi, as far as CUDA_VISIBLE_DEVICES shows them."""

import pytest

from bench.core.device import Device
from bench.machine import accelerators

SMI = """#!/bin/sh
case "$1" in
  --query-gpu=name) printf 'NVIDIA A\\nNVIDIA B\\n' ;;
  --query-gpu=uuid) printf 'GPU-11aa\\nGPU-22bb\\n' ;;
esac
"""


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """Put a program in the place of nvidia-smi that tells of two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text(SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        (None, ["NVIDIA A", "NVIDIA B"]),
        ("", []),
        ("-1", []),
        ("1", ["NVIDIA B"]),
        ("1,0", ["NVIDIA B", "NVIDIA A"]),
        ("0,5,1", ["NVIDIA A"]),
        ("GPU-22", ["NVIDIA B"]),
        ("GPU-", []),
        ("MIG-3c", ["a part of a GPU"]),
    ],
)
def test_the_variable_hides_and_orders_gpus_as_cuda_does(two_gpus, monkeypatch, shown, names):
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert accelerators.found("cuda") == names


@pytest.mark.parametrize(
    ("device", "shown", "says"),
    [
        ("cuda:1", None, None),
        ("cuda:7", None, "there is no cuda:7: this machine shows 2 GPUs"),
        ("cuda:1", "1", "there is no cuda:1: this machine shows 1 GPU (CUDA_VISIBLE_DEVICES is '1')"),
        ("cuda", "", "nvidia-smi shows no GPU on this machine (CUDA_VISIBLE_DEVICES is '')"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_the_reason(two_gpus, monkeypatch, device, shown, says):
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert accelerators.missing(Device.parse(device)) == says


def test_a_worker_on_a_gpu_keeps_the_users_choice_and_one_on_the_cpu_sees_none():
    assert "CUDA_VISIBLE_DEVICES" not in Device.parse("cuda:1").variables()
    assert Device.parse("cpu").variables()["CUDA_VISIBLE_DEVICES"] == ""


def test_a_verb_refuses_such_a_device_in_one_sentence(two_gpus, pesbench, tmp_path):
    done = pesbench("check-gpu", "--device", "cuda:7", "--output", tmp_path / "results", "uff")
    assert done.returncode == 2
    assert done.stderr == (
        "pesbench: there is no cuda:7: this machine shows 2 GPUs; 'pesbench check-gpu --device cpu uff' shows here "
        "what it would do.\n"
    )
