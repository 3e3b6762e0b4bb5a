"""Campaigns with real methods that several tests read: each is run once."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import bench
from bench.paths import PROJECT

OFFLINE = [
    *("uff", "uff-ase", "gfn2-xtb", "gfn1-xtb", "7net-0", "7net-mf-0", "7net-l3i5", "so3lr"),
    *("ani-1ccx", "chgnet-0.3.0"),
]
FILES = {
    "nequix-mp-1": "nequix-mp-1.nqx",
    "mace-mp-0-small": "mace_mp_small.model",
    "orb-d3-xs-v2": "orb-d3-xs-v2-20241011.ckpt",
}
"""Methods that are measured where their checkpoints are."""
WEIGHTS = os.environ.get("PESBENCH_WEIGHTS")


@pytest.fixture(scope="session")
def real_run(pesbench, once):
    """Two naphthalene molecules with every method that needs no network and no program."""
    here = [name for name, file in FILES.items() if WEIGHTS and list(Path(WEIGHTS).rglob(file))]
    names = [*OFFLINE, *here, "sevennet-mf-ompa"]

    def make(results: Path) -> None:
        done = pesbench(
            *("run", "--methods", ",".join(names), "--structures", "naphthalene-gfn2", "--limit", "2"),
            *("--rounds", "1", "--threads", "1", "--budget", "none", "--weights", "pretrained", "--no-repeats"),
            *("--output", results),
        )
        assert done.returncode == 0, done.stderr

    return bench.load(once("real-run", make))


@pytest.fixture(scope="session")
def random_run(pesbench, once) -> Callable:
    """Return a function from a published name to a run of that model with random weights: three force calls."""

    def make(name: str, results: Path) -> None:
        done = pesbench(
            *("run", "--methods", name, "--weights", "random", "--structures", "naphthalene-gfn2", "--limit", "1"),
            *("--rounds", "1", "--replay-points", "3", "--threads", "1", "--budget", "none", "--no-repeats"),
            *("--output", results),
            # kept between tests: the largest of them is more than a gigabyte
            PESBENCH_CACHE=str(PROJECT / ".cache" / "tests"),
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @functools.cache
    def run(name: str):
        return bench.load(once(f"random-{name}", functools.partial(make, name)))

    return run
