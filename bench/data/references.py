"""Reference labels: energies and forces at a data set's geometries, and minima with Hessians, by level of theory.

``<folder>/<data set>-<digest>/<level>.jsonl`` holds one line with where the labels come from, then one line a
structure. ``<folder>/minima/<molecule>-<level>.json`` holds a relaxed geometry and its Hessian, which serve every data
set of the same molecule. ``datasets/README.md`` describes them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from bench import paths
from bench.data.distances import bonds
from bench.data.files.state import state_of
from bench.errors import BadInput

ENERGY_DIGITS, FORCE_DIGITS = 6, 5  # eV, eV/Angstrom: a hundredth of a meV, far below the labels' own errors
POSITION_DIGITS, HESSIAN_DIGITS = 6, 5  # Angstrom, eV/Angstrom^2


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where labels come from."""

    level: str
    """Such as ``pbe0-def2-svp``."""
    theory: dict[str, str]
    """Functional, basis and dispersion."""
    settings: dict[str, Any]
    """What really ran, as the adapter reported it."""
    versions: dict[str, str]
    created: str
    pesbench: str


@dataclasses.dataclass(frozen=True)
class Labels:
    """Energies and forces of one level for structures of one data set, of one system or several."""

    origin: Origin
    dataset: str
    digest: str
    """The data set's."""
    energies: dict[int, float]
    """eV, by structure."""
    forces: dict[int, np.ndarray]
    """(n, 3) in eV/Angstrom, by structure."""


@dataclasses.dataclass(frozen=True)
class Minimum:
    """A level's minimum of a molecule, and its harmonic force constants, where they could be afforded."""

    origin: Origin
    molecule: Atoms
    """With its charge and multiplicity where they are not the usual ones."""
    hessian: np.ndarray | None
    """(3n, 3n) in eV/Angstrom^2; None where only the geometry is known."""
    energy: float
    """eV."""
    fmax: float
    """Largest force on an atom, eV/Angstrom."""
    source: str
    """``native`` for an analytic Hessian, ``central differences``, or what else it was made of."""


def folders() -> list[Path]:
    """Return where labels are looked for: those that come with pesbench, then the user's own."""
    return [paths.datasets_dir() / "references", own_folder()]


def own_folder() -> Path:
    """Return the folder in the cache for labels that the user made."""
    return paths.cache_dir() / "references"


def labels_of(name: str, digest: str, folder: Iterable[Path] | None = None) -> dict[str, Labels]:
    """Return the labels for a data set by level; a later folder's replace an earlier one's.

    They are found by the digest, whatever the name of the set's file. Raises BadInput for a file that cannot be read or
    belongs to another data set.
    """
    found: dict[str, Labels] = {}
    for where in folders() if folder is None else folder:
        for path in sorted(where.glob(f"*-{digest[:8]}/*.jsonl")):
            labels = read_labels(path)
            if labels.digest != digest:
                raise BadInput(
                    f"{path} holds labels for a data set with the digest {labels.digest[:12]}..., "
                    f"not for {name} ({digest[:12]}...); delete it, or make it anew with 'pesbench reference'."
                )
            found[labels.origin.level] = labels
    return found


def minima_of(reference: Atoms, folder: Iterable[Path] | None = None) -> dict[str, Minimum]:
    """Return the minima by level for the molecule of `reference`: see :func:`molecule_key`."""
    found: dict[str, Minimum] = {}
    for where in folders() if folder is None else folder:
        for path in sorted((where / "minima").glob(f"{molecule_key(reference)}-*.json")):
            minimum = read_minimum(path)
            found[minimum.origin.level] = minimum
    return found


def molecule_key(molecule: Atoms) -> str:
    """Return the formula with eight digits that tell molecules apart.

    The digits are those of a SHA-256 over the atomic numbers in order, the bonds between them, charge and multiplicity.
    Atoms closer than 1.3 times the sum of their covalent radii are bonded.
    """
    sha256 = hashlib.sha256()
    for part in (molecule.numbers, bonds(molecule), state_of(molecule, "the reference molecule")):
        sha256.update(np.asarray(part, dtype="<i8").tobytes())
    return f"{molecule.get_chemical_formula()}-{sha256.hexdigest()[:8]}"


