"""Joins runs of several machines, or of several nodes of a cluster, into one: each brings whole rounds."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.analysis import likeness
from bench.core.description import Description, Node
from bench.core.lines import to_json
from bench.core.records import Record, Watched
from bench.core.settings import Settings
from bench.errors import BadInput
from bench.protocols import PROTOCOLS, protocol_of
from bench.results import store
from bench.results.store import Contents

MERGED = tuple(name for name, protocol in PROTOCOLS.items() if protocol.merges)
"""Protocols whose rounds repeat the same work. A second round of md or accuracy would count the same result twice."""


@dataclasses.dataclass(frozen=True)
class JoinedRun:
    """One of the runs to be joined."""

    directory: Path
    contents: Contents

    @property
    def description(self) -> Description:
        """Its plan and machine."""
        return self.contents.description

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What tells it from other runs; two that began in the same second have other times in their first record."""
        first = to_json(self.contents.records[0]) if self.contents.records else ""
        return self.description.run_id, self.description.machine.node, self.description.settings.order, first

    @property
    def rounds(self) -> int:
        """The number of its rounds, repeats of disturbed ones included."""
        return 1 + max([record.round for record in self.contents.records], default=self.description.settings.rounds - 1)


def merge(directories: Sequence[Path], output: Path, force: bool = False) -> list[str]:
    """Write the run that all these runs make together, and return what is to be said about it.

    The rounds are numbered anew, in the order of the runs' names. The same runs always give the same files, and a run
    that is named twice counts once. `force` joins runs that differ; each round then still knows its machine.

    Raises BadInput where a run cannot be read or merged, where two are too different, and where `output` exists.
    """
    parts = sorted(
        (JoinedRun(path, _repeated(store.read(path))) for path in {path.resolve() for path in directories}),
        key=lambda part: (part.description.created, part.key),
    )
    distinct = {part.key: part for part in parts}
    said = [
        f"{part.directory} is the run {part.description.run_id} again and counts once"
        for part in parts
        if distinct[part.key] is not part
    ]
    parts = list(distinct.values())
    for part in parts:
        _check(part)
    unlike = [f"{part.directory.name}: {why}" for part in parts[1:] for why in _unlike(parts[0], part)]
    if unlike and not force:
        raise BadInput(
            f"these runs differ from {parts[0].directory.name}, so their rounds cannot be paired: {'; '.join(unlike)}. "
            "--force joins them anyway."
        )
    said += [f"joined although it differs: {why}" for why in unlike]
    if (output / "campaign.json").exists():
        raise BadInput(f"{output} is a run already; name another folder with --output.")
    _write(parts, output)
    said += [
        f"{machine.node or part.directory.name} used no copies on its own disk: {machine.scratch.trouble}"
        for part in parts
        if (machine := part.description.machine).scratch is not None and machine.scratch.trouble
    ]
    said += [
        f"{part.directory.name} was not finished" for part in parts if (part.directory / store.UNFINISHED).exists()
    ]
    return said


def _repeated(contents: Contents) -> Contents:
    """Return what was measured without what a run adds by itself, which another machine would only repeat."""
    short = contents.description.settings.phase_s
    if not short:
        return contents
    settings = contents.description.settings
    protocols = tuple(name for name in settings.protocols if PROTOCOLS[name].phase not in short)
    settings = dataclasses.replace(settings, protocols=protocols, phase_s={})
    return dataclasses.replace(
        contents,
        description=dataclasses.replace(contents.description, settings=settings),
        records=tuple(
            record for record in contents.records if (found := protocol_of(record)) is None or found.phase not in short
        ),
    )


def _check(part: JoinedRun) -> None:
    settings = part.description.settings
    others = [name for name in settings.protocols if name not in MERGED]
    if others:
        raise BadInput(
            f"{part.directory} has {', '.join(others)}, which a second machine would only repeat; "
            f"runs of {', '.join(MERGED)} can be merged."
        )
    if part.description.nodes:
        raise BadInput(f"{part.directory} was merged already; name the runs that it was made from.")


