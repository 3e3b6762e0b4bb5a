"""Options that several verbs share, and how their values are parsed.

Defaults come from the ``Options`` of each verb, not from here.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.device import DEVICES
from bench.errors import BadInput
from bench.protocols import PROTOCOLS

if TYPE_CHECKING:
    from bench.data.structures import DataSet

SPEED = "speed"
"""The results shown by default: the times of relaxations and replays."""

TABLE_FORMATS = ("terminal", "markdown", "latex", "csv", "json")
"""The formats of every table of a run."""

DEVICE = "|".join(name for kind in DEVICES.values() for name in kind.spellings)
"""The spellings of a device."""

_Parser = argparse._ActionsContainer


@dataclasses.dataclass(frozen=True)
class Budget:
    """The measuring time, as the user gives it."""

    seconds: float | None
    """None: no limit."""


def budget(text: str) -> Budget:
    """Read a budget: seconds, or none."""
    if text == "none":
        return Budget(None)
    seconds = _number(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a budget; give a number of seconds above zero, or none.")
    return Budget(seconds)


def positive(text: str) -> float:
    """Read a number above zero."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero.")
    return number


def names(text: str) -> tuple[str, ...]:
    """Read comma-separated names; each counts once."""
    return tuple(dict.fromkeys(text.split(",")))


def interpreters(pairs: Sequence[str]) -> dict[str, str]:
    """Return the path of each method's interpreter from METHOD=PATH pairs; raises BadInput for any other text."""
    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        path = Path(text).expanduser()
        if not equals or not path.is_file():
            raise BadInput(f"--python {pair}: give METHOD=PATH with the path of an interpreter.")
        found[name] = str(path.absolute())
    return found


def knobs(pairs: Sequence[str]) -> dict[str, str]:
    """Return the chosen value of each knob from NAME=VALUE pairs; raises BadInput for any other text."""
    found = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not name or not value or name in found:
            raise BadInput(f"--knob {pair}: give NAME=VALUE, once for each knob.")
        found[name] = value
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def refuse_changes(options: Any, may_change: Collection[str]) -> None:
    """Raise BadInput, with its name, for an option that is not at its default and may not change."""
    for field in dataclasses.fields(options):
        if field.name not in may_change and getattr(options, field.name) != field.default:
            option = "--" + field.name.replace("_", "-")
            raise BadInput(f"a resumed run continues as it was planned; leave out {option}, or start a new run.")


def add_adapter(parser: _Parser) -> None:
    """Add --adapter: a tuple of paths."""
    parser.add_argument(
        "--adapter",
        action="append",
        metavar="FILE",
        type=Path,
        help="an adapter file of your own (repeatable)",
    )


