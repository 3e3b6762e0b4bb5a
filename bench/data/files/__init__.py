"""Structure files of any program, read so that nothing they say is dropped in silence.

What a file says is used, or refused in a sentence that names it, or listed as unused;
:mod:`bench.data.files.account` has this rule. ``docs/systems.md`` says what is read from where.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.data.files import bravais, by_ase, checks, inputs, sources, unread, xyz
from bench.data.files.account import Reading, frame_of
from bench.data.files.contents import Contents, Frame, Labels, Ledger, Record
from bench.errors import BadInput

__all__ = ["Contents", "Frame", "Labels", "Reading", "read"]


def read(
    paths: Sequence[str | Path],
    *,
    charge: int | None = None,
    spin: int | None = None,
    energy_key: str | None = None,
    forces_key: str | None = None,
) -> Contents:
    """Return all structures of files, folders and glob patterns, in their order.

    `charge` and `spin` (2S+1) hold for all frames and must agree with what a file states. The keys name the labels
    (eV, eV/Angstrom) where a file has them under other names than ASE's. A CSV table with the columns
    name, charge and spin gives states by the name of a file or the title of a record.

    Raises BadInput, which names the file and the frame, where something cannot be read or is impossible.
    """
    ledger = Ledger()
    reading = Reading(charge, spin, energy_key, forces_key)
    given = [paths] if isinstance(paths, str | Path) else paths
    files, tables = sources.files_of(given, ledger)
    states = sources.states_of(tables, ledger)
    records: list[tuple[Path, Record]] = []
    for path, named in files:
        before = (ledger.counts.copy(), dict(ledger.notes))
        try:
            found = _records(path, ledger)
        except _Unknown as error:
            if named or not len(files) > 1:
                raise BadInput(str(error)) from None
            ledger.counts, ledger.notes = before
            ledger.note(f"Not read: {str(error).rstrip('.')}.")
            continue
        if not found:
            raise BadInput(f"{path.name} holds no structure.")
        states_beside = sources.beside(path, ledger)
        for record in found:
            record.said |= states_beside
        records += [(path, record) for record in found]
    if not records:
        raise BadInput(f"{', '.join(map(str, given))} holds no structure.")
    frames = _frames(records, reading, ledger, states)
    checks.look(frames, ledger)
    _check_keys(frames, reading)
    return Contents(tuple(frames), ledger.phrases(), tuple(ledger.notes))


class _Unknown(BadInput):
    """The file is in no format that holds structures; in a folder, it is passed over and named."""


def _frames(
    records: list[tuple[Path, Record]], reading: Reading, ledger: Ledger, states: dict[str, sources.State]
) -> list[Frame]:
    """Apply the rule to each record, with its row of the table of states."""
    count: dict[Path, int] = {}
    for path, _ in records:
        count[path] = count.get(path, 0) + 1
    frames: list[Frame] = []
    matched: set[str] = set()
    seen: dict[Path, int] = {}
    for path, record in records:
        stem = stem_of(path)
        number = seen[path] = seen.get(path, -1) + 1
        names = {record.name, stem, path.name, f"{stem} {number}"} & set(states)
        if len({states[name] for name in names}) > 1:
            raise BadInput(f"{record.where} is in two rows of the table ({', '.join(sorted(names))}) that disagree.")
        matched |= names
        state = states[next(iter(names))] if names else (None, None)
        if states and not names:
            ledger.note(f"The table of states has no row for {record.name or stem}.")
        record.name = record.name or (stem if count[path] == 1 else f"{stem} {number}")
        frames.append(frame_of(record, reading, ledger, state))
    missing = sorted(set(states) - matched)
    if missing:
        raise BadInput(f"the table of states has rows for which there is no structure: {', '.join(missing)}.")
    return frames


def _check_keys(frames: list[Frame], reading: Reading) -> None:
    """Refuse a key of labels that no frame has."""
    for kind in ("energy", "forces"):
        key = getattr(reading, f"{kind}_key")
        if key and all(frame.labels is None or getattr(frame.labels, kind) is None for frame in frames):
            raise BadInput(f"no frame has {key!r}, which --{kind}-key names; correct it.")


def stem_of(path: Path) -> str:
    """Return the name of a file without its suffix and that of a packer."""
    inner = path.with_suffix("") if path.suffix.lower() in (".gz", ".bz2", ".xz") else path
    return inner.stem


def _records(path: Path, ledger: Ledger) -> list[Record]:
    """Read one file by what its name and its text say it is."""
    data, name = sources.bytes_of(path)
    suffix = Path(name).suffix.lower()
    file = path.name
    if what := unread.by_suffix(suffix):
        raise _Unknown(f"{file} is {what}; convert it to extended XYZ or SDF.")
    if not data.strip():
        raise BadInput(f"{file} is empty.")
    if packer := sources.packer_of(data):
        raise _Unknown(f"{file} is packed by {packer}; {sources.unpack(packer)}.")
    if b"\0" in data[:4096] and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, name)
            copy.write_bytes(data)
            kind = by_ase.binary_format_of(copy)
            if not kind:
                raise _Unknown(f"{file} is a binary file in no format that is known.")
            return by_ase.read_by_ase(copy, "", file, ledger, kind)
    text = sources.text_of(data, file, ledger)
    if suffix in (".xyz", ".extxyz", ".exyz"):
        return xyz.read_xyz(text, file, ledger)
    if suffix in (".sdf", ".mol", ".sd", ".mdl") or (suffix != ".xyz" and "\nM  END" in text):
        from bench.data.files import molfile  # RDKit takes a while to load

        return molfile.read_sdf(text, file, ledger)
    if suffix == ".mol2":
        from bench.data.files import molfile

        return molfile.read_mol2(text, file, ledger)
    if suffix in (".pdb", ".ent"):
        from bench.data.files import macro

        return macro.read_pdb(text, file, ledger)
    if suffix in (".cif", ".mmcif") and "_atom_site.Cartn_x" in text:
        from bench.data.files import macro

        return macro.read_mmcif(text, file, ledger)
    if suffix in (".cif", ".mcif"):
        from bench.data.files import cif

        return cif.read_cif(text, file, ledger)
    if suffix in (".gjf", ".com", ".gau"):
        return inputs.read_gaussian(text, file, ledger)
    if suffix not in (".vasp", ".poscar") and xyz.looks_like(text):  # such as xtbopt.log
        return xyz.read_xyz(text, file, ledger)
    if suffix not in (".log", ".out", ".vasp", ".poscar"):
        if what := unread.by_text(text):
            raise _Unknown(f"{file} is {what}; convert it to extended XYZ or SDF.")
        reader = inputs.reader_of(text)
        if reader is not None:
            return reader(text, file, ledger)
    with tempfile.TemporaryDirectory() as folder:  # ASE gets the text without marks and odd line ends
        copy = Path(folder, name)
        copy.write_text(text, encoding="utf-8")
        kind = "vasp" if suffix in (".vasp", ".poscar") else _format(copy)
        if kind == "espresso-in":
            text = bravais.with_vectors(text, file)
            copy.write_text(text, encoding="utf-8")
        if kind == "json" and not by_ase.has_structures(text):
            raise _Unknown(f"{file} is JSON, but not ASE's; convert it to extended XYZ.")
        return by_ase.read_by_ase(copy, text, file, ledger, kind)


def _format(path: Path) -> str:
    try:
        return by_ase.format_of(path)
    except BadInput as error:
        raise _Unknown(str(error)) from None
