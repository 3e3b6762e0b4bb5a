"""The data sets: where they come from, and which systems they hold.

``datasets/README.md`` describes the provenance of each. Every method gets the same structures in the same order,
without velocities or labels.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import ase.io
from ase import Atoms

from bench import paths
from bench.data import files, rmd17
from bench.data.files import Contents, Frame, Labels, Reading
from bench.data.naphthalene import naphthalene
from bench.data.selection import COUNT, MD17_SPACING, measuring_order, select_evenly
from bench.data.systems import System, digest, grouped, measurable, named, some
from bench.errors import BadInput

MD17 = "naphthalene-md17"
MD17_EXACT = "naphthalene-md17-exact"
GFN2 = "naphthalene-gfn2"

MD17_FRAMES = 326_250  # length of MD17's naphthalene trajectory

_MD17_FILE = "md17_naphthalene.npz"


@dataclasses.dataclass(frozen=True)
class Wanted(Reading):
    """What a user says about the structures to measure."""

    systems: tuple[str, ...] = ()
    """The names of the systems to measure; empty: all."""
    elements: tuple[str, ...] = ()
    """Only systems of these elements; empty: all."""
    largest: int | None = None
    """Larger structures are left out before anything is computed; the smallest is always kept."""


EVERYTHING = Wanted()


@dataclasses.dataclass(frozen=True)
class DataSet:
    """The structures that a campaign measures; index k of :attr:`atoms` is a record's ``structure``."""

    name: str
    description: str
    """One line for the head of the table: what, from where, under which licence."""
    atoms: tuple[Atoms, ...]
    """The structures, Angstrom; with charge and spin in ``info`` where these are not the usual ones, and with a cell,
    fixed atoms and masses where there are any."""
    labels: tuple[str, ...]
    """The name of each structure at its source, such as its index in MD17."""
    systems: tuple[System, ...]
    """At least one; each structure belongs to one of them."""
    digest: str
    """See :func:`bench.data.systems.digest`."""
    series: tuple[System, ...] = ()
    """Systems of growing size from the user's files, for the scaling protocol; empty: clusters of naphthalene."""
    own: bool = False
    """Whether the structures are the user's."""
    fallback: str = ""
    """One sentence on why this set replaces MD17's, where the user named none; else empty."""
    known: tuple[Labels | None, ...] = ()
    """What the files say of the energy and the forces of each structure; empty where they say nothing."""
    unused: tuple[str, ...] = ()
    """What the files hold besides, one phrase a kind."""
    notes: tuple[str, ...] = ()
    """Sentences on how the files were read."""
    given: tuple[str, ...] = ()
    """The options by which the user chose it, with whole paths; empty where it is the default."""

    @property
    def reference(self) -> Atoms:
        """The undistorted atoms of the first system."""
        return self.systems[0].reference

    @property
    def formula(self) -> str:
        """The formula of the system, or those of all of them."""
        return ", ".join(dict.fromkeys(one.formula for one in self.systems))

    @functools.cached_property
    def system_of(self) -> tuple[int, ...]:
        """The number of the system of each structure."""
        found = [0] * len(self.atoms)
        for number, system in enumerate(self.systems):
            for frame in system.frames:
                found[frame] = number
        return tuple(found)

    def unused_labels(self, compared: bool) -> str:
        """Return which energies and forces of the files are not used, in a phrase; `compared`: accuracy is measured.

        A level of reference has both at a structure.
        """
        known = [one for one in self.known if one is not None]
        if known and not compared:
            return "energies and forces as labels (--protocols accuracy compares with them)"
        half = sum((one.energy is None) != (one.forces is None) for one in known)
        many = "1 structure, which lacks" if half == 1 else f"{half} structures, which lack"
        return f"the labels of {many} energy or forces" if half else ""

    @functools.cached_property
    def order(self) -> tuple[int, ...]:
        """The order in which all methods take the structures.

        The first structure of each system, then the second of each, and so on, so that a method whose budget ends early
        has still seen all systems; within a system spread evenly, like the systems themselves.
        """
        each = [[one.frames[k] for k in measuring_order(len(one.frames))] for one in self.systems]
        turns = measuring_order(len(each))
        passes = range(max(map(len, each)))
        return tuple(each[number][k] for k in passes for number in turns if k < len(each[number]))