def read_labels(path: Path) -> Labels:
    """Read a file of labels; raises BadInput."""
    try:
        head, *lines = map(json.loads, path.read_text().splitlines())
        labels = Labels(
            origin=Origin(**head["origin"]),
            dataset=head["dataset"],
            digest=head["digest"],
            energies={line["structure"]: float(line["energy"]) for line in lines},
            forces={line["structure"]: np.array(line["forces"], dtype=float) for line in lines},
        )
        if any(forces.ndim != 2 or forces.shape[1] != 3 for forces in labels.forces.values()):
            raise ValueError("its forces are not (n, 3)")
        _check_finite(*labels.energies.values(), *labels.forces.values())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is not a file of reference labels ({error}); delete it, or make it anew.") from None
    return labels


def write_labels(folder: Path, labels: Labels) -> Path:
    """Write labels in the order of the structures and return the file."""
    head = {"origin": dataclasses.asdict(labels.origin), "dataset": labels.dataset, "digest": labels.digest}
    lines = [head] + [
        {
            "structure": index,
            "energy": round(labels.energies[index], ENERGY_DIGITS),
            "forces": np.round(labels.forces[index], FORCE_DIGITS).tolist(),
        }
        for index in sorted(labels.energies)
    ]
    path = folder / key(labels.dataset, labels.digest) / f"{labels.origin.level}.jsonl"
    return _write(path, "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


def read_minimum(path: Path) -> Minimum:
    """Read a file with a minimum; raises BadInput."""
    try:
        fields = json.loads(path.read_text())
        molecule = Atoms(fields["numbers"], fields["positions"], info=fields["info"])
        rest = {name: fields[name] for name in ("energy", "fmax", "source")}
        lower = fields["hessian_lower"]
        hessian = None if lower is None else _whole(np.array(lower, dtype=float), 3 * len(molecule))
        _check_finite(molecule.positions, rest["energy"], rest["fmax"], *([] if hessian is None else [hessian]))
        return Minimum(Origin(**fields["origin"]), molecule, hessian, **rest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is not a file with a reference minimum ({error}); delete it.") from None


def write_minimum(folder: Path, minimum: Minimum) -> Path:
    """Write a minimum, with the lower half of its Hessian, and return the file."""
    fields = {
        "origin": dataclasses.asdict(minimum.origin),
        "numbers": minimum.molecule.numbers.tolist(),
        "info": minimum.molecule.info,
        "positions": np.round(minimum.molecule.positions, POSITION_DIGITS).tolist(),
        "energy": round(minimum.energy, ENERGY_DIGITS),
        "fmax": round(minimum.fmax, FORCE_DIGITS),
        "source": minimum.source,
        "hessian_lower": None if minimum.hessian is None else _lower(minimum.hessian),
    }
    path = folder / "minima" / f"{molecule_key(minimum.molecule)}-{minimum.origin.level}.json"
    return _write(path, json.dumps(fields) + "\n")


def _lower(hessian: np.ndarray) -> list[float]:
    """Return the lower half of the symmetric part, row by row."""
    symmetric = (hessian + hessian.T) / 2
    return np.round(symmetric[np.tril_indices(len(symmetric))], HESSIAN_DIGITS).tolist()


def _whole(lower: np.ndarray, size: int) -> np.ndarray:
    if lower.shape != (size * (size + 1) // 2,):
        raise ValueError("its Hessian is not that of its atoms")
    hessian = np.zeros((size, size))
    hessian[np.tril_indices(size)] = lower
    return hessian + np.tril(hessian, -1).T


def key(name: str, digest: str) -> str:
    """Return the name of a data set's folder."""
    return f"{Path(name).stem}-{digest[:8]}"


def _check_finite(*values: np.ndarray | float) -> None:
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError("a number is missing or not finite")


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(text)
        temporary.replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}; choose another folder with --output.") from None
    return path
