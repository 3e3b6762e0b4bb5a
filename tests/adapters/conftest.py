"""What tests of adapters share: processes of the environments that have imported a method's libraries already, and
campaigns with real methods that several tests read: each is run once."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import write
from warm import Warm

import bench
from bench.core import message
from bench.core.failure import Failure
from bench.core.message import Done
from bench.engine.start import variables
from bench.paths import PROJECT

OFFLINE = [
    *("uff", "uff-ase", "gfn2-xtb", "gfn1-xtb", "7net-0", "7net-l3i5", "so3lr"),
    *("ani-1ccx", "chgnet-0.3.0"),
]
FILES = {
    "nequix-mp-1": "nequix-mp-1.nqx",
    "mace-mp-0-small": "mace_mp_small.model",
    "orb-d3-xs-v2": "orb-d3-xs-v2-20241011.ckpt",
}
"""Methods that are measured where their checkpoints are."""
WEIGHTS = os.environ.get("PESBENCH_WEIGHTS")
KEPT = PROJECT / ".cache" / "tests"
"""Kept between tests: compiled code, random checkpoints (the largest has more than a gigabyte), upstream's defaults."""
EVERYWHERE = ("numpy", "ase.io", "ase.build", "ase.optimize", "ase.calculators.calculator")
LIBRARIES = {
    "ani.py": ("torchani",),
    "chgnet.py": ("chgnet.model.dynamics",),
    "equiformer.py": ("torch", "torch_geometric.utils"),  # the adapter decides what fairchem finds
    "grace.py": ("tensorpotential.calculator", "tensorflow"),
    "mace.py": ("mace.modules", "mace.calculators"),
    "mattersim.py": ("mattersim.forcefield",),
    "nequix.py": ("nequix.calculator",),
    "orb.py": ("orb_models.forcefield.pretrained", "orb_models.forcefield.calculator"),
    "pet.py": ("upet.ase",),
    "pyscf_dft.py": ("pyscf.dft", "pyscf.pbc.tools.pyscf_ase"),
    "sevennet.py": ("sevenn.calculator",),
    "so3lr.py": ("so3krates_torch.calculator.so3",),
    "uma.py": ("fairchem.core",),
}
"""What takes seconds to import, in the order of the adapter."""
EAGER = ("orb-v3", "uma-s-1p2")
"""Models that are compiled for minutes: in `random_run` torch.compile leaves them as they are. The loaders still ask
for it, as the settings say; `real_run` relaxes orb-d3-xs-v2 compiled."""
QUICKLY_COMPILED = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}
"""JAX compiles in less time like this; `real_run` computes with what it compiles by default."""
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}


@pytest.fixture(scope="session")
def warm(method_python, tmp_path_factory) -> Iterator[Callable[[str], Warm]]:
    """Yield a function from an adapter's file name to a process of its environment that forks for each command."""
    home = tmp_path_factory.mktemp("home")  # some make folders there when they are imported
    environ = {
        **os.environ,
        **THREADS,
        **QUICKLY_COMPILED,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "CUDA_VISIBLE_DEVICES": "",
    }
    made: dict[str, Warm] = {}

    def process(adapter: str) -> Warm:
        if adapter not in made:
            imported = (*LIBRARIES.get(adapter, ()), *EVERYWHERE)
            made[adapter] = Warm(PROJECT, method_python(adapter), imported, environ)
        return made[adapter]

    yield process
    for one in made.values():
        one.stop()


@pytest.fixture(scope="session")
def in_environment(warm, tmp_path_factory) -> Callable[..., subprocess.CompletedProcess]:
    """Return a function that runs code in the environment of an adapter, whose libraries are imported already.

    The adapter's path is the first argument of the code. What a library does when it is imported (the folders that it
    makes, the settings that it changes) has to be tested in a process of its own.
    """
    home = tmp_path_factory.mktemp("home")

    def run(adapter: str, code: str, *arguments: object, **environ: str) -> subprocess.CompletedProcess:
        from bench.paths import adapters_dir

        words = ["-c", code, str(adapters_dir() / adapter), *map(str, arguments)]
        variables = {
            **os.environ,
            **THREADS,
            **QUICKLY_COMPILED,
            "HOME": str(home),
            "CUDA_VISIBLE_DEVICES": "",
            **environ,
        }
        done = warm(adapter).run(words, home, variables, timeout=600)
        assert done.returncode == 0, done.stderr
        return done

    return run


WORKER = "import sys; from bench.measure import worker; sys.exit(worker.main())"


class Forked:
    """A worker in a fork of a process that has imported what it needs; like :class:`bench.engine.local.LocalWorker`."""

    def __init__(self, process: Warm, task: Any, environ: dict[str, str]) -> None:
        self._done = process.run(["-c", WORKER], PROJECT, environ, timeout=900, given=task.to_json() + "\n")

    def messages(self) -> Iterator[message.Message]:
        """Yield the worker's messages, except the last."""
        for line in self._done.stdout.splitlines():
            if not isinstance(said := message.from_json(line), Done):
                yield said

    def failure(self) -> Failure | None:
        """Return what went wrong if it did not end normally."""
        if self._done.returncode == 0:
            return None
        return Failure("crash", f"it ended with status {self._done.returncode}: {self._done.stderr[-2000:]}")


@pytest.fixture
def forked(warm) -> Callable[..., Forked]:
    """Return a function that does a task in a fork of a process of an environment: nothing is imported for it."""

    def start(task) -> Forked:
        environ = variables(task, None) | {"TORCHINDUCTOR_CACHE_DIR": str(KEPT / "compiled")} | QUICKLY_COMPILED
        return Forked(warm(Path(task.subject.adapter).name), task, environ)

    return start


@pytest.fixture(scope="session")
def real_run(pesbench, once):
    """A naphthalene molecule with every method that needs no network and no program."""
    here = [name for name, file in FILES.items() if WEIGHTS and list(Path(WEIGHTS).rglob(file))]
    names = [*OFFLINE, *here, "sevennet-mf-ompa"]

    def make(results: Path) -> None:
        done = pesbench(
            *("run", "--methods", ",".join(names), "--structures", "naphthalene-gfn2", "--limit", "1"),
            *("--rounds", "1", "--threads", "1", "--budget", "none", "--weights", "pretrained", "--no-repeats"),
            *("--output", results),
        )
        assert done.returncode == 0, done.stderr

    return bench.load(once("real-run", make))


@pytest.fixture(scope="session")
def random_run(pesbench, once) -> Callable:
    """Return a function from a published name to a run of that model with random weights.

    It is asked for the forces of water, thrice, and then for those of a molecule with an element that it does not know.
    The settings are those of a user's run; `EAGER` are not really compiled.
    """

    def make(name: str, results: Path) -> None:
        molecules = results.with_name(f"{results.name}.xyz")
        write(molecules, [molecule("H2O"), Atoms("OgH", [(0, 0, 0), (0, 0, 1.7)])])
        done = pesbench(
            *("run", "--methods", name, "--weights", "random", "--structures", molecules),
            *("--rounds", "1", "--replay-points", "3", "--threads", "1", "--budget", "none", "--no-repeats"),
            *("--output", results),
            PESBENCH_CACHE=str(KEPT),
            **QUICKLY_COMPILED,
            **({"TORCHDYNAMO_DISABLE": "1"} if name in EAGER else {}),
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @functools.cache
    def run(name: str):
        return bench.load(once(f"random-{name}", functools.partial(make, name)))

    return run
