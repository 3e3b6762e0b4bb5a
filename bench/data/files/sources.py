"""Finds the files that a user names: single ones, folders, glob patterns; and the table of states beside them."""

from __future__ import annotations

import bz2
import csv
import glob
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from bench.data.files.contents import Ledger
from bench.data.files.state import is_about, plain, whole
from bench.errors import BadInput

State = tuple[int | None, int | None]
_PACKED = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
_BEGINNINGS = {b"PK\x03\x04": "zip", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_BEGINNINGS |= {b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR"}
_NAMES = {"name", "file", "system", "title", "structure"}
_CHARGES = {"charge", "netcharge", "totalcharge"}
_SPINS = {"spin", "multiplicity", "mult", "spinmultiplicity"}

_BESIDE = {".CHRG": "charge", ".UHF": "unpaired electrons"}
"""Files in which xtb finds the charge and the number of unpaired electrons of the structures in the same folder."""


Given = tuple[Path, bool]
"""A file, and whether the user named it himself."""


def files_of(sources: Sequence[str | Path], ledger: Ledger) -> tuple[list[Given], list[Given]]:
    """Return the files of all sources, and the tables beside them, each with whether the user named it himself.

    Raises BadInput where a source is no file and matches none.
    """
    files: dict[Path, bool] = {}
    tables: dict[Path, bool] = {}
    for source in sources:
        path = Path(source).expanduser()
        if path.is_dir():
            found, named = sorted(path.iterdir()), False
        elif path.exists():
            found, named = [path], True
        elif glob.has_magic(str(path)):
            found, named = [Path(one) for one in sorted(glob.glob(str(path), recursive=True))], False  # noqa: PTH207
        else:
            raise BadInput(f"{path} is no file, no folder and no pattern of files; correct it.")
        if not found:
            raise BadInput(f"{path} holds no file; name one, a folder of files, or a pattern such as 'mine/*.xyz'.")
        for one in found:
            if one.name in _BESIDE and not named:
                continue
            if one.name.startswith(".") and not named:
                ledger.note(f"The hidden file {one.name} is not read.")
            elif one.is_dir():
                ledger.note(f"The folder {one.name} inside {one.parent.name or one.parent} is not read.")
            elif one.suffix.lower() == ".csv":
                tables[one] = tables.get(one, False) or named
            else:
                files[one] = files.get(one, False) or named
    return list(files.items()), list(tables.items())


def beside(path: Path, ledger: Ledger) -> dict[str, str]:
    """Return what xtb's files beside a structure say of its charge and its unpaired electrons, by their names."""
    found = {}
    for name, what in _BESIDE.items():
        if (path.parent / name).is_file():
            found[name] = text_of(bytes_of(path.parent / name)[0], name, ledger).strip()
            ledger.note(f"The file {name} beside the structures states their {what}, as it does for xtb.")
    return found


def bytes_of(path: Path) -> tuple[bytes, str]:
    """Return the contents of a file, unpacked, and its name without the suffix of the packer.

    Raises BadInput where it cannot be read, or read again.
    """
    if path.is_fifo() or path.is_socket() or path.is_block_device():
        raise BadInput(f"{path} is a pipe or a device, which cannot be read twice; write its text to a file.")
    try:
        data = path.read_bytes()
        unpack = _PACKED.get(path.suffix.lower())
        return (data, path.name) if unpack is None else (unpack(data), path.stem)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise BadInput(f"{path.name} cannot be read ({error}).") from None


def packer_of(data: bytes) -> str:
    """Return which program has packed the contents of a file; empty where none has, or it is not known."""
    found = next((name for start, name in _BEGINNINGS.items() if data.startswith(start)), "")
    return "tar" if data[257:262] == b"ustar" else found


def unpack(packer: str) -> str:
    """Return what to do with a file that has been packed."""
    suffix = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz"}.get(packer)
    return f"give it the suffix {suffix}" if suffix else "unpack it"


def text_of(data: bytes, file: str, ledger: Ledger) -> str:
    """Return bytes as text: UTF-8, UTF-16 with a mark, or Latin-1, with newlines only. BadInput where binary."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", errors="replace")
    else:
        data = data.removeprefix(b"\xef\xbb\xbf")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
            ledger.note(f"{file} is not in UTF-8; it is read as Latin-1.")
    if re.search(r"[\x00-\x08\x0e-\x19]", text):
        raise BadInput(f"{file} is a binary file in no format that is known.")
    text = re.sub(r"\r\n?", "\n", text)
    return re.sub("[\x0b\x0c\x1c-\x1e\x85\xa0\u2028\u2029]", " ", text)  # which would end a line in Python


def states_of(tables: Sequence[Given], ledger: Ledger) -> dict[str, State]:
    """Return charge and spin by the name of a file or the title of a record, of tables with a column `name`.

    A table that the user did not name is passed over with a note if it has nothing about electrons, unless it is
    systems.csv. Raises BadInput where a table cannot be read or two rows have one name.
    """
    states: dict[str, State] = {}
    for table, named in tables:
        text = text_of(bytes_of(table)[0], table.name, ledger)
        rows = list(csv.reader(io.StringIO(text)))
        head = [plain(cell) for cell in rows[0]] if rows else []
        if not named and table.name != "systems.csv" and not any(is_about(cell) for cell in (rows[0] if rows else [])):
            ledger.note(f"Not read: {table.name} has no column of charge or spin.")
            continue
        column = {
            kind: next((k for k, cell in enumerate(head) if cell in names), None)
            for kind, names in (("name", _NAMES), ("charge", _CHARGES), ("spin", _SPINS))
        }
        at = column["name"]
        if at is None or (column["charge"] is None and column["spin"] is None):
            raise BadInput(f"{table.name} is no table of states: its first row must be name,charge,spin.")
        for k, cell in enumerate(rows[0]):
            if k not in column.values():
                ledger.unused(f"the column '{cell}'", table.name)
        for number, row in enumerate(rows[1:], 2):
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(head):
                raise BadInput(f"{table.name} has {len(row)} cells in row {number}, where {len(head)} are expected.")
            name = row[at].strip()
            if name in states:
                raise BadInput(f"{table.name} has two rows for {name!r}; remove one of the two.")
            here = f"row {number} of {table.name}"
            states[name] = (_cell(row, column["charge"], here, "charge"), _cell(row, column["spin"], here, "spin"))
    return states


def _cell(row: list[str], column: int | None, here: str, word: str) -> int | None:
    if column is None or not row[column].strip():
        return None
    return whole(row[column].strip(), 0.0, f"{here} has {word} {row[column]!r}", f"its {word}")