def load_dataset(
    sources: str | Path | Sequence[str | Path] | None = None, cache: Path | None = None, wanted: Wanted = EVERYTHING
) -> DataSet:
    """Load a data set: one of :data:`DATA_SETS`, files, folders and globs of structures, or None for the default.

    The default is MD17's own frames (:data:`MD17_EXACT` where the folder PESBENCH_DATA has the complete file,
    else :data:`MD17`, fetched into `cache`) or, where these are not available, :data:`GFN2`. All frames of the user's
    files are used. The first frame of each system is its reference, so an undistorted one belongs first.

    Raises BadInput where a name is unknown, a file has the wrong contents, or no method could be measured on a
    structure.
    """
    cache = paths.cache_dir() if cache is None else cache
    if sources is None:
        return _chosen(_default(cache), wanted)
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    names = [str(one) for one in given if str(one) in DATA_SETS]
    for one in given:
        if not str(one):
            raise BadInput(f"an empty name is no data set; the data sets are {', '.join(DATA_SETS)}.")
        if str(one) not in DATA_SETS and not any(character in str(one) for character in "*?["):
            _must_exist(Path(one).expanduser())
    if names and len(given) > 1:
        raise BadInput(f"{names[0]} is a data set of its own; measure it without other structures.")
    try:
        return _chosen(DATA_SETS[names[0]](cache) if names else _user_files(given, wanted), wanted)
    except rmd17.Unavailable as error:
        raise BadInput(f"{error}; put it into a folder that PESBENCH_DATA names, or choose {GFN2}.") from None


def _must_exist(path: Path) -> None:
    if path.exists():
        return
    near = difflib.get_close_matches(str(path), DATA_SETS, n=1)
    hint = f"did you mean {near[0]}? The" if near else "the"
    raise BadInput(f"{path} is neither a file, a folder nor a data set; {hint} data sets are {', '.join(DATA_SETS)}.")


def _chosen(dataset: DataSet, wanted: Wanted) -> DataSet:
    """Return the part of a data set with the systems and the elements that are wanted."""
    known = {one.name for one in dataset.systems}
    unknown = [name for name in wanted.systems if name not in known]
    if unknown:
        raise BadInput(
            f"{dataset.name} has no system {unknown[0]!r}; it has {some(one.name for one in dataset.systems)}."
        )
    kept = [
        one
        for one in dataset.systems
        if (not wanted.systems or one.name in wanted.systems)
        and (not wanted.elements or set(one.reference.symbols) <= set(wanted.elements))
    ]
    if len(kept) == len(dataset.systems):
        return dataset
    if not kept:
        raise BadInput(f"{dataset.name} has no system that consists of {', '.join(wanted.elements)} only.")
    frames = sorted(frame for one in kept for frame in one.frames)
    new = {old: number for number, old in enumerate(frames)}
    systems = tuple(dataclasses.replace(one, frames=tuple(new[frame] for frame in one.frames)) for one in kept)
    atoms = tuple(dataset.atoms[frame] for frame in frames)
    return dataclasses.replace(
        dataset,
        atoms=atoms,
        labels=tuple(dataset.labels[frame] for frame in frames),
        systems=systems,
        digest=digest(atoms, systems),
        series=series_of(systems) if dataset.series else (),
        known=tuple(dataset.known[frame] for frame in frames) if dataset.known else (),
    )


def _default(cache: Path) -> DataSet:
    if rmd17.given(_MD17_FILE) is not None:
        return _md17_exact(cache)
    try:
        return _md17(cache)
    except rmd17.Unavailable as error:
        return dataclasses.replace(_gfn2(cache), fallback=f"{GFN2} replaces {MD17} because {error}.")


def _md17(cache: Path) -> DataSet:
    """Take the frames nearest to the grid from the ten rMD17 files, which have 9,633 of MD17's frames."""
    numbers, frames = rmd17.frames(cache)
    chosen = select_evenly(list(frames))
    description = (
        f"{COUNT} MD17 frames of naphthalene nearest to {MD17_SPACING} k, k = 0..{COUNT - 1} "
        "(rMD17 files of github.com/andersx/rmd17-npz at 4f6bb0a, CC0-1.0)"
    )
    images = [Atoms(numbers, frames[index]) for index in chosen]
    return _dataset(MD17, description, images, [str(index) for index in chosen], "rMD17", naphthalene())