def add_methods(parser: _Parser, text: str, required: bool = False) -> None:
    """Add --methods: comma-separated names, as the catalogue takes them."""
    parser.add_argument("--methods", metavar="A,B,...", required=required, help=text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Structures:
    """The options that say what is measured, for a verb's ``Options``; see :func:`add_structures`."""

    structures: tuple[str, ...] = ()
    charge: int | None = None
    spin: int | None = None
    energy_key: str | None = None
    forces_key: str | None = None
    systems: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()

    def load(self, default: str | None = None, largest: int | None = None) -> DataSet:
        """Return the data set, `default` where none is named, without structures of more than `largest` atoms.

        Raises BadInput.
        """
        from bench.data.structures import Wanted, load_dataset

        wanted = Wanted(
            self.charge,
            self.spin,
            self.energy_key,
            self.forces_key,
            systems=self.systems,
            elements=self.elements,
            largest=largest,
        )
        dataset = load_dataset(self.structures or default, wanted=wanted)
        return dataclasses.replace(dataset, given=tuple(self.words()))

    def load_one(self, verb: str, default: str | None = None) -> DataSet:
        """Return a data set of a single system, for a verb that takes no more; raises BadInput, which lists them."""
        from bench.data.systems import some

        dataset = self.load(default)
        if len(dataset.systems) > 1:
            raise BadInput(
                f"{verb} takes one system, and {dataset.name} has {len(dataset.systems)}; choose one with --systems: "
                f"{some((one.name for one in dataset.systems), 5)}."
            )
        return dataset

    def words(self) -> list[str]:
        """Return these options as they can be typed in any folder, with whole paths."""
        from bench.data.structures import DATA_SETS

        found = []
        for one in self.structures:
            # a pattern, as much as the path of a file
            whole = one if one in DATA_SETS else os.path.abspath(Path(one).expanduser())  # noqa: PTH100
            found += ["--structures", whole]
        for name, values in (("--systems", self.systems), ("--elements", self.elements)):
            found += [name, ",".join(values)] if values else []
        for name, value in (("--charge", self.charge), ("--spin", self.spin)):
            found += [name, str(value)] if value is not None else []
        return found


def add_structures(
    parser: _Parser,
    text: str = "a data set, or a file, folder or pattern of structures, as in 'run' (repeatable)",
    several: bool = False,
) -> None:
    """Add --structures and what says how they are read.

    `several`: it takes all words that follow, as a shell leaves them of a pattern without quotes; for verbs that have
    no words without an option.
    """
    more: dict[str, Any] = {"action": "extend", "nargs": "+"} if several else {"action": "append"}
    parser.add_argument("--structures", metavar="NAME|FILE", help=text, **more)
    add_reading(parser)


def add_reading(parser: _Parser) -> None:
    """Add what says how structures are read, and which of them are taken."""
    parser.add_argument("--systems", type=names, metavar="A,B,...", help="only these systems of the set")
    parser.add_argument("--elements", type=names, metavar="C,H,...", help="only systems of these elements")
    parser.add_argument("--charge", type=int, metavar="Q", help="charge of every structure (default: the file's, or 0)")
    parser.add_argument(
        "--spin",
        type=int,
        metavar="M",
        help="multiplicity of every structure (default: the file's, or the lowest)",
    )
    parser.add_argument("--energy-key", metavar="KEY", help="the file's own energies, as labels: such as REF_energy")
    parser.add_argument("--forces-key", metavar="KEY", help="the file's own forces, as labels: such as REF_forces")


def add_limit(parser: _Parser, text: str) -> None:
    """Add --limit: a number of structures."""
    parser.add_argument("--limit", type=int, metavar="N", help=text)


def add_device(parser: _Parser) -> None:
    """Add --device: one device."""
    parser.add_argument("--device", metavar=DEVICE, help="default: %(default)s")


def add_threads(parser: _Parser, text: str = "default: %(default)s") -> None:
    """Add --threads."""
    parser.add_argument("--threads", type=int, metavar="N", help=text)


def add_torch_backend(parser: _Parser) -> None:
    """Add --torch-backend."""
    parser.add_argument(
        "--torch-backend", metavar="NAME", help="passed to uv: cpu, auto, cu128, ... (default: by device)"
    )


def add_on_top_of(parser: _Parser) -> None:
    """Add --on-top-of."""
    parser.add_argument(
        "--on-top-of",
        type=_program,
        metavar="PYTHON",
        help="an interpreter that has torch, JAX or TensorFlow already: environments use its packages and install "
        "what is missing (default: PESBENCH_ON_TOP_OF)",
    )


def _program(text: str) -> str:
    """Return the whole path of a program, because a job of a cluster may start in another folder."""
    return str(Path.cwd() / (shutil.which(text) or text))


def on_top_of(asked: str | None) -> str | None:
    """Return the interpreter that --on-top-of or PESBENCH_ON_TOP_OF names; raises BadInput where it does not run."""
    from bench.environments import interpreters
    from bench.environments.uv import EnvironmentFailed

    try:
        found = interpreters.chosen(asked)
    except EnvironmentFailed as error:
        raise BadInput(f"{'--on-top-of' if asked else interpreters.VARIABLE}: {error}.") from None
    return str(found.python) if found else None


def add_weights(parser: _Parser) -> None:
    """Add --weights and --trust-checkpoint."""
    parser.add_argument(
        "--weights",
        metavar="MODE",
        help="pretrained, random, or auto: random weights, for speed only, where no checkpoint is available "
        "(default: %(default)s)",
    )
    add_trust(parser)


def add_trust(parser: _Parser) -> None:
    """Add --trust-checkpoint."""
    parser.add_argument(
        "--trust-checkpoint", action="store_true", help="use checkpoints whose authors publish no SHA-256"
    )


def add_beside(parser: _Parser) -> None:
    """Add --beside."""
    parser.add_argument(
        "--beside", action="store_true", help="do not wait until another pesbench on this machine has measured"
    )


def add_seed(parser: _Parser) -> None:
    """Add --seed."""
    parser.add_argument(
        "--seed", type=int, metavar="N", help="for the order of methods and for random weights (default: %(default)s)"
    )


def add_threshold(parser: _Parser) -> None:
    """Add --threshold."""
    parser.add_argument(
        "--threshold",
        type=positive,
        metavar="X",
        help="the smallest change that counts, 0.05 for 5 %% (default: %(default)s)",
    )


def add_run(parser: _Parser, paper: bool = False, page: bool = False) -> None:
    """Add the argument RUN; with `paper`, it can be the published table, with `page` the file of a page."""
    parser.add_argument(
        "run",
        nargs="?",
        metavar="|".join(["RUN", *["paper"] * paper, *["FILE.html"] * page]),
        help="a run id or directory (default: the newest run)",
    )


def add_shown_protocols(parser: _Parser) -> None:
    """Add --protocols, which chooses the results to show."""
    parser.add_argument(
        "--protocols",
        metavar="NAME",
        choices=(SPEED, *PROTOCOLS),
        help=f"whose results are shown: {', '.join(PROTOCOLS)}, or speed: the times of relax and replay "
        "(default: %(default)s)",
    )
    # its first name
    parser.add_argument("--protocol", dest="protocols", choices=(SPEED, *PROTOCOLS), help=argparse.SUPPRESS)


def add_relative_to(parser: _Parser) -> None:
    """Add --relative-to: the method by which times are divided."""
    parser.add_argument(
        "--relative-to",
        metavar="METHOD",
        help="'times slower' is about this method (default: the fastest machine-learned potential)",
    )


def add_output_folder(parser: _Parser) -> None:
    """Add --output, for run directories."""
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder of run directories (default: results)")


def add_format(parser: _Parser, forms: Sequence[str] = TABLE_FORMATS) -> None:
    """Add --format, the name of one of `forms`, and --json, which is short for ``--format json``."""
    named = f"{', '.join(forms[:-1])} or {forms[-1]}"

    def known(text: str) -> str:
        if text not in forms:
            raise argparse.ArgumentTypeError(f"there is no format {text!r}; use {named}.")
        return text

    parser.add_argument("--format", type=known, metavar="NAME", help=f"{named} (default: %(default)s)")
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")


def add_json(parser: _Parser, what: str) -> None:
    """Add --json, which prints `what`, and --format, whose ``json`` is the same, for a verb with these two formats."""
    forms = {"terminal": False, "json": True}

    def known(text: str) -> bool:
        if text not in forms:
            raise argparse.ArgumentTypeError(f"there is no format {text!r}; use {' or '.join(forms)}.")
        return forms[text]

    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON on standard output")
    parser.add_argument("--format", dest="json", type=known, metavar="NAME", help="terminal (default) or json")


def protocol_fields() -> list[tuple[str, type, Any]]:
    """Return the name, the type and the default of each option that a protocol brings, for a verb's ``Options``."""
    return [
        (f"{protocol.name}_{field.name}", type(field.default), field.default)
        for protocol in PROTOCOLS.values()
        if protocol.options is not None
        for field in dataclasses.fields(protocol.options)
    ]


def add_protocol_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that protocols bring: ``--NAME-FIELD``, with the help of the field's metadata."""
    for protocol in PROTOCOLS.values():
        if protocol.options is None:
            continue
        group = parser.add_argument_group(f"--protocols {protocol.name}")
        for field in dataclasses.fields(protocol.options):
            group.add_argument(
                f"--{protocol.name}-{field.name.replace('_', '-')}",
                dest=f"{protocol.name}_{field.name}",
                type=type(field.default),
                metavar="X",
                help=f"{field.metadata['help']} (default: %(default)s)",
            )


def protocol_options(options: Any) -> dict[str, dict[str, Any]]:
    """Return the chosen values of these options, by protocol."""
    return {
        protocol.name: {
            field.name: getattr(options, f"{protocol.name}_{field.name}")
            for field in dataclasses.fields(protocol.options)
        }
        for protocol in PROTOCOLS.values()
        if protocol.options is not None
    }
