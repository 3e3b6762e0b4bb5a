"""The header of an adapter file: its whole environment, and what the harness must know without importing it.

A header is a PEP 723 block, with pesbench's own keys under ``[tool.pesbench]``. Standard library only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from bench.core.device import DEVICES
from bench.core.kind import KINDS

MOLECULES, CRYSTALS = MADE_FOR = ("molecules", "crystals")
AT = "@"
"""Between the name of a method and what is changed in a version of it."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The weights file of an MLIP."""

    file: str
    """Its name in the cache and in the folder that PESBENCH_WEIGHTS names."""
    licence: str
    url: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    shipped: bool = False
    """It comes with the installed package, and the adapter finds it."""
    gated: str | None = None
    """The page on which to ask for access, where a licence must be accepted first."""
    unpack: bool = False
    """The URL leads to a .tar.gz archive; `file` is the folder in it (a TensorFlow SavedModel)."""


@dataclasses.dataclass(frozen=True)
class Theory:
    """The level of theory that a method has, or that its training data have."""

    functional: str
    """``PBE0``, ``wB97M-V``, ``GFN2-xTB``, ``force field (UFF)``, ..."""
    basis: str
    """``-`` where there is none, or plane waves."""
    dispersion: str
    """What the training data or the calculation contain: ``none``, ``MBD``, ``D3(BJ)``, ``VV10``, ..."""
    source: str
    """The paper or page that says so, or what could not be confirmed."""
    added: str = ""
    """The dispersion correction that the adapter adds on top; empty for none."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, str) or (not value.strip() and name != "added"):
                raise TypeError(f"{name} is {value!r} instead of text")


@dataclasses.dataclass(frozen=True)
class Knob:
    """A setting that a user may choose for a method: it changes the speed, and should not change the answers."""

    values: tuple[str, ...]
    """The default first."""
    devices: tuple[str, ...] = ()
    """The kinds of devices on which it exists; empty: on all that the method has."""
    default: dict[str, str] = dataclasses.field(default_factory=dict)
    """The default of a kind of device, where it is not the first value."""

    def on(self, kind: str) -> Knob:
        """Return the knob as it is on a kind of device: the default there is the first value."""
        first = self.default.get(kind, self.values[0])
        return Knob((first, *(value for value in self.values if value != first)), self.devices)

    def __str__(self) -> str:
        """Return the values, the default first: ``on|off (cpu: off)``."""
        other = ", ".join(f"{kind}: {value}" for kind, value in self.default.items())
        return "|".join(self.values) + (f" ({other})" if other else "")


@dataclasses.dataclass(frozen=True)
class Conversion:
    """How an engine's own file is made of the checkpoint: by upstream's converter, in a process of its own."""

    command: tuple[str, ...]
    """Arguments for Python; ``{checkpoint}`` and ``{converted}`` stand for the two files."""
    file: str
    """The name of the converted file."""
    dependencies: tuple[str, ...]
    """The converter's packages, which are installed beside those of the reference's family."""

    def __post_init__(self) -> None:
        if not self.file or "/" in self.file:
            raise TypeError(f"file is {self.file!r} instead of a name")
        if not {"{checkpoint}", "{converted}"} <= set(self.command):
            raise TypeError("command needs the words {checkpoint} and {converted}")


@dataclasses.dataclass(frozen=True)
class Method:
    """What the harness knows about one method without importing it."""

    name: str
    label: str
    """Its name in tables, with version and level."""
    adapter: Path
    family: str
    kind: str
    devices: tuple[str, ...]
    dtypes: tuple[str, ...]
    default: bool = True
    """Measured when the user names no methods."""
    native: bool = False
    """Relaxed by :meth:`Adapter.native_relax` instead of an ASE optimiser."""
    model_label: str = ""
    """Its name in tables where another optimiser relaxes, if :attr:`label` names its own; empty: the label."""
    conservative: bool = True
    """The forces are the derivative of the energy."""
    charge: bool = False
    """It takes the charge of a structure; otherwise charged ones are refused."""
    spin: bool = False
    """It takes the spin multiplicity of a structure; otherwise only the lowest one is measured."""
    periodic: bool = False
    """It takes systems that are periodic in three dimensions; otherwise they are refused."""
    stress: bool = False
    """Its calculator gives the stress of periodic systems; otherwise their cells are not relaxed."""
    parameters: int | None = None
    """The published parameter count."""
    checkpoint: Checkpoint | None = None
    theory: Theory | None = None
    """Errors of its energies and forces mean something only beside the same level of theory."""
    paper: str | None = None
    """The row of results/paper/table1.csv that this method is compared with."""
    elements: tuple[str, ...] = ()
    """Chemical symbols that it supports; empty: the header sets no limit."""
    made_for: str = ""
    """What it was trained on: one of :data:`MADE_FOR`; empty: both, or nothing in particular."""
    random_weights: bool = False
    """:meth:`Adapter.make_random` builds the architecture, for timing without the checkpoint."""
    memory_mb: int = 0
    """Approximate peak resident memory of a worker on the CPU; 0 where it is unknown."""
    force_tolerance: float | None = None
    """How far the forces may be from the energy's derivative, eV/Angstrom, where the dtype's tolerance is too small."""
    rotation_tolerance: float | None = None
    """How far the forces of a rotated molecule may be from the rotated forces, eV/Angstrom."""
    level: str = ""
    """The level of theory whose reference labels it computes; empty for a method that is only compared."""
    known_as: str = ""
    """Its name in the adapter, where that is another: for an old version of a method."""
    tuned: tuple[str, ...] = ()
    """The flags of a variant tuned for speed; empty: set up as in the method's documentation."""
    knobs: dict[str, Knob] = dataclasses.field(default_factory=dict)
    """Besides the precision, which is chosen among :attr:`dtypes`."""
    chosen: dict[str, str] = dataclasses.field(default_factory=dict)
    """The values of knobs that the user chose; see :func:`bench.environments.knobs.with_knobs`."""
    engine_of: str = ""
    """The method whose checkpoint it computes with other code; see :mod:`bench.engine.conversion`."""
    convert: tuple[str, ...] = ()
    """What its conversion has besides the header's command, such as the name of a head."""
    energy_limit: float | None = None
    """How far an engine's energies may be from the reference's, eV per atom, where the dtype's limit is too small."""
    force_limit: float | None = None
    """The same for a component of the forces, eV/Angstrom."""
    limit_reason: str = ""
    """Why a limit is wider."""
    own_checkpoint: str = ""
    """The path of the user's own checkpoint, in a version that runs with that; see :mod:`bench.environments.own`."""
    note: str = ""
    """One sentence for the notes below the table."""

    @property
    def engine(self) -> str:
        """The name of its engine: what follows the last ``@``; empty where it is no engine's."""
        return self.name.rpartition(ENGINE)[2] if self.engine_of else ""

    @property
    def typed(self) -> str:
        """Its name as it is typed in any folder: with the whole path of the user's own checkpoint."""
        if not self.own_checkpoint:
            return self.name
        return self.name.removesuffix(Path(self.own_checkpoint).name) + self.own_checkpoint

    def knobs_on(self, kind: str) -> dict[str, Knob]:
        """Return its knobs on a kind of device, the default there first."""
        return {name: knob.on(kind) for name, knob in self.knobs.items() if not knob.devices or kind in knob.devices}


