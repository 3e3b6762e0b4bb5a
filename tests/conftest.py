"""What tests share: the fakes, one small real campaign with them, and the environments of real methods."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from warm import Warm
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from bench.environments import environments
from bench.environments.header import read_header
from bench.machine import alone
from bench.machine.cores import usable_cores
from bench.paths import PROJECT, adapters_dir

# with more, the small matrices of the tests wait for threads that other processes keep from the cores
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported
# tests run in several processes at once, and measurements of one machine wait for each other by a file in this folder
os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="pesbench-tests-")
Path(tempfile.tempdir).chmod(0o755)  # some tests are another user

COMPILED = PROJECT / ".cache" / "tests" / "compiled"
"""What PyTorch and XLA have compiled, kept between tests: some models compile for minutes."""
os.environ |= {
    "JAX_COMPILATION_CACHE_DIR": str(COMPILED / "jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}

QUICK = ("analysis", "core", "data", "paper", "protocols", "render")
"""The folders of tests that need no environment and start no process, but for those that use these fixtures or
are marked with `processes`."""
WITH_PROCESSES = {"pesbench", "method_python", "fake_run"}

FAKES = Path(__file__).parent / "fakes" / "fakes.py"
PESBENCH = [sys.executable, "-m", "bench.cli"]
# the embedded set: no network, no environment variable
STRUCTURES = ["--structures", "naphthalene-gfn2"]
LONG = (
    *("adapters/test_defaults.py", "adapters/test_conformance.py", "commands/test_told.py", "page/test_page.py"),
    *("engine/test_md_campaign.py", "engine/test_pack.py", "engine/test_engines_real.py"),
    *("commands/test_timeline_due_to.py", "engine/test_throughput_campaign.py", "engine/test_engines.py"),
    *("engine/test_tune.py", "engine/test_regress.py", "engine/test_script.py", "cluster/test_slurm.py"),
    *("engine/test_scaling_campaign.py", "drills/test_drills.py", "commands/test_study.py"),
    *("engine/test_regress_changed.py", "engine/test_in_turns.py", "engine/test_runner.py"),
    *("results/test_compare.py", "results/test_merging.py", "engine/test_md_crystals_campaign.py"),
    *("engine/test_copies.py", "engine/test_weights.py", "engine/test_relax_cell_campaign.py"),
    *("engine/test_tune_real.py", "engine/test_accuracy_campaign.py", "commands/test_reference.py"),
    *("commands/test_cli.py", "commands/test_advise.py", "measure/test_md.py"),
)
"""The files that take longest, longest first: they begin first, so that no process is left with one at the end."""
WITH_LIBRARIES = ("bad_checkpoints", "batched", "chgnet", "gpu_paths", "mace", "mattersim", "own_uncertainties")
TOGETHER = {
    **{f"tests/adapters/test_{name}.py": "tests/adapters/test_conformance.py" for name in WITH_LIBRARIES},
    "tests/adapters/test_real_methods.py": "tests/adapters/test_defaults.py",
    "tests/page/test_page_in_a_browser.py": "tests/page/test_page.py",
    "tests/page/test_read_once.py": "tests/page/test_page.py",
}
"""Files that share a long fixture with another file, and that file: one process runs both, so that none waits."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of processes of ``-n auto``: more than cores, because many tests wait most of their time."""
    return usable_cores() + 1 if config.getoption("quick") else min(usable_cores() + 3, 8)


class Files(LoadFileScheduling):
    """Gives each process a file after the other, and files that share a fixture at once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Files | None:
    """Return how files are shared out with ``--dist loadfile``."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # by the number of their tests
    return Files(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --quick."""
    parser.addoption("--quick", action="store_true", help="only tests that need no environment and start no process")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what is in no folder of quick tests, if only those are wanted."""
    inside = collection_path.relative_to(Path(__file__).parent).parts
    return True if config.getoption("--quick") and inside and inside[0] not in QUICK else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not quick, if asked; where processes share the files, begin with the long ones."""
    here = Path(__file__).parent
    if hasattr(config, "workerinput"):
        order = {here / file: number for number, file in enumerate(LONG)}
        for file, first in TOGETHER.items():  # those that share a fixture follow at once
            order.setdefault(here.parent / file, order[here.parent / first] + 0.5)
        items.sort(key=lambda item: order.get(item.path, len(order)))
    if not config.getoption("--quick"):
        return
    quick, others = [], []
    for item in items:
        alone = not WITH_PROCESSES & set(getattr(item, "fixturenames", ())) and not item.get_closest_marker("processes")
        (quick if alone else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = quick


@pytest.fixture(autouse=True)
def nobody_waits() -> Iterator[None]:
    """Give back the machine after a test that has measured in this process, which others of it would wait for."""
    yield
    while alone._held:
        os.close(alone._held.pop())


@pytest.fixture(scope="session")
def pesbench() -> Iterator[Callable[..., subprocess.CompletedProcess]]:
    """Yield a function that runs the command line and returns its status, output and errors.

    A run draws no page unless the test asks for it: that takes some seconds. Where `cwd` is a copy of the checkout, the
    copy's own `bench` is run; `still`: nobody changes its code any more, so that it may be imported once.
    """
    warm: dict[Path, Warm] = {}

    def run(
        *arguments: str | Path, cwd: Path | None = None, still: bool = False, page: bool = False, **environ: str
    ) -> subprocess.CompletedProcess:
        words = [*map(str, arguments)]
        if words[:1] == ["run"] and not page and "--cluster" not in words:
            words.append("--no-page")
        variables = {**os.environ, "COLUMNS": "80", "TORCHINDUCTOR_CACHE_DIR": str(COMPILED), **environ}
        folder = cwd or Path.cwd()
        copy = (folder / "bench").is_dir() and folder != PROJECT
        if copy and not still:
            command = [*PESBENCH, *words]
            return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=900)
        project = folder if copy else PROJECT
        if project not in warm:
            warm[project] = Warm(project)
        return warm[project].run(words, folder, variables, timeout=900)

    yield run
    for one in warm.values():
        one.stop()


@pytest.fixture(scope="session")
def once(tmp_path_factory, request) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return a function that makes a folder once for all processes of the tests, by calling `make` with it."""
    parallel = hasattr(request.config, "workerinput")
    root = tmp_path_factory.getbasetemp().parent if parallel else tmp_path_factory.getbasetemp()

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        made, done = root / name, root / f"{name}.done"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the other process waits here
            if not done.exists():
                made.mkdir()
                make(made)
                done.touch()
        return made

    return folder


@pytest.fixture(scope="session")
def method_python() -> Callable[[str], Path]:
    """Return a function from an adapter's file name to the interpreter of its environment, made if need be."""

    def python(adapter: str) -> Path:
        return environments.prepare(read_header(adapters_dir() / adapter)).python

    return python


@pytest.fixture(scope="session")
def fake_run(once, pesbench) -> Path:
    """Return the run directory of a campaign over the fakes: right ones, and each way to go wrong."""
    methods = (
        "toy,toy-native,always-fails,fails-to-load,dies,dies-at-once,returns-nan,hangs,allocates,"
        "only-hydrogen,needs-weights,only-cuda"
    )

    def make(results: Path) -> None:
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", methods, *STRUCTURES, "--limit", "6", "--rounds", "2"),
            *("--threads", "1", "--timeout", "20", "--memory-limit", "0.4", "--no-repeats", "--output", results),
        )
        assert done.returncode == 0, done.stderr

    return next(once("fake-run", make).iterdir())
