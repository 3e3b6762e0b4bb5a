"""Reference labels from the run that computed them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from bench.core.records import CONVERGED, DONE, FAILED
from bench.data import references
from bench.data.references import Labels, Minimum, Origin
from bench.errors import BadInput
from bench.protocols.accuracy.record import SinglePoint, Vibrations
from bench.results import store
from bench.results.store import Contents

NOT_THE_ANSWER = {"version", "threads", "memory-limit-mb", "guess"}
"""Settings that leave a converged result as it is."""


def write(
    directory: Path,
    level: str,
    theory: dict[str, str],
    molecule: Atoms,
    folder: Path,
    known: Labels | None = None,
) -> list[str]:
    """Write what the run directory has of a level into `folder`; returns a line on each file written.

    Beside labels, a line says why there is no minimum where one was looked for.

    `theory` has the functional, the basis and the dispersion; `molecule` is the data set's reference.
    Labels that were `known` before stay. Raises BadInput where those were computed with other settings.
    """
    contents = store.read(directory)
    points = [one for one in contents.of(SinglePoint) if one.status == DONE]
    looked_for = contents.of(Vibrations)
    minima = [one for one in looked_for if one.status == CONVERGED and one.hessian is not None]
    told = []
    if points:
        dataset = contents.description.dataset
        origin = _origin(contents, level, theory)
        energies = {one.structure: one.energy for one in points if one.energy is not None}
        forces = {one.structure: np.array(one.forces) for one in points}
        if known is not None:
            if _deciding(known.origin.settings) != _deciding(origin.settings):
                raise BadInput(f"the labels for {level} have other settings than {directory}; delete one of the two.")
            energies, forces = known.energies | energies, known.forces | forces
        path = references.write_labels(folder, Labels(origin, dataset.name, dataset.digest, energies, forces))
        told.append(f"{path}: energies and forces of {len(energies)} of {dataset.total} structures")
    if minima:
        last = minima[-1]
        assert last.energy is not None and last.fmax is not None
        relaxed = molecule.copy()
        relaxed.positions = last.positions
        minimum = Minimum(
            origin=_origin(contents, level, theory),
            molecule=relaxed,
            hessian=np.array(last.hessian),
            energy=last.energy,
            fmax=last.fmax,
            source=last.source,
        )
        told.append(f"{references.write_minimum(folder, minimum)}: the minimum and its Hessian")
    elif points and looked_for:
        failure = looked_for[-1].failure
        told.append(f"no minimum: {f'{failure.kind}: {failure.message}' if failure else 'its forces did not vanish'}")
    failed = [one.failure for one in contents.of(SinglePoint) if one.status == FAILED and one.failure]
    if failed:
        count = len(failed)
        told.append(f"{count} structure{'s' * (count > 1)} failed, the first with: {failed[0].message}")
    return told


def _origin(contents: Contents, level: str, theory: dict[str, str]) -> Origin:
    description = contents.description
    started = contents.started[-1]
    if any(_deciding(one.settings) != _deciding(started.settings) for one in contents.started):
        raise BadInput(f"{contents.description.run_id} was computed with several settings; delete its folder.")
    return Origin(
        level=level,
        theory=theory,
        settings=dict(started.settings),
        versions={name: text for name, text in started.versions.items() if name in ("ase", "numpy", "pyscf")},
        created=description.created,
        pesbench=description.pesbench,
    )


def _deciding(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in NOT_THE_ANSWER}
