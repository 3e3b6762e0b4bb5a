"""A run directory: writing and reading its append-only JSON lines.

One campaign writes one directory: ``campaign.json`` (the plan and the machine), ``structures.xyz`` (the data set),
``records.jsonl`` (the results) and ``logs/``. ``docs/format.md`` describes them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from bench import paths
from bench.core.description import Description, SystemFacts
from bench.core.failure import LOGGED, Failure, log_name
from bench.core.lines import from_fields, spans, to_json
from bench.core.records import READABLE, Answer, Driven, NotMeasured, Record, Started, Watched
from bench.errors import BadInput
from bench.protocols import item_of
from bench.protocols.relax.record import Relaxation
from bench.protocols.replay.record import Replay
from bench.results import finding
from bench.results.finding import UNFINISHED

if TYPE_CHECKING:
    from ase import Atoms

    from bench.data.structures import DataSet
    from bench.data.systems import System

R = TypeVar("R", bound=Record)
OF_THE_FILE = "of-the-file"
"""The level of the labels that the user's files have."""
LABELS = "references"
"""The folder in a run directory with these labels."""
find = finding.find


class RunWriter:
    """Appends records to a run directory; each is on the disk before :meth:`append` returns."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        path = directory / "records.jsonl"
        (directory / "logs").mkdir(exist_ok=True)  # empty folders get lost when a run is copied between machines
        _mend_torn_line(path)
        self._file = path.open("ab", buffering=0)

    def append(self, record: Record) -> None:
        """Write one record completely or not at all; raises OSError where the disk is full or gone."""
        line = to_json(record).encode() + b"\n"
        end = os.fstat(self._file.fileno()).st_size
        try:
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def create(directory: Path, description: Description, dataset: DataSet) -> RunWriter:
    """Make the run directory `directory` for a new campaign; raises BadInput where it cannot be written."""
    from ase.io import write

    names = [dataset.systems[number].name for number in dataset.system_of]
    images = [
        _noted(atoms, label=label, system=name)
        for atoms, label, name in zip(dataset.atoms, dataset.labels, names, strict=True)
    ]
    try:
        (directory / "logs").mkdir(parents=True)  # the old version of a method may lie in the folder already
        write(directory / "structures.xyz", images, format="extxyz")
        write(directory / "reference.xyz", _references(dataset.systems), format="extxyz")
        if dataset.series:
            write(directory / "series.xyz", _references(dataset.series), format="extxyz")
        _keep_labels(directory, description, dataset)
        temporary = directory / "campaign.json.tmp"
        temporary.write_text(json.dumps(description.written(), indent=1) + "\n")
        temporary.rename(directory / "campaign.json")
        return RunWriter(directory)
    except OSError as error:
        raise BadInput(f"cannot write to {directory}: {error.strerror}; choose another folder with --output.") from None


def cannot_write(directory: Path, why: str | None) -> BadInput:
    """Return the error for a run whose disk is full or gone."""
    return BadInput(
        f"cannot write to {directory}: {why}; all earlier results are kept, continue with: "
        f"{paths.resume_command(directory)}"
    )


def log_of(directory: Path, method: str, device: str, number: int) -> Path:
    """Return the file for the standard error of a method's worker in one round."""
    return directory / log_name(method, device, number)


def log_told(log: Path, failure: Failure) -> str:
    """Return where to read what the worker of a failure printed, as the end of a sentence; empty if it is nothing."""
    if failure.kind not in LOGGED or not log.exists() or not log.stat().st_size:
        return ""
    return f"; see {paths.shown(log)}"


def stored_dataset(directory: Path, description: Description) -> DataSet:
    """Return the data set of a run directory, from its own files."""
    from bench.data.structures import DataSet
    from bench.data.systems import digest

    stored = description.dataset
    images = _images(directory / "structures.xyz")
    labels = tuple(str(image.info.get("label", index)) for index, image in enumerate(images))
    every = SystemFacts(stored.formula, stored.formula, 0, frames=tuple(range(len(images))))
    # a run that is older than systems has one
    facts = stored.systems or (every,)
    references = _images(directory / "reference.xyz")
    if len(references) != len(facts):
        raise BadInput(f"{directory / 'reference.xyz'} is not what was measured; start a new run.")
    systems = tuple(_system(image, one.name, one.frames) for image, one in zip(references, facts, strict=True))
    atoms = tuple(_measured(image) for image in images)
    if digest(atoms, systems) != stored.digest:
        raise BadInput(f"{directory / 'structures.xyz'} is not what was measured; start a new run.")
    series = directory / "series.xyz"
    return DataSet(
        name=stored.name,
        description=stored.description,
        fallback=stored.fallback,
        atoms=atoms,
        labels=labels,
        systems=systems,
        digest=stored.digest,
        series=tuple(_system(one, str(one.info.get("system")), ()) for one in _images(series))
        if series.exists()
        else (),
        unused=stored.unused,
        notes=stored.notes,
        given=stored.given,
    )


