"""What adapters do for a GPU, as far as it can be tested without one: knobs, placement, and where tensors are made."""

from __future__ import annotations

import ast
import json

import pytest

from bench.environments import knobs
from bench.environments.header import read_header
from bench.paths import adapters_dir

ADAPTERS = sorted(adapters_dir().glob("*.py"))
ON_CUDA = [path for path in ADAPTERS if any("cuda" in one.devices for one in read_header(path).methods.values())]
IN_FLOAT64 = {"grace", "pyscf_dft"}
"""What computes in float64 only, where TF32 changes nothing."""
CREATORS = {"tensor", "zeros", "ones", "empty", "full", "eye", "arange", "rand", "randn", "as_tensor", "from_numpy"}
NOT_MEASURED = {"make_random", "_tasks"}
"""Functions that run on the CPU, in a process that measures nothing."""


def functions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name not in NOT_MEASURED:
            yield node


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_a_tensor_is_made_on_the_device_or_moved_there(path):
    for function in functions(path):
        text = ast.unparse(function)
        assert "set_default_device" not in text
        assert "set_default_tensor_type" not in text
        made = [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) in {f"torch.{name}" for name in CREATORS}
            and "device" not in {word.arg for word in node.keywords}
        ]
        assert not made or ".to(self.device)" in text, f"{function.name}: {ast.unparse(made[0])}"


@pytest.mark.parametrize("path", ON_CUDA, ids=lambda path: path.stem)
def test_tf32_is_a_knob_on_a_gpu_only_unless_a_method_computes_in_float64(path):
    for method in read_header(path).methods.values():
        assert ("tf32" in knobs.values(method, "cuda")) == (path.stem not in IN_FLOAT64)
        assert "tf32" not in knobs.values(method, "cpu")


@pytest.mark.parametrize("knob", ["tf32=on", "kernel=cuequivariance"])
def test_a_knob_of_a_gpu_is_refused_on_the_cpu_in_one_sentence(pesbench, tmp_path, knob):
    done = pesbench(
        *("run", "--methods", "7net-0", "--device", "cpu", "--knob", knob, "--output", tmp_path),
        *("--structures", "naphthalene-gfn2"),
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"pesbench: 7net-0 has no knob {knob.partition('=')[0]!r} on cpu; it exists only on cuda."
    )
    assert list(tmp_path.iterdir()) == []


SCRIPT = """
import json, sys
from pathlib import Path
import torch
from bench.measure.loading import load_adapter

path, method, dtype = sys.argv[1:4]
adapter = load_adapter(path)
adapter.knobs = json.loads(sys.argv[4])
seen = {}
try:
    adapter.load(method, "cpu", dtype, 1, Path(sys.argv[5]) if len(sys.argv) > 5 else None)
except ImportError as error:
    seen["refused"] = str(error)
else:
    seen["error"] = adapter.product_error()
    seen["precision"] = adapter.settings()["float32_matmul_precision"]
    seen["cudnn"] = torch.backends.cudnn.allow_tf32
    seen["outside"] = sorted(
        name for module in adapter.model.modules() for name, value in vars(module).items()
        if isinstance(value, torch.Tensor)
    )
    adapter.model.to("meta")
    tensors = dict([*adapter.model.named_parameters(), *adapter.model.named_buffers()])
    seen["left"] = [name for name, tensor in tensors.items() if not tensor.is_meta]
    seen["moved"] = len(tensors)
print(json.dumps(seen))
"""


def loaded(in_environment, adapter, method, dtype, chosen, *more):
    """Return what an adapter does in its own environment with these values of its knobs."""
    done = in_environment(adapter, SCRIPT, method, dtype, json.dumps(chosen), *more)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.environment
@pytest.mark.parametrize(
    ("adapter", "method", "dtype", "outside"),
    [
        # upstream moves this table itself, in the first force call
        ("sevennet.py", "7net-0", "float32", ["z_to_onehot_tensor"]),
        ("so3lr.py", "so3lr", "float64", []),
        ("ani.py", "ani-1ccx", "float64", []),
        ("chgnet.py", "chgnet-0.3.0", "float32", []),
    ],
)
def test_a_model_moves_as_a_whole_and_its_products_are_as_the_knob_says(
    in_environment, adapter, method, dtype, outside
):
    seen = loaded(in_environment, adapter, method, dtype, {"tf32": "on"})
    assert seen["moved"] > 0
    assert seen["left"] == []
    assert seen["outside"] == outside
    assert (seen["precision"], seen["cudnn"]) == ("high", True)
    assert seen["error"] < 1e-5  # a CPU has no TF32
    assert loaded(in_environment, adapter, method, dtype, {"tf32": "off"})["precision"] == "highest"


@pytest.mark.environment
@pytest.mark.parametrize(
    ("adapter", "method", "more"),
    [("sevennet.py", "7net-0", ()), ("mace.py", "mace-mp-0-small", ("none.model",))],
)
def test_a_kernel_whose_package_is_missing_is_no_silent_fallback(in_environment, adapter, method, more):
    seen = loaded(in_environment, adapter, method, "float32", {"kernel": "cuequivariance"}, *more)
    assert "cuequivariance is not installed" in seen["refused"]
