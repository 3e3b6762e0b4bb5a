"""What the conformance kit says about headers that are wrong."""

import pytest

from bench.adapter import TorchAdapter
from bench.environments import checks as header_checks
from bench.environments.header import read_header

RIGHT = '''# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "torch==2.13.0"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
#
# [tool.pesbench]
# family = "X"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
#
# [tool.pesbench.methods.x]
# label = "X (level)"
# parameters = 10
# [tool.pesbench.methods.x.checkpoint]
# file = "x.pt"
# licence = "MIT"
# url = "https://example.org/x.pt"
# ///
"""X."""

import os

from bench.adapter import Adapter


class X(Adapter):
    """X."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator."""
        import x

        return x.calculator

    def count_parameters(self):
        """Return the count."""

    def peak_device_memory(self):
        """Return the bytes."""
'''


def failed(tmp_path, *changes):
    path = tmp_path / "x.py"
    text = RIGHT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    checks = header_checks.checks(read_header(path))
    assert all(bool(check.advice) == bool(check.figure) == (not check.passed) for check in checks)
    return {check.name: check.figure for check in checks if not check.passed}


def test_a_right_header_passes(tmp_path):
    assert failed(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "name", "figure"),
    [
        ("ase==3.29.0", "ase>=3.29", "dependencies have exact pins", "ase>=3.29"),
        ('exclude-newer = "2026-11-15T00:00:00Z"', "", "indirect dependencies are pinned to a day", "no exclude-newer"),
        ("2026-11-15T00:00:00Z", "P1W", "indirect dependencies are pinned to a day", "'P1W'"),
        ("torch = false", "torch = true", "torch's own wheels are allowed", "torch's own"),
        ('label = "X (level)"', "", "methods have labels", "x"),
        ('kind = "mlip"', 'kind = "dft"', "MLIPs have a checkpoint, others none", "x is dft with checkpoint"),
        ('"MIT"', '" "', "checkpoints have licence and origin", "x: no licence"),
        ('url = "https', 'url = "http', "checkpoints have licence and origin", "x: its url is not https"),
        ("file =", 'sha256 = "abc"\n# file =', "checkpoints have licence and origin", "64 hexadecimal digits"),
        ("file =", "shipped = true\n# file =", "checkpoints have licence and origin", "without sha256"),
        ("parameters = 10", 'conservative = "no"', "facts have their types", "x: conservative is not a boolean"),
        ("parameters = 10", "charge = 1", "facts have their types", "x: charge is not a boolean"),
        ("parameters = 10", 'parameters = "10 M"', "facts have their types", "x: parameters is not a whole number"),
        ("float32", "float16", "facts have their types", "x: dtype float16"),
        ("dtypes =", 'cuda-dependencies = ["cupy"]\n# dtypes =', "dependencies have exact pins", "cupy"),
        (
            "import os",
            "import bench.results.store",
            "only the interface of pesbench is imported",
            "bench.results.store",
        ),
        ("import os", "from . import y", "only the interface of pesbench is imported", "."),
        ("import os", "import torch", "nothing upstream is imported with the file", "torch"),
        ("def count", "def weigh", "the class has what the header promises", "X has no count_parameters()"),
        ("parameters = 10", "native = true", "the class has what the header promises", "X has no native_relax()"),
        ("X(Adapter)", "X", "the class has what the header promises", "0 subclasses"),
    ],
)
def test_each_fault_is_named(tmp_path, old, new, name, figure):
    found = failed(tmp_path, (old, new))
    assert list(found) == [name]
    assert figure in found[name]


TORCH = [
    ("import Adapter", "import TorchAdapter"),
    ("X(Adapter)", "X(TorchAdapter)"),
    ("def count_parameters", "def weigh"),
    ("def peak_device_memory", "def fill"),
]


def test_what_the_class_for_torch_brings_need_not_be_written_again(tmp_path):
    assert all(callable(vars(TorchAdapter)[name]) for name in header_checks.INHERITED["TorchAdapter"])
    assert failed(tmp_path, *TORCH) == {}
    lacks = failed(tmp_path, *TORCH, ("parameters = 10", "random-weights = true"))
    assert lacks == {"the class has what the header promises": "X has no make_random()"}


def test_a_file_that_is_no_python_is_told_with_the_line(tmp_path):
    found = failed(tmp_path, ("class X(Adapter):", "class X(Adapter)"))
    assert "line 30: expected ':'" in found["the class has what the header promises"]