@dataclasses.dataclass(frozen=True)
class Header:
    """The header of an adapter file: its environment and its methods."""

    path: Path
    digest: str
    """SHA-256 of everything that determines the environment: when it changes, the environment is made anew."""
    requires_python: str
    dependencies: tuple[str, ...]
    device_dependencies: dict[str, tuple[str, ...]]
    """Extra dependencies by kind of device, from ``<kind>-dependencies``."""
    exclude_newer: str | None
    """Packages uploaded later are ignored, so the environment is the same next year."""
    exclude_newer_package: dict[str, str | bool]
    """Exceptions from it, by package."""
    family: str
    methods: dict[str, Method]
    download_mb: int = 0
    """Approximate size of the environment's download: small ones are prepared first."""
    programs: tuple[str, ...] = ()
    """Programs that must be on PATH."""
    programs_hint: str = ""
    """How to install them."""
    thread_control: str = "environment"
    """``environment`` or, for a runtime that ignores the variables, ``affinity``."""
    conversion: Conversion | None = None
    """How engines get their file; None: they read the checkpoint itself, or need none."""
    warm_up: bool = True
    """Whether a worker makes discarded force calls first (DFT needs no warm-up)."""


class HeaderError(ValueError):
    """An adapter file's header is missing or wrong; the text says what to do."""