def _keep_labels(directory: Path, description: Description, dataset: DataSet) -> None:
    """Keep what the user's files say of energies and forces, as labels of a level of their own."""
    from bench.data.references import Labels, Origin, write_labels

    known = {index: one for index, one in enumerate(dataset.known) if one is not None}
    both = {index: one for index, one in known.items() if one.energy is not None and one.forces is not None}
    if not both:
        return
    origin = Origin(
        level=OF_THE_FILE,
        theory={},
        settings={"source": next(iter(both.values())).source},
        versions={},
        created=description.created,
        pesbench=description.pesbench,
    )
    energies = {index: float(one.energy) for index, one in both.items() if one.energy is not None}
    forces = {index: one.forces for index, one in both.items() if one.forces is not None}
    write_labels(directory / LABELS, Labels(origin, dataset.name, dataset.digest, energies, forces))


def _noted(atoms: Atoms, **facts: str) -> Atoms:
    image = atoms.copy()
    image.info |= facts
    return image


def _references(systems: Sequence[System]) -> list[Atoms]:
    return [_noted(one.reference, system=one.name) for one in systems]


def _images(path: Path) -> list[Atoms]:
    """Return the images of a file that :func:`create` wrote; raises BadInput where it cannot be read."""
    from ase.io import read

    try:
        return list(read(path, index=":", format="extxyz", do_not_split_by_at_sign=True))
    except Exception as error:  # ASE's readers raise all kinds of exceptions
        raise BadInput(f"{path} cannot be read ({error}); start a new run.") from None


def _measured(image: Atoms) -> Atoms:
    """Return an image as it is measured."""
    from ase import Atoms

    atoms = Atoms(image.numbers, image.positions, cell=image.cell, pbc=image.pbc, constraint=image.constraints)
    if image.has("masses"):
        atoms.set_masses(image.get_masses())
    atoms.info = {name: int(image.info[name]) for name in ("charge", "spin") if name in image.info}
    return atoms


def _system(image: Atoms, name: str, frames: tuple[int, ...]) -> System:
    from bench.data.systems import System

    atoms = _measured(image)
    electrons = int(atoms.numbers.sum()) - atoms.info.get("charge", 0)
    spin = atoms.info.get("spin", 1 + electrons % 2)
    return System(name, atoms, atoms.info.get("charge", 0), spin, frames)


def _mend_torn_line(path: Path) -> None:
    """Remove a last line that a kill left unfinished: the structure in flight is measured again."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)


def start(directory: Path) -> None:
    """Mark a run as unfinished: what ends it early, even a power failure, leaves the mark."""
    (directory / UNFINISHED).touch()


def finish(directory: Path) -> None:
    """Remove the mark: all that was planned has been measured."""
    (directory / UNFINISHED).unlink(missing_ok=True)


def newest_unfinished(results: Path | None, protocols: tuple[str, ...]) -> Path | None:
    """Return the newest run with these protocols that was stopped before its end, if there is one."""
    runs = sorted((results or paths.results_dir()).glob(f"*/{UNFINISHED}"), key=lambda path: path.stat().st_mtime_ns)
    found = [path.parent for path in runs if describe(path.parent).settings.protocols == protocols]
    return found[-1] if found else None


@dataclasses.dataclass(frozen=True)
class Contents:
    """A run directory as read."""

    description: Description
    records: tuple[Record, ...]
    """In order; later ones replace earlier ones."""
    damaged: tuple[int, ...] = ()
    """Numbers, from 1, of the lines of ``records.jsonl`` that could not be read."""

    def of(self, kind: type[R]) -> list[R]:
        """Return the records of one kind."""
        return [record for record in self.records if type(record) is kind]

    @functools.cached_property
    def started(self) -> list[Started]:
        """Workers that became ready."""
        return self.of(Started)

    @functools.cached_property
    def relaxations(self) -> list[Relaxation]:
        """Relaxed structures."""
        return self.of(Relaxation)

    @functools.cached_property
    def replays(self) -> list[Replay]:
        """Replayed paths."""
        return self.of(Replay)

    @functools.cached_property
    def answers(self) -> list[Answer]:
        """The methods' answers at the structures of their fingerprints."""
        return self.of(Answer)

    @functools.cached_property
    def driven(self) -> list[Driven]:
        """Steps of dynamics that were timed beside a protocol."""
        return self.of(Driven)

    @functools.cached_property
    def watched(self) -> list[Watched]:
        """What else the machine did during the rounds."""
        return self.of(Watched)

    @property
    def damage(self) -> str:
        """One sentence on the skipped lines for the reader; empty where there are none."""
        if not self.damaged:
            return ""
        if len(self.damaged) == 1:
            return f"line {self.damaged[0]} of records.jsonl is damaged, or of another pesbench, and was skipped."
        return f"lines {spans(self.damaged)} of records.jsonl are damaged, or of another pesbench, and were skipped."


