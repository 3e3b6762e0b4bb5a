"""The data sets: where they come from, and checks that they are valid.

``datasets/README.md`` describes the provenance of each. Every method gets the same structures in the same
order, without cell, velocities or labels, as molecules of one charge and spin in vacuum.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from bench import paths
from bench.core.spin import is_lowest
from bench.data import rmd17
from bench.data.distances import closest_pair
from bench.data.selection import COUNT, MD17_SPACING, select_evenly
from bench.data.state import state_of
from bench.errors import BadInput

MD17 = "naphthalene-md17"
MD17_EXACT = "naphthalene-md17-exact"
GFN2 = "naphthalene-gfn2"

MD17_FRAMES = 326_250  # length of MD17's naphthalene trajectory

_MD17_FILE = "md17_naphthalene.npz"

# In units of the sum of the covalent radii. Real molecules stay above 0.7, and even compressed ones of a scan
# above 0.4; below 0.3 are atoms listed twice and coordinates in nanometres.
_OVERLAP = 0.3
_BONDED = 1.3  # in the same unit


@dataclasses.dataclass(frozen=True)
class DataSet:
    """The structures that a campaign measures; index k of :attr:`atoms` is a record's ``structure``."""

    name: str
    description: str
    """One line for the head of the table: what, from where, under which licence."""
    atoms: tuple[Atoms, ...]
    """The selection, Angstrom."""
    labels: tuple[str, ...]
    """The name of each structure at its source, such as its index in MD17."""
    reference: Atoms
    """The undistorted molecule with the same atoms in the same order: for the topology and the warm-up."""
    digest: str
    """SHA-256 of the selection's atomic numbers and of its positions to 1e-6 Angstrom, and of charge and spin where
    the molecule is not neutral in its lowest spin."""
    formula: str
    charge: int = 0
    """The charge of each structure, in elementary charges."""
    spin: int = 1
    """The multiplicity 2S+1 of each structure."""
    series: tuple[Atoms, ...] = ()
    """Systems of growing size from the user's file, for the scaling protocol; empty: clusters of naphthalene."""
    fallback: str = ""
    """One sentence on why this set replaces MD17's, where the user named none; else empty."""

    @property
    def lowest_spin(self) -> bool:
        """Whether the multiplicity is the lowest that the number of electrons allows."""
        return is_lowest(self.spin)


def load_dataset(
    name_or_file: str | Path | None = None, cache: Path | None = None, series: bool = False, largest: int | None = None
) -> DataSet:
    """Load a data set: one of :data:`DATA_SETS`, any file of molecules that ASE reads, or None for the default.

    The default is MD17's own frames (:data:`MD17_EXACT` where the folder PESBENCH_DATA has the complete file,
    else :data:`MD17`, fetched into `cache`) or, where these are not available, :data:`GFN2`. All images of a file
    are used and the first is the reference, so an undistorted molecule belongs first. With `series`, a file may hold
    different molecules, one of each size: then the smallest is the data set. Images of more than `largest` atoms
    are then left out before anything is computed.

    Raises BadInput where the name is unknown, a file has the wrong contents, or no method could be measured on a
    structure.
    """
    cache = paths.cache_dir() if cache is None else cache
    if name_or_file is None:
        return _default(cache)
    named = DATA_SETS.get(str(name_or_file))
    try:
        return named(cache) if named else _user_file(Path(name_or_file).expanduser(), series, largest)
    except rmd17.Unavailable as error:
        raise BadInput(f"{error}; put it into a folder that PESBENCH_DATA names, or choose {GFN2}.") from None


def _default(cache: Path) -> DataSet:
    if rmd17.given(_MD17_FILE) is not None:
        return _md17_exact(cache)
    try:
        return _md17(cache)
    except rmd17.Unavailable as error:
        return dataclasses.replace(_gfn2(cache), fallback=f"{GFN2} replaces {MD17} because {error}.")


def _md17(cache: Path) -> DataSet:
    """Take the frames nearest to the grid from the ten rMD17 files, which have 9,633 of MD17's frames."""
    numbers, frames = rmd17.frames(cache)
    chosen = select_evenly(list(frames))
    description = (
        f"{COUNT} MD17 frames of naphthalene nearest to {MD17_SPACING} k, k = 0..{COUNT - 1} "
        "(rMD17 files of github.com/andersx/rmd17-npz at 4f6bb0a, CC0-1.0)"
    )
    images = [Atoms(numbers, frames[index]) for index in chosen]
    return _dataset(MD17, description, images, [str(index) for index in chosen], "rMD17", naphthalene())