_BLOCK = re.compile(r"(?m)^# /// script\s*$\n(?P<body>(?:^#(?: .*)?$\n)+?)^# ///\s*$")
_METHOD_KEYS = {field.name for field in dataclasses.fields(Method)} - {
    *("name", "adapter", "family", "kind", "known_as", "chosen", "own_checkpoint"),
}
ENGINE = "@"
"""Between the name of a method and that of another engine for it."""
_KNOB_NAME, _KNOB_VALUE = re.compile(r"[a-z][a-z0-9_-]*"), re.compile(r"[A-Za-z0-9._+-]+")
_NO_KNOBS = ("dtype", "threads")
"""Names that knobs cannot have: every method has these settings."""


def read_header(path: str | Path) -> Header:
    """Read the PEP 723 header of the adapter file `path`; the file is not imported.

    Raises HeaderError where the file has no header or the header is incomplete or wrong.
    """
    path = Path(path).resolve()
    toml = read_block(path)
    try:
        facts = toml["tool"]["pesbench"]
        entries = facts["methods"]
        family = facts["family"]
        kind = facts["kind"]
    except KeyError as error:
        raise HeaderError(f"the header of {path} lacks {error} under [tool.pesbench]") from None
    if kind not in KINDS:
        raise HeaderError(f"the header of {path} says kind = {kind!r}; it must be one of {', '.join(KINDS)}")
    shared = {
        "devices": facts.get("devices", ["cpu"]),
        "dtypes": facts.get("dtypes", ["float64"]),
        "conservative": facts.get("conservative", True),
        "charge": facts.get("charge", False),
        "spin": facts.get("spin", False),
        "periodic": facts.get("periodic", False),
        "stress": facts.get("stress", False),
        "elements": facts.get("elements", []),
        "made-for": facts.get("made-for", ""),
        **({"theory": facts["theory"]} if "theory" in facts else {}),
    }
    knobs = facts.get("knobs", {})
    methods = {
        name: _method(path, family, kind, name, {**shared, **entry, "knobs": {**knobs, **entry.get("knobs", {})}})
        for name, entry in entries.items()
    }
    return of_block(path, toml, methods)


def read_block(path: Path) -> dict[str, Any]:
    """Return the PEP 723 block of a file; raises HeaderError where there is none, or it is no TOML."""
    text = path.read_text(encoding="utf-8")
    match = _BLOCK.search(text)
    if match is None and re.search(r"(?m)^# /// script\s*$", text):
        raise HeaderError(f"the header of {path} has no end: each of its lines begins with '#', the last is '# ///'")
    if match is None:
        raise HeaderError(f"{path} has no '# /// script' header; see docs/extending.md")
    body = "".join(line[2:] if line.startswith("# ") else line[1:] for line in match["body"].splitlines(True))
    try:
        return tomllib.loads(body)
    except tomllib.TOMLDecodeError as error:
        raise HeaderError(f"the header of {path} is not valid TOML: {error}") from None


