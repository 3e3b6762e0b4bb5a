"""A run directory: append-only JSON lines, and what is read back from them.

One campaign writes one directory: ``campaign.json`` (what was planned, where), ``structures.xyz`` (what was
measured on), ``records.jsonl`` (what came out) and ``logs/``. ``docs/format.md`` describes them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from bench import paths
from bench.contract.records import (
    FORMAT,
    Answer,
    Finished,
    NotMeasured,
    Record,
    Relaxation,
    Replay,
    Started,
    Symmetry,
    Trajectory,
    Watched,
    from_fields,
    to_json,
)
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.data.structures import DataSet


class RunWriter:
    """Appends records to a run directory; each is on the disk before :meth:`append` returns."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        path = directory / "records.jsonl"
        _mend_torn_line(path)
        self._file = path.open("ab", buffering=0)

    def append(self, record: Record) -> None:
        """Write one record whole or not at all; raises OSError where the disk is full or gone."""
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


def create(directory: Path, campaign: dict[str, Any], dataset: DataSet) -> RunWriter:
    """Make the run directory `directory` for a new campaign; raises BadInput where it cannot be written."""
    from ase.io import write

    images = []
    for atoms, label in zip(dataset.atoms, dataset.labels, strict=True):
        image = atoms.copy()
        image.info["label"] = label
        images.append(image)
    try:
        (directory / "logs").mkdir(parents=True)
        write(directory / "structures.xyz", images, format="extxyz")
        write(directory / "reference.xyz", dataset.reference, format="extxyz")
        temporary = directory / "campaign.json.tmp"
        temporary.write_text(json.dumps({"format": FORMAT, **campaign}, indent=1) + "\n")
        temporary.rename(directory / "campaign.json")
        return RunWriter(directory)
    except OSError as error:
        raise BadInput(f"cannot write to {directory}: {error.strerror}; choose another folder with --output.") from None


def log_of(directory: Path, method: str, device: str, round_number: int) -> Path:
    """Return the file in which the standard error of a round's workers is kept."""
    return directory / "logs" / f"{method}-{device.replace(':', '')}-round{round_number}.log"


def stored_dataset(directory: Path, campaign: dict[str, Any]) -> DataSet:
    """Return the data set that a run directory was measured on, from its own files."""
    from bench.data.structures import load_dataset

    stored = campaign["dataset"]
    dataset = load_dataset(directory / "structures.xyz")
    if dataset.digest != stored["digest"]:
        raise BadInput(f"{directory / 'structures.xyz'} is not what was measured; start a new run.")
    return dataclasses.replace(
        dataset,
        reference=load_dataset(directory / "reference.xyz").atoms[0],
        **{name: stored[name] for name in ("name", "description", "fallback")},
    )


def _mend_torn_line(path: Path) -> None:
    """Cut off a last line that a kill left unfinished: the structure in flight is measured again."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)


def find(run: str | Path | None, results: Path | None = None) -> Path:
    """Return the run directory that `run` means: a path, a run id, a folder of runs (its newest), None (newest)."""
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
        raise BadInput(f"there is no run in {results} yet; 'make bench' makes one.")
    return runs[-1].parent


class Contents(NamedTuple):
    """A run directory as read: the campaign, and the records of each kind, later ones in place of earlier."""

    campaign: dict[str, Any]
    started: list[Started]
    relaxations: list[Relaxation]
    replays: list[Replay]
    finished: list[Finished]
    not_measured: list[NotMeasured]
    watched: list[Watched]
    answers: list[Answer]
    symmetries: list[Symmetry]
    trajectories: list[Trajectory]


def campaign(directory: Path) -> dict[str, Any]:
    """Read what a run directory's campaign planned; a foreign format is BadInput."""
    try:
        found = json.loads((directory / "campaign.json").read_bytes())
        version = found["format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"{directory} is no run directory: its campaign.json cannot be read.") from None
    if version != FORMAT:
        raise BadInput(
            f"{directory} has format {version}, and this pesbench reads format {FORMAT}; "
            f"use the pesbench that wrote it ({found.get('pesbench', 'unknown')})."
        )
    return found


def read(directory: Path) -> Contents:
    """Read a run directory; a torn last line is passed over, a foreign format is BadInput."""
    planned = campaign(directory)
    path = directory / "records.jsonl"
    with no_collector():
        records = _read_records(path)
    by_kind: dict[type[Record], list[Any]] = {}
    for record in records:
        by_kind.setdefault(type(record), []).append(record)
    kinds = (Started, Relaxation, Replay, Finished, NotMeasured, Watched, Answer, Symmetry, Trajectory)
    return Contents(planned, *(by_kind.get(kind, []) for kind in kinds))


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Keep the garbage collector off: it would search millions of numbers for cycles, again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read_records(path: Path) -> list[Record]:
    """Return the records of a file in their order, later ones in place of earlier ones."""
    kept: dict[tuple[Any, ...], Record] = {}
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    for number, line in enumerate(lines[:-1], 1):  # what follows the last newline is a torn line or nothing
        try:
            record = from_fields(orjson.loads(line))  # a long run is a hundred megabytes
        except ValueError as error:
            raise BadInput(f"line {number} of {path} is damaged ({error}); remove it to read the rest.") from None
        what = getattr(record, "structure", getattr(record, "trajectory", None))
        key = (record.record, record.method, record.device, record.round, what)
        kept.pop(key, None)
        kept[key] = record
        if isinstance(record, Started):  # what stood in the way is gone, or the run was resumed
            kept.pop((NotMeasured.record, *key[1:]), None)
    return list(kept.values())
