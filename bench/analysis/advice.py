"""What to change where something fails on a GPU: patterns in the messages of CUDA, torch, JAX, TensorFlow and uv."""

from __future__ import annotations

import re

ADVICE: dict[str, tuple[str, str]] = {
    "out of memory": (
        r"out of memory|RESOURCE_EXHAUSTED|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|OutOfMemoryError",
        "the GPU has no memory left: end other programs that use it (nvidia-smi lists them), or take a smaller model",
    ),
    "driver too old": (
        r"driver (?:version )?is (?:insufficient|too old)|NVIDIA driver on your system is too old|"
        r"CUDA_ERROR_(?:UNSUPPORTED_PTX_VERSION|SYSTEM_DRIVER_MISMATCH|COMPAT_NOT_SUPPORTED)|"
        r"PTX was compiled with an unsupported toolchain|error 35\b",
        "the driver is older than the CUDA that this build needs: update the driver, or make the environment with an "
        "older CUDA, for example --torch-backend cu126 (nvidia-smi shows the newest CUDA that the driver knows)",
    ),
    "no kernel for this GPU": (
        r"no kernel image is available|CUDA_ERROR_NO_BINARY_FOR_GPU|is not compatible with the current PyTorch|"
        r"unsupported gpu architecture|no binary for GPU",
        "this build has no kernels for this GPU, which is too new or too old for it: take another with "
        "--torch-backend (cu126 still has Volta and Pascal; the newest one has the newest GPUs)",
    ),
    "a CPU build": (
        r"not compiled with CUDA enabled|Torch not compiled with|Unknown backend:? '?cuda|"
        r"unable to (?:initialize|find) backend '?cuda|no supported devices found for platform CUDA|"
        r"CUDA-enabled jaxlib is not installed",
        "this is a build for the CPU: name the CUDA build with --torch-backend cu128; for JAX, the environment needs "
        "jax-cuda12-plugin, which is in cuda-dependencies of the adapter's header",
    ),
    "a library is missing": (
        r"cannot open shared object file|Could not load library|libcu\w+(?:\.so)?[\w.]* (?:not found|cannot)|"
        r"Cannot dlopen some GPU libraries|Could not find cuda drivers|undefined symbol|DSO load|dlopen",
        "a library of CUDA is missing or of another version: unset LD_LIBRARY_PATH, so that the environment's own "
        "libraries are found, and remove the environment with 'pesbench env' before another try",
    ),
    "no GPU to be seen": (
        r"No CUDA GPUs are available|no CUDA-capable device|CUDA_ERROR_NO_DEVICE|invalid device ordinal|"
        r"is_available\(\) (?:is|should be)|CUDA unknown error|Found no NVIDIA driver|finds no device|"
        r"chose the device cpu",
        "the method sees no GPU: look at CUDA_VISIBLE_DEVICES, at nvidia-smi and, in a container, at whether it was "
        "started with the GPUs (docker run --gpus all)",
    ),
    "the GPU is taken": (
        r"busy or unavailable|CUDA_ERROR_DEVICE_UNAVAILABLE",
        "another process holds the GPU in exclusive mode: end it, or set the mode with 'nvidia-smi -c DEFAULT'",
    ),
    "no compiler": (
        r"Failed to find C compiler|C\+\+ compiler|InvalidCxxCompiler|Python\.h: No such file",
        "Triton and torch.compile need a C compiler and Python's headers: apt-get install build-essential python3-dev",
    ),
    "no index": (
        r"Failed to fetch|dns error|failed to lookup address|client error \(Connect\)|index cannot be reached|"
        r"No solution found|not found in the package registry",
        "the environment's packages are unavailable here: check the network and the proxy, or name an interpreter that "
        "has them with --python METHOD=PATH",
    ),
    "no room": (
        r"No space left on device|Disk quota exceeded|os error 28",
        "the disk is full: an environment for a GPU takes up to 8 GB; set PESBENCH_CACHE and UV_CACHE_DIR to a "
        "larger disk",
    ),
    "no checkpoint": (
        r"checkpoint .* is not here|is not here|needs its checkpoint|--trust-checkpoint|HF_TOKEN|gated",
        "put the checkpoint into PESBENCH_WEIGHTS, or leave --weights at auto, which measures random ones",
    ),
    "another device": (
        r"runs on \w+(?: and \w+)* only",
        "it does not run on this kind of device: leave it out; 'pesbench list' shows what runs where",
    ),
    "too slow": (
        r"no sign of life|no output for|was not done after|did not finish in the time|the time was over",
        "it was not done in time: give more with --minutes, or name fewer methods",
    ),
    "a crash": (
        r"died of SIG(?:SEGV|ABRT|BUS|ILL)|illegal memory access|device-side assert|misaligned address",
        "the method's libraries crashed: run it alone with CUDA_LAUNCH_BLOCKING=1, and read its log",
    ),
}
"""By what happened: a pattern of the message, and what to change. The first that fits counts."""


def advice(message: str) -> str | None:
    """Return what to change after a failure, by its message; None where no pattern fits."""
    for pattern, what in ADVICE.values():
        if re.search(pattern, message, re.IGNORECASE):
            return what
    return None
