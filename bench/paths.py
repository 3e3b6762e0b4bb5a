"""Where pesbench keeps what it makes; imported by the harness only, never inside a method's environment."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from bench.errors import BadInput

PROJECT = Path(__file__).resolve().parents[1]
"""The checkout: the folder that holds adapters/, datasets/ and results/."""

ADAPTERS = PROJECT / "adapters"


def cache_dir() -> Path:
    """Return the folder for what is fetched, PESBENCH_CACHE or the user's cache folder; it need not exist."""
    given = os.environ.get("PESBENCH_CACHE")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("pesbench", appauthor=False))


def data_dir() -> Path | None:
    """Return the folder of data files that PESBENCH_DATA names, or None; BadInput where it is no folder."""
    return _named_folder("PESBENCH_DATA")


def weights_dir() -> Path | None:
    """Return the folder of checkpoints that PESBENCH_WEIGHTS names, or None; BadInput where it is no folder."""
    return _named_folder("PESBENCH_WEIGHTS")


def _named_folder(variable: str) -> Path | None:
    given = os.environ.get(variable)
    if not given:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise BadInput(f"{variable} names {given}, which is not a folder; correct it or unset it.")
    return folder


def results_dir() -> Path:
    """Return the folder of the run directories."""
    return PROJECT / "results"


def envs_dir() -> Path:
    """Return the folder of the methods' environments."""
    return PROJECT / ".envs"