def _md17_exact(cache: Path) -> DataSet:
    """Take the frames on the grid from the complete MD17 file, which is never fetched."""
    path = rmd17.given(_MD17_FILE)
    if path is None:
        raise BadInput(f"{MD17_EXACT} needs the complete {_MD17_FILE} in a folder that PESBENCH_DATA names.")
    numbers, frames = rmd17.complete(path, MD17_FRAMES)
    chosen = select_evenly(range(MD17_FRAMES))
    description = (
        f"{COUNT} MD17 frames of naphthalene, {MD17_SPACING} k for k = 0..{COUNT - 1} "
        "(the user's copy of the complete file of quantum-machine.org)"
    )
    images = [Atoms(numbers, frames[index]) for index in chosen]
    return _dataset(MD17_EXACT, description, images, [str(index) for index in chosen], path, naphthalene())


def _gfn2(cache: Path) -> DataSet:
    path = paths.datasets_dir() / "naphthalene-gfn2.extxyz"
    images = list(ase.io.read(path, index=":"))
    description = (
        f"{len(images)} naphthalene structures from GFN2-xTB dynamics in MD17's ensemble "
        "(datasets/generate_naphthalene_gfn2.py, CC0-1.0)"
    )
    labels = [f"{image.info['time_fs']:g} fs" for image in images]
    return _dataset(GFN2, description, images, labels, path, naphthalene())


def _rmd17(name: str, cache: Path) -> DataSet:
    """Take the frames of another molecule of rMD17, from one file."""
    found = rmd17.molecules()[name](cache)
    whole = _dataset(name, found.description, list(found.images), list(found.labels), "rMD17", found.reference)
    return dataclasses.replace(whole, known=found.known)


def _embedded(
    name: str, description: str, undistorted: Mapping[str, Callable[[], Atoms]] = MappingProxyType({})
) -> Callable[[Path], DataSet]:
    """Return how to load a set of different systems that comes with pesbench.

    `undistorted` has the reference of a system whose first frame would be none: a force field reads the bonds from it.
    """

    def load(cache: Path) -> DataSet:
        contents = files.read([paths.datasets_dir() / f"{name}.extxyz"])
        dataset = of_contents(Contents(contents.frames, (), ()), name, f"{description} (CC0-1.0)")
        systems = tuple(
            dataclasses.replace(one, reference=undistorted[one.name]()) if one.name in undistorted else one
            for one in dataset.systems
        )
        return dataclasses.replace(dataset, systems=systems, series=series_of(systems))

    return load


DATA_SETS: dict[str, Callable[[Path], DataSet]] = {
    MD17: _md17,
    MD17_EXACT: _md17_exact,
    GFN2: _gfn2,
    **{name: functools.partial(_rmd17, name) for name in rmd17.molecules()},
    "druglike": _embedded("druglike", "24 molecules of C, H, N, O, F, S and Cl, as RDKit embeds them"),
    "ions": _embedded("ions", "8 ions, radicals and a zwitterion, as RDKit embeds them"),
    "hard": _embedded(
        "hard",
        "a floppy chain, eight water molecules and a distorted naphthalene, four starts of each",
        {"naphthalene-off": naphthalene},
    ),
    "crystals": _embedded("crystals", "14 crystals and 2 slabs of ASE, rattled by 0.05 Angstrom"),
}
"""Makes each named set: takes the cache folder, and may raise :class:`bench.data.rmd17.Unavailable`."""


def _user_files(sources: Sequence[str | Path], wanted: Wanted) -> DataSet:
    contents = files.read(
        sources,
        charge=wanted.charge,
        spin=wanted.spin,
        energy_key=wanted.energy_key,
        forces_key=wanted.forces_key,
    )
    if wanted.largest is not None:
        contents = _small_enough(contents, wanted.largest)
    # a line break in a file's name would end a comment of a script, and what follows would run
    shown = ("".join(c if c.isprintable() else "?" for c in frame.file) for frame in contents.frames)
    names = list(dict.fromkeys(shown))
    name = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    dataset = of_contents(contents, name)
    whose = "the user's file" if len(names) == 1 else f"{len(names)} files of the user"
    return dataclasses.replace(dataset, description=whose, series=series_of(dataset.systems), own=True)


