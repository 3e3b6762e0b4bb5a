"""Where things lie; imported by the harness only, never inside a method's environment.

In a checkout everything stays inside it. In an installation (``pip install``, ``uv tool install``, ``pipx``), the files
that come with pesbench lie inside the package, environments in the user's cache folder, and results in the working
directory.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import platformdirs

from bench.errors import BadInput

PROJECT = Path(__file__).resolve().parents[1]
"""The folder that holds the package: the checkout, or the site-packages of an installation."""


SCRATCH = "PESBENCH_SCRATCH"
"""The variable that names a folder on the machine's own disk; on a cluster it is set by each job."""

_COMMAND = re.compile(r"(?:(?<=')|(?<=^  ))pesbench(?= [a-z])", re.MULTILINE)


def checkout() -> Path | None:
    """Return the checkout from which pesbench is run; None where it is installed."""
    beside = (PROJECT / "pyproject.toml").is_file() and (PROJECT / "adapters").is_dir()
    # other projects may have put files with these names into site-packages
    return PROJECT if beside and not _packed().is_dir() else None


def _packed() -> Path:
    """Return the folder of a wheel with the files that a checkout has beside the package; see pyproject.toml."""
    return PROJECT / "bench" / "_shipped"


def _shipped() -> Path:
    """Return the folder of the files that come with pesbench."""
    return checkout() or _packed()


def adapters_dir() -> Path:
    """Return the folder of the project's own adapters."""
    return _shipped() / "adapters"


def datasets_dir() -> Path:
    """Return the folder of the project's own data sets."""
    return _shipped() / "datasets"


def shipped_results_dir() -> Path:
    """Return the folder of the published table and the project's own baselines; it is read-only."""
    return _shipped() / "results"


def results_dir() -> Path:
    """Return the folder of run directories, histories and new baselines; it need not exist."""
    return (checkout() or Path.cwd()) / "results"


def envs_dir() -> Path:
    """Return the folder of the methods' environments; it need not exist."""
    project = checkout()
    return project / ".envs" if project else cache_dir() / "envs"


def cache_dir() -> Path:
    """Return the folder for downloads, PESBENCH_CACHE or the user's cache folder; it need not exist."""
    given = os.environ.get("PESBENCH_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("pesbench", appauthor=False))


def data_dir() -> Path | None:
    """Return the folder of data files that PESBENCH_DATA names, or None; raises BadInput where it is not a folder."""
    return _named_folder("PESBENCH_DATA")


def weights_dir() -> Path | None:
    """Return the folder of checkpoints that PESBENCH_WEIGHTS names, or None; raises BadInput where it is no folder."""
    return _named_folder("PESBENCH_WEIGHTS")


def optimizer_dirs() -> list[Path]:
    """Return the folders of optimiser files: the project's own, and the one that PESBENCH_OPTIMIZERS names.

    Raises BadInput where that is no folder.
    """
    given = _named_folder("PESBENCH_OPTIMIZERS")
    return [adapters_dir() / "optimizers", *([] if given is None else [given])]


def kit_dir() -> Path | None:
    """Return the folder of an unpacked kit that PESBENCH_KIT names, or None; raises BadInput where it is no folder."""
    return _named_folder("PESBENCH_KIT")


def scratch_dir() -> Path | None:
    """Return the folder on this machine's own disk that PESBENCH_SCRATCH names, or None; it need not exist.

    Variables in it, such as $SLURM_JOB_ID, get their values here; one that is not set stays as it is. Raises BadInput
    for a relative path.
    """
    given = os.environ.get(SCRATCH)
    if not given:
        return None
    folder = Path(os.path.expandvars(given)).expanduser()
    if not folder.is_absolute() and not str(folder).startswith("$"):
        raise BadInput(f"{SCRATCH} names {given}; give a whole path, which begins with /, or unset it.")
    return folder


def _named_folder(variable: str) -> Path | None:
    given = os.environ.get(variable)
    if not given:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise BadInput(f"{variable} names {given}, which is not a folder; correct it or unset it.")
    return folder


def shown(path: Path) -> Path:
    """Return a path as it is printed: relative to the working directory if it lies inside that."""
    absolute, here = path.absolute(), Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute


def resume_command(directory: Path) -> str:
    """Return the command that continues a run, as the user can type it here."""
    directory = directory.resolve()
    usual = directory.parent == results_dir().resolve()
    return f"{program()} run --resume {shlex.quote(directory.name if usual else str(directory))}"


def program() -> str:
    """Return how this pesbench was started: by its name, by the path of its program, or as a module of Python."""
    started = Path(sys.argv[0])
    if started.name == "cli.py":
        return f"{shlex.quote(sys.executable)} -m bench.cli"
    on_path = shutil.which("pesbench")
    if str(started) == "pesbench" or started.name != "pesbench":
        return "pesbench"
    if on_path and Path(on_path).resolve() == started.resolve():
        return "pesbench"
    return shlex.quote(str(shown(started)))


def told(text: str) -> str:
    """Return a text in which each command of pesbench can be typed as it stands: with the program as it was started.

    A command is what follows a quote, or begins an indented line, as in the examples of a verb.
    """
    return _COMMAND.sub(lambda found: program(), text)
