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
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from bench import paths
from bench.core.description import Description
from bench.core.lines import from_fields, to_json
from bench.core.records import READABLE, Answer, NotMeasured, Record, Started, Watched
from bench.errors import BadInput
from bench.protocols import item_of
from bench.protocols.relax.record import Relaxation
from bench.protocols.replay.record import Replay

if TYPE_CHECKING:
    from bench.data.structures import DataSet

R = TypeVar("R", bound=Record)
UNFINISHED = "unfinished"
"""An empty file in the directory of a run that has not come to its end."""


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

    images = []
    for atoms, label in zip(dataset.atoms, dataset.labels, strict=True):
        image = atoms.copy()
        image.info["label"] = label
        images.append(image)
    try:
        (directory / "logs").mkdir(parents=True)  # the old version of a method may lie in the folder already
        write(directory / "structures.xyz", images, format="extxyz")
        write(directory / "reference.xyz", dataset.reference, format="extxyz")
        if dataset.series:
            write(directory / "series.xyz", dataset.series, format="extxyz")
        temporary = directory / "campaign.json.tmp"
        temporary.write_text(json.dumps(description.plain(), indent=1) + "\n")
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
    return directory / "logs" / f"{method}-{device.replace(':', '')}-round{number}.log"


def stored_dataset(directory: Path, description: Description) -> DataSet:
    """Return the data set of a run directory, from its own files."""
    from bench.data.structures import load_dataset, read_series

    stored = description.dataset
    dataset = load_dataset(directory / "structures.xyz")
    if dataset.digest != stored.digest:
        raise BadInput(f"{directory / 'structures.xyz'} is not what was measured; start a new run.")
    return dataclasses.replace(
        dataset,
        reference=load_dataset(directory / "reference.xyz").atoms[0],
        name=stored.name,
        description=stored.description,
        fallback=stored.fallback,
        series=read_series(directory / "series.xyz"),
    )


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


def find(run: str | Path | None, results: Path | None = None) -> Path:
    """Return the run directory named by `run`: a path, a run id, a folder of runs (its newest), or None (newest)."""
    results = results or paths.results_dir()
    if run is None:
        return _newest(results)
    for candidate in (Path(run), results / run):
        if (candidate / "campaign.json").is_file():
            return candidate
        if candidate.is_dir() and any(candidate.glob("*/campaign.json")):
            return _newest(candidate)
    raise BadInput(f"there is no run {str(run)!r} in {results}; 'ls {results}' shows the run ids.")


def _newest(results: Path) -> Path:
    runs = sorted(results.glob("*/campaign.json"), key=lambda path: path.stat().st_mtime_ns)
    if not runs:
        raise BadInput(f"there is no run in {results} yet; 'pesbench run' makes one.")
    return runs[-1].parent


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
    def watched(self) -> list[Watched]:
        """What else the machine did during the rounds."""
        return self.of(Watched)

    @property
    def damage(self) -> str:
        """One sentence on the skipped lines for the reader; empty where there are none."""
        if not self.damaged:
            return ""
        several = len(self.damaged) > 1
        numbers = ", ".join(map(str, self.damaged))
        return (
            f"line{'s' if several else ''} {numbers} of records.jsonl {'are' if several else 'is'} damaged and "
            f"{'were' if several else 'was'} skipped."
        )


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
    try:
        return Description.of(fields)
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

    A record of a method or a device that the run did not plan is damaged, too.
    """
    methods, devices = set(description.methods), set(description.settings.devices)
    kept: dict[tuple[Any, ...], Record] = {}
    damaged = []
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    for number, line in enumerate(lines[:-1], 1):  # after the last newline is an unfinished line or nothing
        try:
            record = from_fields(_parsed(line))
            if record.method not in methods or record.device not in devices:
                raise ValueError("the run has no such method or device")
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


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)  # orjson is fast: a long run is a hundred megabytes
    except ValueError:
        # version 0.1 wrote lone surrogates, which json reads and orjson does not
        return json.loads(line, parse_constant=_refused)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")