def _small_enough(contents: Contents, largest: int) -> Contents:
    smallest = min((len(frame.atoms) for frame in contents.frames), default=0)
    kept = tuple(frame for frame in contents.frames if len(frame.atoms) <= max(largest, smallest))
    if len(kept) == len(contents.frames):
        return contents
    count = len(contents.frames) - len(kept)
    what = "1 structure" if count == 1 else f"{count} structures"
    note = f"{what} with more than {largest} atoms {'is' if count == 1 else 'are'} left out (--max-atoms)."
    return dataclasses.replace(contents, frames=kept, notes=(*contents.notes, note))


def of_contents(contents: Contents, name: str, description: str = "") -> DataSet:
    """Return the data set of what files hold; raises BadInput where no method could be measured on a frame."""
    if not contents.frames:
        raise BadInput(f"{name} holds no structure.")
    measured = [measurable(frame) for frame in contents.frames]
    groups = grouped(measured)
    atoms = tuple(one for one, *_ in measured)
    systems = tuple(
        System(called, atoms[group[0]], measured[group[0]][1], measured[group[0]][2], tuple(group))
        for called, group in zip(_names(groups, contents.frames, atoms), groups, strict=True)
    )
    known = tuple(frame.labels for frame in contents.frames)
    return DataSet(
        name=name,
        description=description,
        atoms=atoms,
        labels=tuple(str(index) for index in range(len(atoms))),
        systems=systems,
        digest=digest(atoms, systems),
        known=known if any(known) else (),
        unused=contents.unused,
        notes=contents.notes,
    )


def _names(groups: Sequence[Sequence[int]], frames: Sequence[Frame], atoms: Sequence[Atoms]) -> list[str]:
    """Return the names of systems: what the files call them, or their formulas."""
    if len(groups) == 1:
        stems = {files.stem_of(Path(frame.file)) for frame in frames}
        return named([frames[0].name if len(frames) == 1 else min(stems) if len(stems) == 1 else _formula(atoms[0])])
    count = Counter(frame.file for frame in frames)
    titles = [
        # a name that the reader made of the file's tells nothing
        ""
        if count[one.file] > 1 and re.fullmatch(rf"{re.escape(files.stem_of(Path(one.file)))} \d+", one.name)
        else one.name
        for one in frames
    ]
    called = [{titles[index] for index in group} for group in groups]
    own = [next(iter(names)) if len(names) == 1 else "" for names in called]
    # a name that several systems share, such as that of their file, tells nothing
    return named(
        name if name and own.count(name) == 1 else _formula(atoms[group[0]])
        for name, group in zip(own, groups, strict=True)
    )


def _formula(atoms: Atoms) -> str:
    charge = int(atoms.info.get("charge", 0))
    return str(atoms.get_chemical_formula()) + (f"{charge:+d}" if charge else "")


def series_of(systems: Sequence[System]) -> tuple[System, ...]:
    """Return systems of growing size for the scaling protocol: the first one of each number of atoms.

    Empty for fewer than two sizes, which are no series.
    """
    first: dict[int, System] = {}
    for one in systems:
        first.setdefault(len(one.reference), one)
    return tuple(first[size] for size in sorted(first)) if len(first) > 1 else ()


def _dataset(
    name: str, description: str, images: list[Atoms], labels: list[str], origin: object, reference: Atoms
) -> DataSet:
    """Return a set of one molecule, without what else the images carry; `origin` names the source in messages.

    The name of the set begins with the molecule's.
    """
    frames = [
        Frame(Atoms(one.numbers, one.positions), None, None, f"frame {k} of {origin}", name, str(origin), None)
        for k, one in enumerate(images)
    ]
    found = of_contents(Contents(tuple(frames), (), ()), name, description)
    if len(found.systems) > 1:
        other = found.systems[1].frames[0]
        raise BadInput(f"frame {other} of {origin} has other atoms or bonds than the first one.")
    system = dataclasses.replace(found.systems[0], name=name.partition("-")[0], reference=reference)
    return dataclasses.replace(found, systems=(system,), labels=tuple(labels))
