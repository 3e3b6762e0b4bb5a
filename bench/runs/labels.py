"""Reference labels from the run that computed them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.contract.records import CONVERGED, DONE, SinglePoint, Vibrations
from bench.data import references
from bench.data.references import Labels, Minimum, Origin
from bench.errors import BadInput
from bench.runs import store
from bench.runs.store import Contents

NOT_THE_ANSWER = {"threads", "memory-limit-mb", "guess"}
"""Settings that leave a converged result as it is."""


def write(
    directory: Path,
    level: str,
    theory: dict[str, str],
    numbers: np.ndarray,
    folder: Path,
    known: Labels | None = None,
) -> list[str]:
    """Write what the run directory has of a level into `folder`; returns a line on each file written.

    Beside labels, a line says why there is no minimum where one was looked for.

    `theory` has the functional, the basis and the dispersion; `numbers` are the molecule's atomic numbers, (n,).
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
        energies = {one.structure: float(one.energy or 0.0) for one in points}
        forces = {one.structure: np.array(one.forces) for one in points}
        if known is not None:
            if _deciding(known.origin) != _deciding(origin):
                raise BadInput(f"the labels for {level} have other settings than {directory}; delete one of both.")
            energies, forces = known.energies | energies, known.forces | forces
        path = references.write_labels(folder, Labels(origin, dataset.name, dataset.digest, energies, forces))
        told.append(f"{path}: energies and forces of {len(energies)} of {dataset.total} structures")
    if minima:
        last = minima[-1]
        minimum = Minimum(
            origin=_origin(contents, level, theory),
            numbers=numbers,
            positions=np.array(last.positions),
            hessian=np.array(last.hessian),
            energy=float(last.energy or 0.0),
            fmax=float(last.fmax or 0.0),
            source=last.source,
        )
        told.append(f"{references.write_minimum(folder, minimum)}: the minimum and its Hessian")
    elif points and looked_for:
        failure = looked_for[-1].failure
        told.append(f"no minimum: {f'{failure.kind}: {failure.message}' if failure else 'its forces did not vanish'}")
    return told


def _origin(contents: Contents, level: str, theory: dict[str, str]) -> Origin:
    description = contents.description
    started = contents.started[-1]
    return Origin(
        level=level,
        theory=theory,
        settings=dict(started.settings),
        versions={name: text for name, text in started.versions.items() if name in ("ase", "numpy", "pyscf")},
        created=description.created,
        pesbench=description.pesbench,
    )


def _deciding(origin: Origin) -> dict[str, Any]:
    return {name: value for name, value in origin.settings.items() if name not in NOT_THE_ANSWER}
