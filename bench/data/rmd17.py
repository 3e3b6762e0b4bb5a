"""The ten rMD17 files of naphthalene: from the user's folder or the cache, else fetched; verified at each use."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pooch
from ase import units

from bench.errors import BadInput
from bench.paths import data_dir

FOLDER = "rmd17-naphthalene"
URL = "https://raw.githubusercontent.com/andersx/rmd17-npz/4f6bb0a186822c90d47cd98b7a27991fe0b3173b/rmd17-npz/"
SHA256 = {
    "rmd17_naphthalene_test_01.npz": "80a19bca6aaa5cdf241007d6a7332e7b96a8e6ef362c1badcdb86a574ac3fe06",
    "rmd17_naphthalene_test_02.npz": "de682a3e54de5276bcb1f6970f1bcb82452754815d970c783fe089978c66bee6",
    "rmd17_naphthalene_test_03.npz": "3deb283fb3c46fca12fbff16ffc10b1d023a40c3e92d1c26796ecf516f2c817d",
    "rmd17_naphthalene_test_04.npz": "68b215a3e506dcfc48187e49c5f9bc3dafe2033123cd5a7dfd665f561fb9d729",
    "rmd17_naphthalene_test_05.npz": "f15dd32658f3a9cac8fff91443989ffbe9701dcf356528331770efd62efb487c",
    "rmd17_naphthalene_train_01.npz": "940f41110785fb0d3fa5feac68800cf4c68bd05fd55d563d3adacf5247d7688a",
    "rmd17_naphthalene_train_02.npz": "2b5dac7969803d83d9625979651c44d10368d65839781776095a5e4beeba46b7",
    "rmd17_naphthalene_train_03.npz": "afeeb82c0f220e6ab03d514895a0ae55ceb2373c0a9af2fb8cafa85ff2d900c8",
    "rmd17_naphthalene_train_04.npz": "696494def32844c8e6eb016395f50ceaa767e6a22f1688d4f3c6dc19cc83b192",
    "rmd17_naphthalene_train_05.npz": "cfbfbf744ff3c8d8411c8ee745841037a78da73ecf7a6a08675e66bd822178ca",
}
_TIMEOUT = (3, 10)  # seconds to connect, seconds of silence: short, so that the fallback comes soon without a network


class Unavailable(Exception):
    """A file is neither here nor can it be fetched; the text is a clause that says why."""


def frames(cache: Path, fetch: bool = True) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Return the atomic numbers, (18,), and 9,633 frames, (18, 3) in Angstrom, by their index in MD17.

    Raises Unavailable where a file is not available, BadInput where one has the wrong contents. Without `fetch`, only
    local files are used.
    """
    found: dict[int, np.ndarray] = {}
    for name, sha256 in SHA256.items():
        with np.load(_file(name, sha256, cache, fetch)) as data:
            numbers = data["nuclear_charges"]
            found.update(zip(data["old_indices"].tolist(), data["coords"], strict=True))
    return numbers, found


def local_files(cache: Path) -> list[Path]:
    """Return the files that are already here; none where one is missing. No network."""
    try:
        return [_file(name, sha256, cache, fetch=False) for name, sha256 in SHA256.items()]
    except Unavailable:
        return []


KCAL_PER_MOL = units.kcal / units.mol  # in eV


def labels(cache: Path, wanted: set[int]) -> dict[int, tuple[float, np.ndarray]]:
    """Return rMD17's own PBE/def2-SVP energies, eV, and forces, (18, 3) in eV/Angstrom, by index in MD17.

    Only local files are read; raises Unavailable and BadInput like :func:`frames`.
    """
    found: dict[int, tuple[float, np.ndarray]] = {}
    for name, sha256 in SHA256.items():
        with np.load(_file(name, sha256, cache, fetch=False)) as data:
            indices = data["old_indices"].tolist()
            if wanted.isdisjoint(indices):
                continue
            for index, energy, forces in zip(indices, data["energies"], data["forces"], strict=True):
                if index in wanted:
                    found[index] = float(energy) * KCAL_PER_MOL, np.array(forces, dtype=float) * KCAL_PER_MOL
    return found


def given(name: str) -> Path | None:
    """Find `name` in the folder PESBENCH_DATA, or in its subfolder with the same name as in the cache."""
    folder = data_dir()
    if folder is None:
        return None
    candidates = (folder / name, folder / FOLDER / name)
    return next((path for path in candidates if path.is_file()), None)


def _file(name: str, sha256: str, cache: Path, fetch: bool) -> Path:
    """Return a verified file: the user's, else the cache's, else fetched into the cache."""
    folder = cache / "data" / FOLDER
    path = given(name) or folder / name
    if not path.is_file():
        if not fetch:
            raise Unavailable(f"{name} is not here")
        host = urlsplit(URL).hostname
        try:
            pooch.retrieve(URL + name, sha256, name, folder, downloader=pooch.HTTPDownloader(timeout=_TIMEOUT))
        except OSError as error:  # exceptions of requests are OSErrors too
            raise Unavailable(f"{name} could not be fetched from {host} ({type(error).__name__})") from None
        except ValueError:  # wrong hash: usually the page of a proxy or a captive portal
            raise Unavailable(f"the file {name} from {host} has the wrong SHA-256") from None
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise BadInput(f"{path} has the SHA-256 {found[:12]}... instead of {sha256[:12]}...; delete or replace it.")
    return path
