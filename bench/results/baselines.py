"""Baselines: earlier answers of methods, kept in the repository, with which later runs are compared."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench import paths
from bench.analysis.fingerprint import Fingerprint, Relaxed, bonds_of, differences, fingerprints
from bench.analysis.times import Key
from bench.core.device import is_accelerator
from bench.errors import BadInput
from bench.results.dataframes import Run

FOLDER = "baselines"
DIGITS = 9  # of a force in eV/Angstrom: far below every tolerance


def folder() -> Path:
    """Return the folder for new baselines; these take precedence over the project's own."""
    return paths.results_dir() / FOLDER


def of_run(run: Run) -> dict[Key, Fingerprint]:
    """Return the fingerprints of a run, by method and device."""
    from ase.io import read

    if run.answers.empty:
        return {}
    references = read(run.directory / "reference.xyz", index=":")
    pairs = [bonds_of(one.numbers, one.positions) for one in references]
    system_of = run.description.dataset.system_of
    return fingerprints(
        run.description,
        run.measured_methods,
        run.answers,
        run.structures,
        lambda structure: pairs[system_of.get(structure, 0)],
    )


def checked(run: Run) -> dict[Key, list[str]]:
    """Return, for each method and device of a run with a baseline, where its answers differ from it.

    The baseline of an engine is the method whose checkpoint it computes, in the same run where that measured it, too.
    """
    found = {}
    prints = of_run(run)
    for key, new in prints.items():
        facts = run.description.methods[new.method]
        other = facts.engine_of or new.method
        old = prints.get((other, key[1])) if facts.engine_of else None
        old = old or read_baseline(other, new.dataset)
        limits = (facts.energy_limit or 0.0, facts.force_limit or 0.0)
        words = differences(new, old, *limits) if old is not None else None
        if words is not None:
            found[key] = words
    return found


def keep(run: Run) -> list[Path]:
    """Write the fingerprints of a run as baselines, replacing older ones; returns the files.

    Those of random weights are left out, because their answers mean nothing. So is one without relaxed geometries where
    the baseline has some. Of several devices, the CPU's is kept.
    """
    written = []
    for (method, device), fingerprint in sorted(of_run(run).items(), key=lambda item: is_accelerator(item[0][1])):
        path = folder() / _name(method, fingerprint.dataset)
        if fingerprint.weights == "random" or path in written:
            continue
        if not fingerprint.relaxed and _has_relaxations(_path(method, fingerprint.dataset)):
            continue
        versions = next((s.versions for s in run.contents.started if (s.method, s.device) == (method, device)), {})
        document = {
            **_plain(fingerprint),
            "dataset_name": run.description.dataset.name,
            "device": device,
            "machine": run.description.machine.cpu,
            "created": run.description.created,
            "commit": run.description.commit,
            "versions": versions,
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, indent=1) + "\n")
        except OSError as error:
            raise BadInput(f"cannot write {path}: {error.strerror}.") from None
        written.append(path)
    return written


def read_baseline(method: str, dataset: str) -> Fingerprint | None:
    """Return the baseline of a method over a data set, or None; BadInput where the file is damaged."""
    path = _path(method, dataset)
    if not path.is_file():
        return None
    try:
        fields = json.loads(path.read_text())
        return Fingerprint(
            **{field.name: fields[field.name] for field in dataclasses.fields(Fingerprint) if field.name != "tf32"}
            | {
                "tf32": fields.get("tf32", False),  # baselines of 0.1 do not say
                "energies": _by_structure(fields["energies"], float),
                "forces": _by_structure(fields["forces"], np.array),
                "relaxed": _by_structure(fields["relaxed"], lambda one: Relaxed(one["energy"], tuple(one["bonds"]))),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"the baseline {path} is damaged ({error}); 'pesbench baseline RUN' writes a new one.") from None


def _has_relaxations(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text())["relaxed"])
    except (OSError, ValueError, KeyError, TypeError):  # missing or damaged, so it is replaced
        return False


def _path(method: str, dataset: str) -> Path:
    """Return the file of a baseline: the user's, else the project's own."""
    name = _name(method, dataset)
    own = folder() / name
    return own if own.is_file() else paths.shipped_results_dir() / FOLDER / name


def _name(method: str, dataset: str) -> str:
    return f"{dataset.removeprefix('sha256:')[:12]}/{method}.json"


def _by_structure(fields: Mapping[str, Any], of: Any) -> dict[int, Any]:
    return {int(index): of(value) for index, value in fields.items()}


def _plain(fingerprint: Fingerprint) -> dict[str, Any]:
    return dataclasses.asdict(fingerprint) | {
        "forces": {index: np.round(forces, DIGITS).tolist() for index, forces in fingerprint.forces.items()},
    }
