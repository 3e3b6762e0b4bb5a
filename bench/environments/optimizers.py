"""Finds optimiser files and reads their headers; none is imported here."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench import paths
from bench.core.task import OptimizerFile
from bench.environments import environments
from bench.environments.header import Header, HeaderError, of_block, read_block
from bench.environments.uv import EnvironmentFailed
from bench.errors import BadInput

OWN = ("native", "own", "openbabel", "open-babel", "obcg")
NOT_OWN = (
    "a method's own optimiser, such as Open Babel's, cannot be compared here: it stops by its own criterion and "
    "reports no forces on the way. 'pesbench run --methods uff,uff-ase' measures UFF both ways, as ms/molecule."
)
MISSING = "its file is not here any more; put it into adapters/optimizers or the folder of PESBENCH_OPTIMIZERS again"


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """What the harness knows about an optimiser without importing it."""

    name: str
    label: str
    header: Header
    note: str = ""
    """One sentence on what it is."""
    free: bool = False
    """Whether it relaxes free molecules only, without a cell and without fixed atoms."""
    cell: bool = False
    """Whether it takes ASE's filters, by which a cell is relaxed together with its atoms."""


def read_optimizers(path: Path) -> list[Optimizer]:
    """Return the optimisers of a file; raises HeaderError where its header is missing or wrong."""
    path = path.resolve()
    toml = read_block(path)
    facts = toml.get("tool", {}).get("pesbench", {})
    if not facts.get("family") or not isinstance(facts.get("optimizers"), dict):
        raise HeaderError(f"the header of {path} lacks 'family' or 'optimizers' under [tool.pesbench]")
    header = of_block(path, toml, {})
    found = []
    for name, entry in facts["optimizers"].items():
        unknown = sorted(set(entry) - {"label", "note", "free", "cell"})
        if unknown:
            raise HeaderError(f"the header of {path} gives {name} the unknown key {unknown[0]!r}")
        found.append(Optimizer(name, header=header, **{"label": name, **entry}))
    return found


def optimizers() -> dict[str, Optimizer]:
    """Return all optimisers by name, ASE's own first; raises BadInput where a file is not one of an optimiser."""
    found: dict[str, Optimizer] = {}
    files = [path for folder in paths.optimizer_dirs() for path in folder.glob("*.py")]
    for path in sorted(files, key=lambda one: (one.stem[:3] != "ase", one)):
        try:
            mine = read_optimizers(path)
        except (HeaderError, UnicodeDecodeError) as error:
            raise BadInput(f"{path} is no file of an optimiser: {error}.") from None
        for one in mine:
            if one.name in found:
                raise BadInput(f"{path} defines {one.name!r}, which {found[one.name].header.path} has already.")
            found[one.name] = one
    return found


def selected(names: Iterable[str], known: dict[str, Optimizer]) -> tuple[str, ...]:
    """Return the names of optimisers as they are known; ``all`` means all, small letters will do.

    Raises BadInput for an unknown one.
    """
    by_small = {name.lower(): name for name in known}
    found: list[str] = []
    for name in names:
        if name == "all":
            found += known
        elif name.lower() in by_small:
            found.append(by_small[name.lower()])
        elif name.lower() in OWN:
            raise BadInput(NOT_OWN)
        else:
            near = difflib.get_close_matches(name.lower(), by_small, n=1)
            hint = f"did you mean {by_small[near[0]]!r}?" if near else f"there are {', '.join(known)}."
            raise BadInput(f"there is no optimiser {name!r}; {hint}")
    return tuple(dict.fromkeys(found))


def of_cells(names: Sequence[str], known: dict[str, Optimizer], every: bool = False) -> tuple[str, ...]:
    """Return the optimisers that relax cells, too; where not `every` one was wanted, the others are refused by name."""
    wrong = [name for name in names if not known[name].cell]
    if wrong and not every:
        able = ", ".join(name for name, one in known.items() if one.cell)
        raise BadInput(f"{wrong[0]} relaxes atoms only; with --relax-cell use one of {able}.")
    return tuple(name for name in names if name not in wrong)


def prepared(names: Sequence[str], say: Callable[[str], None]) -> tuple[OptimizerFile, ...]:
    """Return what a worker needs of each optimiser, whose packages are installed now if necessary."""
    known = optimizers()
    return tuple(
        _prepared(known[name], say) if name in known else OptimizerFile(name, "", obstacle=MISSING) for name in names
    )


def _prepared(one: Optimizer, say: Callable[[str], None]) -> OptimizerFile:
    file = OptimizerFile(one.name, str(one.header.path), free=one.free)
    if not one.header.dependencies:
        return file
    try:
        python = environments.prepare(one.header, say=say).python
    except EnvironmentFailed as error:
        return dataclasses.replace(file, obstacle=str(error))
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    return dataclasses.replace(file, packages=str(packages))
