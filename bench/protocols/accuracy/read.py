"""What the methods of a run are compared with: labels and minima from files, rMD17's own labels, experiment."""

from __future__ import annotations

import json
import shlex
from typing import Any

from bench import paths
from bench.core.description import DataSetFacts
from bench.data import references, rmd17
from bench.data.structures import MD17
from bench.errors import BadInput
from bench.protocols.accuracy.plan import ACCURACY
from bench.protocols.accuracy.truths import Bond, Experiment, Fundamental, Level, Minimum, Truths
from bench.results.dataframes import Run
from bench.results.store import LABELS

RMD17_THEORY = {"functional": "PBE", "basis": "def2-SVP", "dispersion": "none"}


def read(run: Run) -> Truths | None:
    """Return the references for a run, None where it has no accuracy protocol; raises BadInput for a wrong file."""
    from ase.io import read as read_atoms

    if ACCURACY not in run.description.settings.protocols:
        return None
    undistorted: Any = read_atoms(run.directory / "reference.xyz")
    dataset = run.description.dataset
    labels = references.labels_of(dataset.name, dataset.digest, [*references.folders(), run.directory / LABELS])
    minima = references.minima_of(undistorted)
    levels = [
        Level(
            name=name,
            theory=(labels.get(name) or minima[name]).origin.theory,
            energies=labels[name].energies if name in labels else {},
            forces=labels[name].forces if name in labels else {},
            minimum=_minimum(minima[name]) if name in minima else None,
        )
        for name in dict.fromkeys([*labels, *minima])
    ]
    missing = _missing(dataset, bool(labels), bool(minima))
    control = None
    try:
        control = _rmd17(run, dataset)
    except BadInput as error:  # they only check ours
        missing = f"{missing} rMD17's labels are left out: {error}".strip()
    return Truths(
        numbers=undistorted.numbers,
        masses=undistorted.get_masses(),
        levels=tuple([*levels, control] if control else levels),
        experiment=_experiment(undistorted),
        missing=missing,
    )


def _minimum(found: references.Minimum) -> Minimum:
    return Minimum(found.molecule.positions, found.hessian, found.fmax, found.source)


def _missing(dataset: DataSetFacts, labels: bool, minima: bool) -> str:
    if labels and minima:
        return ""
    if labels:
        return f"There is no reference minimum of {dataset.formula}, so geometries and frequencies have no reference."
    rest = "relaxed geometries and frequencies only" if minima else "no reference at all"
    named = dataset.given if "--structures" in dataset.given else ("--structures", dataset.name, *dataset.given)
    structures = shlex.join(named[1:])
    return (
        f"There are no reference labels for {dataset.name}: {rest}. "
        f"'pesbench reference --level pbe0-def2-svp --structures {structures}' makes some."
    )


def _rmd17(run: Run, dataset: DataSetFacts) -> Level | None:
    """Return rMD17's own labels, which check ours; None for another data set, or where the files are not here."""
    from ase.io import read as read_atoms

    if dataset.name != MD17:
        return None
    images: Any = read_atoms(run.directory / "structures.xyz", ":")
    names = {int(image.info["label"]): number for number, image in enumerate(images)}
    try:
        found = rmd17.labels(paths.cache_dir(), set(names))
    except rmd17.Unavailable:
        return None
    return Level(
        name="rMD17",
        theory=RMD17_THEORY,
        energies={names[index]: energy for index, (energy, _) in found.items()},
        forces={names[index]: forces for index, (_, forces) in found.items()},
        control=True,
    )


def _experiment(undistorted: Any) -> Experiment | None:
    """Return what was measured of the molecule; None where pesbench has nothing on it."""
    path = paths.datasets_dir() / "experiment" / f"{references.molecule_key(undistorted)}.json"
    if not path.is_file():
        return None
    try:
        fields = json.loads(path.read_text())
        return Experiment(
            bonds=tuple(Bond(one["name"], tuple(map(tuple, one["pairs"])), one["angstrom"]) for one in fields["bonds"]),
            fundamentals=tuple(Fundamental(one["species"], one["place"], one["cm1"]) for one in fields["fundamentals"]),
            sources=tuple(fields["sources"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); restore it from pesbench.") from None
