"""What of the shell's variables is passed on, and what stays behind."""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.engine.tasks import VARIABLES
from bench.environments import shell

SECRETS = (
    *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN"),
    *("WANDB_API_KEY", "MP_API_KEY", "OPENAI_API_KEY", "PGPASSWORD", "SLURM_JWT", "SSH_AUTH_SOCK", "UV_PUBLISH_TOKEN"),
    *("CUDA_TOKEN", "PESBENCH_PASSWORD", "XDG_SESSION_COOKIE", "SINGULARITY_DOCKER_PASSWORD", "MACE_API_KEY"),
    *("torch_secret", "MY_THING"),
)
NEEDED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "CUDA_VISIBLE_DEVICES", "CUDA_HOME"),
    *("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "MKL_NUM_THREADS", "MKLROOT", "OPENBLAS_CORETYPE", "CC", "CXX", "XLA_FLAGS"),
    *("TORCHINDUCTOR_CPP_MARCH", "PYTORCH_CUDA_ALLOC_CONF", "JAX_ENABLE_X64", "TF_CPP_MIN_LOG_LEVEL", "XTBPATH"),
    *("NWCHEM_BASIS_LIBRARY", "PYSCF_MAX_MEMORY", "BABEL_DATADIR", "OMPI_MCA_btl", "PMIX_RANK", "SLURM_JOB_ID"),
    *("SLURMD_NODENAME", "SSL_CERT_FILE", "PESBENCH_CACHE", "APPTAINER_BIND"),
)


@pytest.mark.parametrize("name", SECRETS)
def test_tokens_keys_and_passwords_stay_behind(name):
    assert shell.for_worker({name: "planted"}) == shell.for_installer({name: "planted"}) == {}


@pytest.mark.parametrize("name", NEEDED)
def test_what_methods_need_is_passed_on(name):
    assert shell.for_worker({name: "1"}) == shell.for_installer({name: "1"}) == {name: "1"}


def test_a_user_passes_on_more_by_name():
    environ = {"MY_THING": "1", "MY_TOKEN": "2", "OTHER": "3", "PESBENCH_PASS": "MY_THING, MY_TOKEN,NOT_SET"}
    assert shell.for_worker(environ).keys() == {"MY_THING", "MY_TOKEN", "PESBENCH_PASS"}


def test_an_index_may_ask_uv_and_pip_for_a_password_and_no_worker_gets_it():
    environ = {
        "UV_INDEX_MINE_PASSWORD": "planted",
        "PIP_INDEX_URL": "https://me:planted@example.org/simple",
        "https_proxy": "http://me:planted@example.org",
        "NETRC": "/home/me/netrc",
    }
    assert shell.for_installer(environ) == environ
    assert shell.for_worker(environ) == {}


def test_a_message_shows_neither_user_nor_password_of_an_address():
    text = "not at https://me:pl@nted@example.org/wheels/six, nor at http://token@example.org:8080/x@y"
    assert shell.without_passwords(text) == "not at https://example.org/wheels/six, nor at http://example.org:8080/x@y"


def test_the_page_on_reliability_lists_what_a_worker_gets():
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    lines = page.partition("## What a worker gets of your shell")[2].partition("Even of these")[0].splitlines()
    assert sorted(re.findall(r"`([^`]+)`", "".join(line for line in lines if line.startswith("|")))) == sorted(
        shell.WORKER
    )


def test_how_threads_are_bound_and_limited_stays_behind_unless_it_is_passed_on_by_name():
    environ = dict.fromkeys(("OMP_PROC_BIND", "OMP_PLACES", "KMP_AFFINITY", "GOMP_CPU_AFFINITY", "MKL_DYNAMIC"), "1")
    assert shell.for_worker(environ) == {}
    assert shell.for_worker({**environ, "PESBENCH_PASS": "OMP_PLACES"}).keys() == {"OMP_PLACES", "PESBENCH_PASS"}
    assert set(shell.BINDING) < set(VARIABLES), "what is passed on is recorded"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_two_workers_side_by_side_are_not_bound_to_one_core():
    """GNU's OpenMP binds the first thread of each process to the first place that the shell's variables allow."""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        pytest.skip("needs GNU's OpenMP")
    code = "import ctypes, os; ctypes.CDLL('libgomp.so.1').omp_get_max_threads(); print(len(os.sched_getaffinity(0)))"
    environ = {**os.environ, "OMP_PROC_BIND": "true", "OMP_NUM_THREADS": "1"}

    def cpus(variables):
        return int(subprocess.check_output([sys.executable, "-c", code], env=variables))

    assert cpus(environ) == 1, "as the shell has it"
    assert cpus(shell.for_worker(environ)) == len(os.sched_getaffinity(0))
