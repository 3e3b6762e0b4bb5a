"""Makes the name of a new run directory, and the contents of its ``campaign.json``."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench import __version__, paths
from bench.core.description import (
    DataSetFacts,
    Description,
    EnergyCounter,
    MethodFacts,
    ParallelSpeed,
    ScratchFacts,
    SystemFacts,
)
from bench.core.settings import Settings
from bench.data.structures import DataSet
from bench.data.systems import System, fixed_atoms
from bench.engine.coverage import reasons
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.errors import BadInput
from bench.machine.provenance import commit, machine


def describe(
    directory: Path,
    settings: Settings,
    catalogue: Catalogue,
    dataset: DataSet,
    parallel: ParallelSpeed,
    count: int,
    energy: Mapping[str, EnergyCounter] | None = None,
    scratch: ScratchFacts | None = None,
) -> Description:
    """Return the description of a new campaign; `count` structures are measured, with the counters in `energy`."""
    return Description(
        run_id=directory.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        pesbench=__version__,
        **commit(),
        settings=settings,
        machine=dataclasses.replace(machine(parallel, energy), scratch=scratch),
        dataset=DataSetFacts(
            name=dataset.name,
            description=dataset.description,
            fallback=dataset.fallback,
            digest=dataset.digest,
            formula=dataset.formula,
            count=count,
            total=len(dataset.atoms),
            charge=dataset.systems[0].charge if len(dataset.systems) == 1 else 0,
            spin=dataset.systems[0].spin if len(dataset.systems) == 1 else 1,
            series=len(dataset.series),
            systems=tuple(map(_system, dataset.systems)),
            unused=dataset.unused,
            notes=dataset.notes,
            given=dataset.given,
        ),
        methods={name: _facts(catalogue.methods[name], dataset, settings.relax_cell) for name in settings.methods},
        extra_adapters=tuple(str(path) for path in catalogue.extra),
    )


def new_directory(output: Path | None) -> Path:
    """Make an empty run directory, named after the time in UTC, and return its path; raises BadInput.

    It is made at once, so that of two runs that begin in the same second each has its own. If it is still empty when
    this process ends, it is removed: bad input was found, or there was nothing to write.
    """
    results = output or paths.results_dir()
    ours = not results.exists()
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        results.mkdir(parents=True, exist_ok=True)
        directory = next(filter(_made, (results / f"{stamp}{more}" for more in _endings())))
    except OSError as error:
        raise BadInput(f"cannot write to {results}: {error.strerror}; choose another folder with --output.") from None
    atexit.register(_remove_empty, directory.absolute(), ours)
    return directory


def _endings() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in itertools.count(2))


def _made(directory: Path) -> bool:
    """Make a directory; return whether it was not there before."""
    try:
        directory.mkdir()
    except FileExistsError:
        return False
    return True


def _remove_empty(directory: Path, parent: bool) -> None:
    with contextlib.suppress(OSError):  # it holds something, as it should, or is gone
        directory.rmdir()
        if parent:
            directory.parent.rmdir()


def _system(system: System) -> SystemFacts:
    atoms = system.reference
    return SystemFacts(
        name=system.name,
        formula=system.formula,
        atoms=len(atoms),
        charge=system.charge,
        spin=system.spin,
        periodic="".join("T" if one else "F" for one in atoms.pbc) if system.periodic else "",
        fixed=len(fixed_atoms(atoms)),
        masses=atoms.has("masses"),
        frames=system.frames,
    )


def _facts(method: Method, dataset: DataSet, relax_cell: bool) -> MethodFacts:
    checkpoint = method.checkpoint
    return MethodFacts(
        label=method.label,
        left_out=reasons(method, dataset.systems, relax_cell),
        family=method.family,
        kind=method.kind,
        paper=method.paper,
        native=method.native,
        model_label=method.model_label,
        conservative=method.conservative,
        parameters=method.parameters,
        dtype=method.dtypes[0],
        weights="pretrained" if checkpoint else "none",
        checkpoint=dataclasses.asdict(checkpoint) if checkpoint else None,
        theory=dataclasses.asdict(method.theory) if method.theory else None,
        tuned=method.tuned,
        engine_of=method.engine_of,
        energy_limit=method.energy_limit,
        force_limit=method.force_limit,
        note=method.note,
    )


def with_own_checkpoints(catalogue: Catalogue, described: Description) -> None:
    """Add the user's own checkpoints of a run to the catalogue; raises BadInput where one is no longer what it was."""
    for name, path in described.settings.checkpoints.items():
        if not Path(path).exists():
            raise BadInput(f"the run measured {name} with {path}, which is not there any more; put it back.")
        (method,) = catalogue.select(name.removesuffix(Path(path).name) + path)
        began = (described.methods[name].checkpoint or {}).get("sha256")
        if method.checkpoint is not None and began not in (None, method.checkpoint.sha256):
            raise BadInput(f"{path} is not the file with which the run began (SHA-256 {began[:12]}); start a new run.")


def check_methods(catalogue: Catalogue, names: tuple[str, ...]) -> None:
    """Raise BadInput where a method of a stored run has no adapter here."""
    for name in names:
        if name not in catalogue.methods:
            raise BadInput(f"the run measured {name!r}, whose adapter is missing here; give it with --adapter FILE.")