def _unlike(first: JoinedRun, other: JoinedRun) -> list[str]:
    """Return in words why the rounds of two runs are not of the same work."""
    one, two = first.description, other.description
    found = likeness.unlike(one, two)
    for name in ("methods", "devices", "protocols", "limit", "weights", "sizes"):
        ours, theirs = getattr(one.settings, name), getattr(two.settings, name)
        if (set(ours) != set(theirs)) if isinstance(ours, tuple) else ours != theirs:
            found.append(f"{name}: {_words(ours)} and {_words(theirs)}")
    if one.pesbench != two.pesbench or one.commit != two.commit:
        found.append(f"pesbench: {one.pesbench} ({one.commit}) and {two.pesbench} ({two.commit})")
    versions = [{record.method: record.versions for record in part.contents.started} for part in (first, other)]
    for method in versions[0].keys() & versions[1].keys():
        ours, theirs = versions[0][method], versions[1][method]
        packages = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
        if packages:
            named = ", ".join(f"{name} {ours.get(name)} and {theirs.get(name)}" for name in packages[:3])
            found.append(f"packages of {method}: {named}")
    return found


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _write(parts: Sequence[JoinedRun], output: Path) -> None:
    """Write the merged run into a folder beside `output`, and put it there when it is complete."""
    first = parts[0].description
    nodes, records, start = [], [], 0
    for part in parts:
        machine, count = part.description.machine, part.rounds
        nodes.append(
            Node(
                run_id=part.description.run_id,
                node=machine.node,
                cpu=machine.cpu or "",
                gpus=machine.gpus,
                rounds=tuple(range(start, start + count)),
            )
        )
        records += [_moved(record, start) for record in part.contents.records]
        start += count
    description = dataclasses.replace(
        first,
        run_id=output.name,
        settings=_settings([part.description.settings for part in parts], start),
        methods={name: facts for part in parts for name, facts in part.description.methods.items()},
        nodes=tuple(nodes),
    )
    dataset = store.stored_dataset(parts[0].directory, first)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    except OSError as error:
        raise BadInput(f"cannot write to {output.parent}: {error.strerror}.") from None
    try:
        store.create(made / "run", description, dataset).close()
        lines = "".join(to_json(record) + "\n" for record in records)
        (made / "run" / "records.jsonl").write_text(lines, encoding="utf-8")
        for part in parts:
            for log in sorted((part.directory / "logs").glob("*.log")):
                shutil.copy(log, made / "run" / "logs" / f"{part.description.run_id}-{log.name}")
        _put(made / "run", output)
    except OSError as error:
        raise BadInput(f"cannot write to {output}: {error.strerror}.") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put(made: Path, output: Path) -> None:
    """Move the files of a run to `output`, where the nodes' own runs may lie already; ``campaign.json`` comes last."""
    output.mkdir(exist_ok=True)
    for path in sorted(made.iterdir(), key=lambda path: path.name == "campaign.json"):
        if path.is_dir():
            shutil.rmtree(output / path.name, ignore_errors=True)  # of an earlier merge with fewer rounds
        path.replace(output / path.name)


def _moved(record: Record, start: int) -> Record:
    changed = dataclasses.replace(record, round=record.round + start)
    if isinstance(changed, Watched) and changed.again is not None:
        changed = dataclasses.replace(changed, again=changed.again + start)
    return changed


def _settings(each: Sequence[Settings], rounds: int) -> Settings:
    """Return the settings of all rounds together; runs that were joined by force may have had other methods."""
    methods, devices, protocols = (
        tuple(dict.fromkeys(name for one in each for name in getattr(one, what)))
        for what in ("methods", "devices", "protocols")
    )
    budgets = {name: [one.budget_s.get(name) for one in each if name in one.methods] for name in methods}
    return dataclasses.replace(
        each[0],
        methods=methods,
        devices=devices,
        protocols=protocols,
        rounds=rounds,
        order=0,
        budget_s={name: None if None in own else sum(budget or 0.0 for budget in own) for name, own in budgets.items()},
        pythons={name: path for one in each for name, path in one.pythons.items()},
    )