def _md17_exact(cache: Path) -> DataSet:
    """Take the frames on the grid from the complete MD17 file, which is never fetched."""
    path = rmd17.given(_MD17_FILE)
    if path is None:
        raise BadInput(f"{MD17_EXACT} needs the complete {_MD17_FILE} in a folder that PESBENCH_DATA names.")
    try:
        with np.load(path) as data:
            numbers, frames = data["z"], data["R"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not MD17's file: z and R cannot be read from it ({error}).") from None
    expected = (MD17_FRAMES, numbers.size, 3)
    if frames.shape != expected:
        raise BadInput(f"{path} is not MD17's complete file: its R has the shape {frames.shape}, not {expected}.")
    chosen = select_evenly(range(MD17_FRAMES))
    description = (
        f"{COUNT} MD17 frames of naphthalene, {MD17_SPACING} k for k = 0..{COUNT - 1} "
        "(the user's copy of the complete file of quantum-machine.org)"
    )
    images = [Atoms(numbers, frames[index]) for index in chosen]
    return _dataset(MD17_EXACT, description, images, [str(index) for index in chosen], path, naphthalene())


def _gfn2(cache: Path) -> DataSet:
    path = paths.datasets_dir() / "naphthalene-gfn2.extxyz"
    images = _read(path)
    description = (
        f"{len(images)} naphthalene structures from GFN2-xTB dynamics in MD17's ensemble "
        "(datasets/generate_naphthalene_gfn2.py, CC0-1.0)"
    )
    labels = [f"{image.info['time_fs']:g} fs" for image in images]
    return _dataset(GFN2, description, images, labels, path, naphthalene())


DATA_SETS: dict[str, Callable[[Path], DataSet]] = {MD17: _md17, MD17_EXACT: _md17_exact, GFN2: _gfn2}
"""Makes each named set: takes the cache folder, and may raise :class:`bench.data.rmd17.Unavailable`."""


def _user_file(path: Path, series: bool, largest: int | None) -> DataSet:
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name one file of structures, or a data set ({', '.join(DATA_SETS)}).")
    if not path.is_file():
        raise BadInput(f"{path} is neither a file nor a data set; the data sets are {', '.join(DATA_SETS)}.")
    images = _read(path)
    if series and len({len(image) for image in images}) > 1:
        most = max(largest or 0, len(min(images, key=len)))
        return series_of([image for image in images if largest is None or len(image) <= most], path)
    labels = [str(index) for index in range(len(images))]
    description = f"{len(images)} structures of {path.name} (the user's file)"
    return _dataset(path.name, description, images, labels, path, images[0] if images else None)


def series_of(images: list[Atoms], path: Path) -> DataSet:
    """Return the data set of a series of systems: the smallest is measured, and :attr:`DataSet.series` holds all.

    Raises BadInput where two have the same number of atoms, or no method could be measured on one.
    """
    ordered = sorted(images, key=len)
    for one, other in itertools.pairwise(ordered):
        if len(one) == len(other):
            raise BadInput(f"two images of {path} have {len(one)} atoms; a series holds one system of each size.")
    each = [_dataset(path.name, "", [image], ["0"], path, image) for image in ordered]
    return dataclasses.replace(
        each[0],
        description=f"the smallest of {len(images)} systems of {path.name} (the user's file)",
        series=tuple(one.reference for one in each),
    )


def read_series(path: Path) -> tuple[Atoms, ...]:
    """Return the systems of a series that a run keeps; empty where it has none of its own."""
    return series_of(_read(path), path).series if path.exists() else ()


def naphthalene() -> Atoms:
    """Return the undistorted molecule, in MD17's order of atoms."""
    (atoms,) = _read(paths.datasets_dir() / "naphthalene.xyz")
    return atoms


def is_naphthalene(molecule: Atoms) -> bool:
    """Return whether a molecule has naphthalene's atoms and bonds, whatever their order."""
    ours = naphthalene()
    return sorted(molecule.numbers) == sorted(ours.numbers) and np.allclose(_bonds(molecule), _bonds(ours))


def _bonds(molecule: Atoms) -> np.ndarray:
    """Return the spectrum of the matrix of bonds and elements, which does not depend on the order of the atoms."""
    radii = covalent_radii[molecule.numbers]
    near = molecule.get_all_distances() < _BONDED * np.add.outer(radii, radii)
    return np.linalg.eigvalsh(np.where(near, 1.0, 0.0) + np.diag(molecule.numbers - 1.0))


def _read(path: Path) -> list[Atoms]:
    try:
        return list(ase.io.read(path, index=":", do_not_split_by_at_sign=True))
    except Exception as error:  # ASE's readers raise all kinds of exceptions
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise BadInput(f"ASE cannot read structures from {path} ({type(error).__name__}: {reason}).") from None


def _dataset(
    name: str,
    description: str,
    images: list[Atoms],
    labels: list[str],
    origin: object,
    reference: Atoms | None,
) -> DataSet:
    """Check the images and keep only what is measured; `origin` names the source in error messages."""
    if reference is None or not images:
        raise BadInput(f"{origin} holds no structure.")
    for index, image in enumerate(images):
        _check(image, reference, f"image {index} of {origin}")
    charge, spin = _common_state(images, origin)
    info = {"charge": charge, "spin": spin} if charge or not is_lowest(spin) else {}
    return DataSet(
        name=name,
        description=description,
        atoms=tuple(_stripped(image, info) for image in images),
        labels=tuple(labels),
        reference=_stripped(reference, info),
        digest=_digest(images, tuple(info.values())),
        formula=reference.get_chemical_formula(),
        charge=charge,
        spin=spin,
    )


def _stripped(image: Atoms, info: dict[str, int]) -> Atoms:
    return Atoms(image.numbers, image.positions, info=dict(info))


def _digest(images: list[Atoms], state: tuple[int, ...]) -> str:
    sha256 = hashlib.sha256()
    for image in images:
        sha256.update(image.numbers.astype("<i8").tobytes())
        sha256.update(np.rint(image.positions * 1e6).astype("<i8").tobytes())
    sha256.update(np.array(state, dtype="<i8").tobytes())  # not for neutral molecules: baselines are named by it
    return sha256.hexdigest()


def _common_state(images: list[Atoms], origin: object) -> tuple[int, int]:
    """Return the charge and the spin that all images have."""
    first, *others = (state_of(image, f"image {index} of {origin}") for index, image in enumerate(images))
    for index, state in enumerate(others, 1):
        if state != first:
            raise BadInput(
                f"image {index} of {origin} has charge {state[0]:+d} and spin multiplicity {state[1]} where "
                f"{first[0]:+d} and {first[1]} are expected; a data set holds one molecule in one state, so split "
                "the file."
            )
    return first


def _check(image: Atoms, reference: Atoms, here: str) -> None:
    """Refuse an image on which no method could be measured, in one sentence that names it."""
    if not len(image):
        raise BadInput(f"{here} has no atoms.")
    if image.pbc.any():
        raise BadInput(f"{here} is periodic, but only molecules are measured: remove its cell and set pbc to F F F.")
    if image.get_chemical_formula() != reference.get_chemical_formula():
        raise BadInput(
            f"{here} is {image.get_chemical_formula()} where {reference.get_chemical_formula()} is expected; "
            "a data set holds one molecule, so split the file (only '--protocols scaling' alone takes several)."
        )
    if (image.numbers != reference.numbers).any():
        raise BadInput(f"{here} lists the atoms in another order than the reference molecule; reorder it.")
    if (image.numbers == 0).any():
        raise BadInput(f"{here} has a dummy atom (X); remove it.")
    broken = np.flatnonzero(~np.isfinite(image.positions).all(axis=1))
    if len(broken):
        raise BadInput(f"{here} has a coordinate of atom {broken[0]} that is not a finite number; remove the image.")
    close = closest_pair(image)
    if close is not None and close.ratio < _OVERLAP:
        i, j = close.first, close.second
        raise BadInput(
            f"{here} has the atoms {i} ({image.symbols[i]}) and {j} ({image.symbols[j]}) only "
            f"{close.distance:.3f} Angstrom apart; are its coordinates in Angstrom?"
        )
