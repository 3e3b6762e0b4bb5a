"""rMD17's files: ten of naphthalene, one of each of nine other molecules.

They come from the user's folder or the cache, else they are fetched; each is verified at each use.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pooch
from ase import Atoms, units

from bench.data.files import Labels
from bench.data.selection import COUNT, select_evenly
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
OTHERS_FOLDER = "rmd17"
OTHERS = {
    "aspirin": "a3c3b61e782d01e6dd649a126004903f7873e8e7ee5034135abfdb8873be711d",
    "azobenzene": "e83c87fe541a95e7349684e47294821ada708a780b59c469d3792588213cfc05",
    "benzene": "4aad4aa2f5ae6aa78d2d9f5da7cb285c97864cfbdf054b67de12a1429b249534",
    "ethanol": "c3594a0f93d5992e02f9eb671392fb2e5021b3fa4f902417886966d1e4f64e1e",
    "malonaldehyde": "147404574d4fe3204dea7eb3799426d264e36b7900012f27fd2d26a26832fdaf",
    "paracetamol": "99e09ff10b54c55830c011c0959b643bede0512a89ae5b5b9a11e8abea9b3eaa",
    "salicylic": "4a03f66c719d7684f39620b2bae6842613482a86cdd4e6f95115ae4d37f03cc0",
    "toluene": "8a658b9bf1b7a5c1abaa03846ee6302725e02bdcd2ab720ef94da0be55625faa",
    "uracil": "ceda757f7670d97080ec3c28dfb559aeb8ca54f49e7f0da0682fa1eb5ac00907",
}
"""The SHA-256 of ``rmd17_<molecule>_test_01.npz`` of each other molecule: 1,000 frames, more than a set takes."""
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


def local_files(cache: Path) -> list[tuple[str, Path]]:
    """Return the files that are already here, each with the name of its folder; no network.

    Those of naphthalene are left out where one of the ten is missing.
    """
    try:
        found = [(FOLDER, _file(name, sha256, cache, fetch=False)) for name, sha256 in SHA256.items()]
    except Unavailable:
        found = []
    for molecule, sha256 in OTHERS.items():
        with contextlib.suppress(Unavailable):
            path = _file(_of(molecule), sha256, cache, fetch=False, inside=OTHERS_FOLDER)
            found.append((OTHERS_FOLDER, path))
    return found


def complete(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the atomic numbers, (n,), and all frames, (count, n, 3) in Angstrom, of a file as MD17 distributes it.

    Raises BadInput where the file is another, or does not have `count` frames.
    """
    try:
        with np.load(path) as data:
            numbers, frames = data["z"], data["R"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not MD17's file: z and R cannot be read from it ({error}).") from None
    expected = (count, numbers.size, 3)
    if frames.shape != expected:
        raise BadInput(f"{path} is not MD17's complete file: its R has the shape {frames.shape}, not {expected}.")
    return numbers, frames


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


@dataclasses.dataclass(frozen=True)
class Molecule:
    """What one file gives: evenly spread frames of a molecule, and the one with the lowest energy."""

    description: str
    """One line for the head of the table: what, from where, under which licence."""
    images: tuple[Atoms, ...]
    """Angstrom, in the order of their index in MD17."""
    labels: tuple[str, ...]
    """The index of each in MD17."""
    reference: Atoms
    """The frame of the whole file with the lowest energy (rMD17's own, PBE/def2-SVP): the least distorted there is."""
    known: tuple[Labels, ...]
    """rMD17's own PBE/def2-SVP energy and forces of each image."""


def molecules() -> dict[str, Callable[[Path], Molecule]]:
    """Return, by the name of its data set, what loads each molecule but naphthalene: it takes the cache folder.

    It raises Unavailable where the file is neither here nor can be fetched, BadInput where it has the wrong contents.
    """
    return {f"{name}-rmd17": partial(_molecule, name) for name in OTHERS}


def _of(molecule: str) -> str:
    return f"rmd17_{molecule}_test_01.npz"


def _molecule(molecule: str, cache: Path) -> Molecule:
    name = _of(molecule)
    with np.load(_file(name, OTHERS[molecule], cache, fetch=True, inside=OTHERS_FOLDER)) as data:
        numbers, frames = data["nuclear_charges"], data["coords"]
        indices, energies, forces = data["old_indices"], data["energies"], data["forces"]
    # the frames of a file are a random sample of the trajectory, so the grid spans what they span
    chosen = select_evenly(indices.tolist(), spacing=int(indices.max()) // (COUNT - 1))
    at = {int(index): place for place, index in enumerate(indices)}
    places = [at[index] for index in chosen]
    return Molecule(
        description=(
            f"{len(chosen)} MD17 frames of {molecule}, evenly spread "
            f"({name} of github.com/andersx/rmd17-npz at 4f6bb0a, CC0-1.0)"
        ),
        images=tuple(Atoms(numbers, frames[place]) for place in places),
        labels=tuple(str(index) for index in chosen),
        reference=Atoms(numbers, frames[int(np.argmin(energies))]),
        known=tuple(
            Labels(
                energy=float(energies[place]) * KCAL_PER_MOL,
                forces=np.array(forces[place], dtype=float) * KCAL_PER_MOL,
                source="energies, forces (PBE/def2-SVP)",
            )
            for place in places
        ),
    )


def given(name: str, inside: str = FOLDER) -> Path | None:
    """Find `name` in the folder PESBENCH_DATA, or in its subfolder with the same name as in the cache."""
    folder = data_dir()
    if folder is None:
        return None
    candidates = (folder / name, folder / inside / name)
    return next((path for path in candidates if path.is_file()), None)


def _file(name: str, sha256: str, cache: Path, fetch: bool, inside: str = FOLDER) -> Path:
    """Return a verified file: the user's, else the cache's, else fetched into the cache."""
    folder = cache / "data" / inside
    path = given(name, inside) or folder / name
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