def describe(directory: Path) -> Description:
    """Read the plan of a run directory; raises BadInput for another format or a damaged file."""
    try:
        fields = json.loads((directory / "campaign.json").read_bytes())
        version = fields["format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"{directory} is not a run directory: its campaign.json cannot be read.") from None
    if version not in READABLE:
        raise BadInput(
            f"{directory} has format {version}, and this pesbench reads the formats {READABLE[0]} to {READABLE[-1]}; "
            f"use the pesbench that wrote it ({fields.get('pesbench', 'unknown')})."
        )
    about = finding.about(directory)
    try:
        return dataclasses.replace(
            Description.of(fields),
            name=about.name,
            tags=about.tags,
            incomplete=(directory / UNFINISHED).exists(),
        )
    except ValueError as error:
        raise BadInput(f"the campaign.json of {directory} is damaged: {error}.") from None


def read(directory: Path) -> Contents:
    """Read a run directory; raises BadInput as :func:`describe` does.

    Damaged lines are skipped; for an unfinished last line, nothing is reported.
    """
    description = describe(directory)
    with no_collector():
        records, damaged = _read_records(directory / "records.jsonl", description)
    return Contents(description, records, damaged)


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Turn the garbage collector off: it would search millions of numbers for cycles, again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read_records(path: Path, description: Description) -> tuple[tuple[Record, ...], tuple[int, ...]]:
    """Return the records of a file in order, where later ones replace earlier ones, and the damaged lines.

    A record of a method or a device that the run did not plan is damaged, too, and one of another number of atoms than
    its structure has.
    """
    methods, devices = set(description.methods), set(description.settings.devices)
    atoms = {frame: one.atoms for one in description.dataset.systems for frame in one.frames}
    kept: dict[tuple[Any, ...], Record] = {}
    damaged = []
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    for number, line in enumerate(lines[:-1], 1):  # after the last newline is an unfinished line or nothing
        try:
            record = from_fields(_parsed(line))
            if record.method not in methods or record.device not in devices:
                raise ValueError("the run has no such method or device")
            if not _fits(record, atoms):
                raise ValueError("it is of another number of atoms")
        except (ValueError, RecursionError):
            damaged.append(number)
            continue
        what = item_of(record) or getattr(record, "structure", getattr(record, "part", None))
        key = (record.record, record.method, record.device, record.round, what)
        kept.pop(key, None)
        kept[key] = record
        if isinstance(record, Started):  # the obstacle is gone, or the run was resumed
            kept.pop((NotMeasured.record, *key[1:]), None)
    return tuple(kept.values()), tuple(damaged)


def _fits(record: Record, atoms: Mapping[int, int]) -> bool:
    """Return whether what a record has of each atom is as long as its structure has atoms, where that is known."""
    count = atoms.get(getattr(record, "structure", getattr(record, "molecule", -1)))
    each = (getattr(record, name, None) for name in ("forces", "positions", "force_deviations"))
    return count is None or all(len(one) == count for one in each if one)


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)  # orjson is fast: a long run is a hundred megabytes
    except ValueError:
        # version 0.1 wrote lone surrogates, which json reads and orjson does not
        return json.loads(line, parse_constant=_refused)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")
