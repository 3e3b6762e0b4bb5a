"""The only way to start a worker: its command, its environment variables, and its certain end."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import paths
from bench.core.description import ParallelSpeed
from bench.core.device import Device
from bench.core.task import Task
from bench.engine.local import LocalWorker
from bench.environments import shell
from bench.environments.environments import Environment
from bench.machine.cores import WAIT_POLICY, threads_sleep

WORKER = Path(__file__).parents[1] / "measure" / "worker.py"


@contextlib.contextmanager
def start(
    task: Task,
    environment: Environment,
    *,
    parallel: ParallelSpeed | None,
    timeout_s: float,
    memory_limit: int | None = None,
    log: Path | None = None,
) -> Iterator[LocalWorker]:
    """Start a worker on a task; when the context is left, it has ended.

    Parameters
    ----------
    task : Task
    environment : Environment
        The method's.
    parallel : ParallelSpeed or None
        The measured parallel speed of the machine; None only for one thread, where it does not matter.
    timeout_s : float
        A worker that is silent for this long is ended.
    memory_limit : int, optional
        Bytes that it and its children may use, by default nine tenths of the machine's memory.
    log : Path, optional
        Where its standard error is kept; by default it is removed when the context ends.
    """
    with contextlib.ExitStack() as stack:
        if log is None:
            log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pesbench-log-"))) / "log"
        launched = dataclasses.replace(task.told, launched_ns=time.monotonic_ns())
        worker = LocalWorker(
            # isolated from the user's site-packages and from PYTHONPATH
            [str(environment.python), "-I", str(WORKER)],
            variables(task, parallel),
            dataclasses.replace(task, told=launched),
            log,
            timeout_s,
            memory_limit,
        )
        stack.callback(worker.stop)
        yield worker


def variables(task: Task, parallel: ParallelSpeed | None) -> dict[str, str]:
    """Return the environment variables of a worker: threads are set before anything is imported.

    Of the shell's variables it gets those that :mod:`bench.environments.shell` lists, so no token, key or password.
    The optimiser's BLAS gets one thread (a 54 x 54 diagonalisation is slower with more). Where the machine has
    fewer free cores than it shows, waiting threads sleep instead of spinning (OMP_WAIT_POLICY).
    """
    threads = task.subject.threads
    environ = shell.for_worker()
    environ.update(
        OMP_NUM_THREADS=str(threads),
        MKL_NUM_THREADS=str(threads),
        NUMEXPR_NUM_THREADS=str(threads),
        OPENBLAS_NUM_THREADS="1",
        HF_HUB_OFFLINE="1",  # everything was prepared before; a worker never fetches
    )
    if parallel and threads_sleep(parallel, threads):
        environ.setdefault(WAIT_POLICY, "PASSIVE")
    environ.update(Device.parse(task.subject.device).variables())
    environ.update(caches(paths.cache_dir() / "upstream"))
    environ.setdefault("TORCHINDUCTOR_CACHE_DIR", _compiled().name)
    return environ


@functools.cache
def _compiled() -> tempfile.TemporaryDirectory[str]:
    """Return the folder of what PyTorch has compiled, which all workers of this process share.

    PyTorch keeps it between a user's processes, too, so a second round need not compile for minutes. It goes with this
    process: the first start of a campaign always shows what compilation costs.
    """
    return tempfile.TemporaryDirectory(prefix="pesbench-compiled-", ignore_cleanup_errors=True)


def caches(folder: Path) -> dict[str, str]:
    """Return the variables that keep the caches of methods' libraries out of the user's folders."""
    return {name: str(folder / inner) if inner else str(folder) for name, inner in CACHES.items()}


CACHES = {
    "XDG_CACHE_HOME": "",  # MACE, matplotlib and others make their own folders in it
    "CACHED_PATH_CACHE_ROOT": "cached_path",
    "CUDA_CACHE_PATH": "cuda",
    "CUPY_CACHE_DIR": "cupy",
    "FAIRCHEM_CACHE_DIR": "fairchem",
    "GRACE_CACHE": "grace",
    "HF_HOME": "huggingface",
    "HF_HUB_CACHE": "huggingface/hub",
    "HF_XET_CACHE": "huggingface/xet",
    "HUGGINGFACE_HUB_CACHE": "huggingface/hub",
    "KERAS_HOME": "keras",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
    "TORCH_HOME": "torch",
    "TRITON_HOME": "triton",  # not TRITON_CACHE_DIR, which PyTorch puts into its own folder
    "WANDB_CACHE_DIR": "wandb",
    "WANDB_CONFIG_DIR": "wandb",
    "WANDB_DATA_DIR": "wandb",
    "WANDB_DIR": "wandb",
}