def of_block(path: Path, toml: dict[str, Any], methods: dict[str, Method]) -> Header:
    """Return the header of a file from its block, with its methods; an optimiser's file has none."""
    facts = toml["tool"]["pesbench"]
    uv = toml["tool"].get("uv", {})
    by_device = {kind: facts[f"{kind}-dependencies"] for kind in DEVICES if f"{kind}-dependencies" in facts}
    return Header(
        path=path,
        digest=_digest(toml, uv, by_device),
        requires_python=toml.get("requires-python", ">=3.11"),
        dependencies=tuple(toml.get("dependencies", ())),
        device_dependencies={kind: tuple(names) for kind, names in by_device.items()},
        exclude_newer=uv.get("exclude-newer"),
        exclude_newer_package=uv.get("exclude-newer-package", {}),
        family=facts["family"],
        methods=methods,
        download_mb=facts.get("download-mb", 0),
        programs=tuple(facts.get("programs", ())),
        programs_hint=facts.get("programs-hint", ""),
        thread_control=facts.get("thread-control", "environment"),
        conversion=_conversion(path, facts["conversion"]) if "conversion" in facts else None,
        warm_up=facts.get("warm-up", True),
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a checkpoint: of a file, or of a folder's files with their names."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for inner in sorted(path.rglob("*")):
        if inner.is_file():
            total.update(f"{inner.relative_to(path)}\0{sha256(inner)}\0".encode())
    return total.hexdigest()


def _digest(toml: dict[str, Any], uv: dict[str, Any], by_device: dict[str, list[str]]) -> str:
    made_from = [toml.get("requires-python"), toml.get("dependencies"), uv, by_device.get("cuda")]
    others = {kind: names for kind, names in by_device.items() if kind != "cuda"}
    if others:  # without them the key is that of version 0.1, whose environments stay in use
        made_from.append(others)
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _method(path: Path, family: str, kind: str, name: str, entry: dict[str, Any]) -> Method:
    entry = {key.replace("-", "_"): value for key, value in entry.items()}
    unknown = sorted(set(entry) - _METHOD_KEYS)
    if unknown:
        raise HeaderError(f"the header of {path} gives {name} the unknown key {unknown[0]!r}")
    for key, kind_of_part in (("checkpoint", Checkpoint), ("theory", Theory)):
        try:
            if key in entry:
                entry[key] = kind_of_part(**entry[key])
        except TypeError as error:
            raise HeaderError(f"the header of {path} describes the {key} of {name} wrongly: {error}") from None
    for key in ("devices", "dtypes", "elements", "tuned", "convert"):
        entry[key] = tuple(entry.get(key, ()))
    wrong = sorted(set(entry["devices"]) - set(DEVICES))
    if wrong:
        raise HeaderError(f"the header of {path} names the device {wrong[0]!r}; known are {', '.join(DEVICES)}")
    if entry["made_for"] not in ("", *MADE_FOR):
        raise HeaderError(
            f"the header of {path} says made-for = {entry['made_for']!r}; it must be {' or '.join(MADE_FOR)}, or absent"
        )
    entry["knobs"] = {knob: _knob(path, name, knob, told) for knob, told in entry["knobs"].items()}
    entry.setdefault("label", name)
    _check_engine(path, name, entry)
    return Method(name=name, adapter=path, family=family, kind=kind, **entry)


def _conversion(path: Path, told: Any) -> Conversion:
    try:
        lists = {key: tuple(told.get(key, ())) for key in ("command", "dependencies")}
        return Conversion(**{**told, **lists})
    except (TypeError, AttributeError) as error:
        raise HeaderError(f"the header of {path} describes the conversion wrongly: {error}") from None


def _check_engine(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Raise HeaderError where what a header says of an engine does not fit together."""
    about, of = f"the header of {path}", entry.get("engine_of", "")
    wider = [key for key in ("energy_limit", "force_limit") if entry.get(key) is not None]
    if of and (not name.startswith(f"{of}{ENGINE}") or not name.removeprefix(f"{of}{ENGINE}")):
        raise HeaderError(f"{about} names an engine of {of} {name!r}; write {of}{ENGINE}NAME")
    if of and "checkpoint" in entry:
        raise HeaderError(f"{about} gives {name} a checkpoint; an engine has that of {of}")
    if wider and not (of and entry.get("limit_reason")):
        word = wider[0].replace("_", "-")
        raise HeaderError(f"{about} gives {name} {word} without a reason; an engine needs limit-reason with it")


def _knob(path: Path, method: str, name: str, told: Any) -> Knob:
    """Return a knob, which a header describes by its values, or by a table with ``values`` and what else it has."""
    about = f"the header of {path} gives {method} the knob {name!r}"
    if name in _NO_KNOBS or not _KNOB_NAME.fullmatch(name):
        raise HeaderError(f"{about}; take another name, of small letters and digits (dtype and threads always exist)")
    table = told if isinstance(told, dict) else {"values": told}
    values, devices, default = table.get("values"), table.get("devices", []), table.get("default", {})
    if not isinstance(values, list) or set(table) - {"values", "devices", "default"}:
        raise HeaderError(f'{about} as {told!r}; write {name} = ["off", "on"], the default first')
    if len(values) < 2 or len(set(map(str, values))) < len(values):
        raise HeaderError(f"{about} with the values {values!r}; it needs at least two different ones")
    wrong = [value for value in values if not (isinstance(value, str) and _KNOB_VALUE.fullmatch(value))]
    if wrong:
        raise HeaderError(f'{about} with the value {wrong[0]!r}; values are text like "on" or "2", without spaces')
    if not isinstance(devices, list) or set(devices) - set(DEVICES):
        raise HeaderError(f"{about} on the devices {devices!r}; known are {', '.join(DEVICES)}")
    if not isinstance(default, dict) or set(default) - set(DEVICES) or set(default.values()) - set(values):
        raise HeaderError(f'{about} with the default {default!r}; write default = {{ cpu = "{values[0]}" }}')
    return Knob(tuple(values), tuple(devices), default)
