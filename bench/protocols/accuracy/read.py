"""What the methods of a run are compared with: labels and minima from files, rMD17's own labels, experiment."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench import paths
from bench.core.description import DataSetFacts
from bench.data import references, rmd17
from bench.data.references import Labels
from bench.data.structures import MD17, DataSet
from bench.data.systems import System, digest, fixed_atoms
from bench.errors import BadInput
from bench.protocols.accuracy.over_systems import bound
from bench.protocols.accuracy.plan import ACCURACY
from bench.protocols.accuracy.record import SinglePoint
from bench.protocols.accuracy.truths import Bond, Experiment, Fundamental, Level, LevelMinimum, Truths
from bench.results.dataframes import Run
from bench.results.store import LABELS, stored_dataset

RMD17_THEORY = {"functional": "PBE", "basis": "def2-SVP", "dispersion": "none"}


def read(run: Run) -> tuple[Truths, ...] | None:
    """Return the references for each system of a run, None where it has no accuracy protocol.

    Raises BadInput for a wrong file.
    """
    from ase.io import read as read_atoms

    if ACCURACY not in run.description.settings.protocols:
        return None
    dataset = run.description.dataset
    labels = references.labels_of(dataset.name, dataset.digest, [*references.folders(), run.directory / LABELS])
    if len(dataset.systems) > 1:
        stored = stored_dataset(run.directory, run.description)
        return tuple(_of_system(stored, one, labels) for one in stored.systems if _measured(run, one))
    undistorted: Any = read_atoms(run.directory / "reference.xyz")
    molecule = not undistorted.pbc.any() and _free(undistorted) is None
    minima = references.minima_of(undistorted) if molecule else {}
    levels = _levels(labels, minima, _free(undistorted))
    missing = _missing(dataset, bool(labels), bool(minima)) if molecule else bound(dataset, bool(labels))
    control = None
    try:
        control = _rmd17(run, dataset)
    except BadInput as error:  # they only check ours
        missing = f"{missing} rMD17's labels are left out: {error}".strip()
    found = Truths(
        numbers=undistorted.numbers,
        masses=undistorted.get_masses(),
        levels=tuple([*levels, control] if control else levels),
        experiment=_experiment(undistorted),
        missing=missing,
        free=_free(undistorted),
    )
    return (found,)


def _measured(run: Run, system: System) -> bool:
    """Return whether a system was to be measured: ``--limit`` may leave some out."""
    measured = {one.structure for one in run.contents.of(SinglePoint)}
    return run.description.settings.limit is None or not measured or not measured.isdisjoint(system.frames)


def _of_system(dataset: DataSet, system: System, whole: Mapping[str, Labels]) -> Truths:
    """Return the references for one of several systems: its part of the labels of the `whole` set, and its own.

    Its own are those of a set with this system alone, such as the verb ``reference`` computes with ``--systems``.
    """
    labels = {level: _part(one, system.frames) for level, one in whole.items()}
    alone = references.labels_of(system.name, digest([dataset.atoms[one] for one in system.frames], [system]))
    for level, one in alone.items():
        here = _renumbered(one, system.frames)
        known = labels.get(level, here)
        labels[level] = dataclasses.replace(
            here, energies=known.energies | here.energies, forces=known.forces | here.forces
        )
    labels = {level: one for level, one in labels.items() if one.energies}
    minima = references.minima_of(system.reference) if system.free else {}
    return Truths(
        numbers=system.reference.numbers,
        masses=system.reference.get_masses(),
        levels=tuple(_levels(labels, minima, _free(system.reference))),
        experiment=_experiment(system.reference) if system.free else None,
        system=system.name,
        frames=system.frames,
        free=_free(system.reference),
    )


def _part(labels: Labels, frames: Sequence[int]) -> Labels:
    """Return the labels of some structures."""
    energies = {one: labels.energies[one] for one in frames if one in labels.energies}
    return dataclasses.replace(labels, energies=energies, forces={one: labels.forces[one] for one in energies})


def _renumbered(labels: Labels, frames: Sequence[int]) -> Labels:
    """Return the labels of a system alone by the numbers that its structures have in the run."""
    return dataclasses.replace(
        labels,
        energies={frames[one]: energy for one, energy in labels.energies.items()},
        forces={frames[one]: forces for one, forces in labels.forces.items()},
    )


def _levels(
    labels: Mapping[str, Labels], minima: Mapping[str, references.Minimum], free: np.ndarray | None
) -> list[Level]:
    return [
        Level(
            name=name,
            theory=(labels.get(name) or minima[name]).origin.theory,
            energies=labels[name].energies if name in labels else {},
            forces={
                number: one if free is None else one[free]
                for number, one in (labels[name].forces if name in labels else {}).items()
            },
            minimum=_minimum(minima[name]) if name in minima else None,
        )
        for name in dict.fromkeys([*labels, *minima])
    ]


def _free(atoms: Any) -> np.ndarray | None:
    """Return which atoms move; None where all do."""
    fixed = fixed_atoms(atoms)
    return ~np.isin(np.arange(len(atoms)), fixed) if fixed else None


def _minimum(found: references.Minimum) -> LevelMinimum:
    return LevelMinimum(found.molecule.positions, found.hessian, found.fmax, found.source)


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
