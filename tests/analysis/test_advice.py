"""What to change after a failure on a GPU: messages as CUDA, torch, JAX, TensorFlow and uv write them."""

import pytest

from bench.analysis.advice import ADVICE, advice

MESSAGES = [
    ("out of memory", "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity"),
    ("out of memory", "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 4096 bytes."),
    ("out of memory", "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    (
        "driver too old",
        "RuntimeError: The NVIDIA driver on your system is too old (found version 12020). Please update",
    ),
    ("driver too old", "CUDA driver version is insufficient for CUDA runtime version"),
    ("no kernel for this GPU", "RuntimeError: CUDA error: no kernel image is available for execution on the device"),
    ("no kernel for this GPU", "NVIDIA B300 with CUDA capability sm_103 is not compatible with the current PyTorch"),
    ("a CPU build", "AssertionError: Torch not compiled with CUDA enabled"),
    ("a CPU build", "RuntimeError: Unable to initialize backend 'cuda': Backend 'cuda' is not in the list of known"),
    ("a library is missing", "ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory"),
    ("a library is missing", "ImportError: libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4"),
    ("no GPU to be seen", "RuntimeError: No CUDA GPUs are available"),
    ("no GPU to be seen", "RuntimeError: Found no NVIDIA driver on your system."),
    ("no GPU to be seen", "RuntimeError: TensorFlow finds no device cuda:0, only 0 GPUs"),
    ("the GPU is taken", "RuntimeError: CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
    ("no compiler", "RuntimeError: Failed to find C compiler. Please specify via CC environment variable"),
    ("no index", "error: Request failed after 3 retries Caused by: Failed to fetch: the index"),
    ("no room", "error: failed to extract: No space left on device (os error 28)"),
    ("another device", "uff runs on cpu only"),
    ("too slow", "no output for 120 s; terminated"),
    ("a crash", "died of SIGSEGV"),
    ("a crash", "CUDA error: an illegal memory access was encountered"),
]


@pytest.mark.parametrize(("kind", "message"), MESSAGES, ids=[message[:40] for _, message in MESSAGES])
def test_a_message_is_known_by_what_happened(kind, message):
    assert advice(message) == ADVICE[kind][1]


def test_every_pattern_but_that_of_checkpoints_has_a_message_here():
    assert {kind for kind, _ in MESSAGES} == set(ADVICE) - {"no checkpoint"}


def test_the_message_of_a_checkpoint_that_is_missing_is_ours(request):
    from bench.environments.catalogue import Catalogue
    from bench.environments.checkpoints import CheckpointMissing, find

    method = Catalogue([request.path.parents[1] / "fakes" / "fakes.py"]).methods["needs-weights"]
    with pytest.raises(CheckpointMissing) as missing:
        find(method)
    assert advice(str(missing.value)) == ADVICE["no checkpoint"][1]


def test_an_unknown_message_gets_no_advice():
    assert advice("the weather is fine") is None
