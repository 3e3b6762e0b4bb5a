"""Which of the shell's environment variables the programs get that run other people's code: workers, uv and pip.

Lists say what is passed on, and everything else stays behind: nobody can list all the names that tokens, keys and
passwords have. Each list holds names, and beginnings of names that end with ``*``.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence

PASS = "PESBENCH_PASS"
"""The variable with which a user passes on more: names, separated by commas."""

WORKER = (
    # the user, the language, and where programs and libraries are found
    *("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TERM", "TMPDIR", "XDG_*"),
    *("PATH", "LD_*", "DYLD_*", "GLIBC_TUNABLES", "MALLOC_*", "CONDA_PREFIX", "APPTAINER*", "SINGULARITY*"),
    # compilers, which some methods call when they are loaded
    *("CC", "CXX", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "CFLAGS", "CXXFLAGS", "LDFLAGS"),
    # threads and linear algebra
    *("OMP_*", "GOMP_*", "KMP_*", "MKL*", "OPENBLAS_*", "GOTO_*", "BLIS_*", "NVPL_*", "VECLIB_*", "NUMEXPR_*"),
    # accelerators
    *("CUDA*", "CUDNN_*", "CUBLAS_*", "NVIDIA_*", "NCCL_*", "ROCM_*", "ROCR_*", "HIP_*", "HSA_*", "ZE_*", "ONEAPI_*"),
    # frameworks
    *("TORCH*", "PYTORCH_*", "ATEN_*", "TRITON_*", "XLA_*", "JAX_*", "TF_*", "NUMBA_*", "CUPY_*", "ONEDNN_*", "DNNL_*"),
    # methods and their programs
    *("ASE_*", "NWCHEM_*", "PYSCF_*", "XTB*", "BABEL_*", "MACE_*", "SEVENN*", "FAIRCHEM_*", "UMA_*", "GRACE_*"),
    *("CUEQ_*", "OEQ_*", "LAMMPS_*", "PESBENCH_*"),
    # MPI and schedulers, from which a program learns which cores and nodes it has
    *("OMPI_*", "PMIX_*", "PRTE_*", "OPAL_*", "UCX_*", "MPI*", "PMI_*", "HYDRA_*", "I_MPI_*", "FI_*", "HWLOC_*"),
    *("CRAY*", "SLURM*", "PBS_*", "LSB_*"),
    # certificates
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
BINDING = (
    # where threads are bound; two workers side by side would be bound to the same core
    *("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "GOMP_AFFINITY", "KMP_AFFINITY", "KMP_PLACE_THREADS"),
    *("KMP_HW_SUBSET", "KMP_TOPOLOGY_METHOD", "KMP_CPUINFO_FILE", "OPENBLAS_MAIN_FREE", "GOTOBLAS_MAIN_FREE"),
    # how many there are
    *("OMP_DYNAMIC", "OMP_THREAD_LIMIT", "OMP_NESTED", "OMP_MAX_ACTIVE_LEVELS", "OMP_TEAMS_THREAD_LIMIT"),
    *("KMP_DYNAMIC_MODE", "KMP_ALL_THREADS", "KMP_DEVICE_THREAD_LIMIT", "KMP_TEAMS_THREAD_LIMIT"),
    *("MKL_DYNAMIC", "MKL_DOMAIN_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS"),
    *("BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_MAX_THREADS"),
)
"""What a user's shell says about threads, which the plan of a run decides: workers do not get it unless the user passes
it on by name."""
PYTHON = ("PYTHON*",)
"""What an interpreter of the user gets, too, as the modules of a site set it; workers would not read it."""
INSTALLER = (*PYTHON, "CMAKE_*", "MAX_JOBS")
"""What uv and pip get, too, which may build a package from source."""
INDEX = ("UV_*", "PIP_*", "NETRC", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
"""What they get whatever its name: an index or a proxy may ask for a user and a password."""
_SECRET = re.compile(
    r"(^|_)(TOKENS?|KEYS?|JWT|COOKIES?|AUTH)(_|$)|SECRET|PASSW|PASSPHRASE|CREDENTIAL|APIKEY", re.IGNORECASE
)


def for_worker(environ: Mapping[str, str] | None = None, also: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables of `environ` (by default this process's) that a worker gets, and those of a second list."""
    environ = os.environ if environ is None else environ
    named = {name.strip() for name in environ.get(PASS, "").split(",")}
    # the names are looked at as well, because a list by beginnings would let SLURM_JWT through, for example
    return {
        name: value
        for name, value in environ.items()
        if name in named or (_is_in(name, (*WORKER, *also)) and name not in BINDING and not _SECRET.search(name))
    }


def for_installer(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of `environ` (by default this process's) that uv and pip get."""
    environ = os.environ if environ is None else environ
    index = {name: value for name, value in environ.items() if _is_in(name.upper(), INDEX)}
    return for_worker(environ, INSTALLER) | {n: value for n, value in index.items() if not n.startswith("UV_PUBLISH_")}


def without_passwords(text: str) -> str:
    """Return a text without the user and the password of each URL in it."""
    return re.sub(r"(?<=://)[^\s/]+@", "", text)


def _is_in(name: str, listed: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, one) for one in listed)
