"""A real Slurm with two nodes on this machine, started for the tests and ended after them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import local_slurm


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    if why := local_slurm.missing():
        pytest.skip(why)
    with local_slurm.started(tmp_path_factory.mktemp("slurm")) as made:
        yield made


@pytest.fixture
def queue(slurm):
    """Return the Slurm with both nodes idle and nothing in the queue, and leave it so."""
    slurm.idle()
    yield slurm
    subprocess.run(["scancel", "--user=root"], env={**os.environ, **slurm.environ}, capture_output=True)
    for name in ("n1", "n2"):
        if not (slurm.folder / f"d-{name}.pid").exists():
            slurm.start_node(name)
        subprocess.run(
            ["scontrol", "update", f"nodename={name}", "state=resume"],
            env={**os.environ, **slurm.environ},
            capture_output=True,
        )
