"""What MatterSim's loader would let pass: a checkpoint without one of the model's parameters."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.environment

SCRIPT = """
import sys
from pathlib import Path
import torch
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
path = Path(sys.argv[2])
adapter.make_random("mattersim-v1-1m", path, 0)
checkpoint = torch.load(path)
del checkpoint["model"]["final.g.0.linear.weight"]
torch.save(checkpoint, path)
try:
    adapter.load("mattersim-v1-1m", "cpu", "float32", 1, path)
except ValueError as error:
    print(error)
"""


def test_a_parameter_that_the_file_lacks_is_an_error_and_not_a_random_one(in_environment, tmp_path):
    done = in_environment("mattersim.py", SCRIPT, tmp_path / "broken.pth")
    assert "broken.pth lacks 1 parameters of MatterSim, such as final.g.0.linear.weight" in done.stdout
