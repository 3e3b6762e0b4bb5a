"""Options that several verbs have: each function returns the field of a verb's ``Options``."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands._declared import option, word
from bench.commands._output import say_what_was_read
from bench.commands._values import program, seconds, share
from bench.core.device import CPU, DEVICES
from bench.core.settings import Settings
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


def method() -> Any:
    """Return the one method of a verb."""
    return word("a name from 'pesbench list'", "METHOD")


def methods(text: str, default: Any = None) -> Any:
    """Return --methods: comma-separated names in one text, as the catalogue takes them."""
    return option(default, text, "A,B,...", commas=True)


def adapter() -> Any:
    """Return --adapter: a tuple of paths."""
    return option((), "an adapter file of your own (repeatable)", "FILE")


def structures(
    text: str = "a data set, or a file, folder or pattern of structures, as in 'run' (repeatable)",
    several: bool = False,
) -> Any:
    """Return --structures: a tuple of names, files, folders and patterns.

    `several`: it takes all words that follow, as a shell leaves them of a pattern without quotes; for verbs that have
    no words without an option.
    """
    return option((), text, "NAME|FILE", nargs="+" if several else None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Structures:
    """The options that say what is measured; a verb says where its help has them by its own field `structures`."""

    structures: tuple[str, ...] = structures()
    systems: tuple[str, ...] = option((), "only these systems of the set", "A,B,...", commas=True)
    elements: tuple[str, ...] = option((), "only systems of these elements", "C,H,...", commas=True)
    charge: int | None = option(None, "charge of every structure (default: the file's, or 0)", "Q")
    spin: int | None = option(None, "multiplicity of every structure (default: the file's, or the lowest)", "M")
    energy_key: str | None = option(None, "the file's own energies, as labels: such as REF_energy", "KEY")
    forces_key: str | None = option(None, "the file's own forces, as labels: such as REF_forces", "KEY")

    def load(self, default: str | None = None, largest: int | None = None) -> DataSet:
        """Return the data set, `default` where none is named, without structures of more than `largest` atoms.

        Raises BadInput.
        """
        from bench.data.structures import Wanted, load_dataset

        if self.spin is not None and self.spin < 1:
            raise BadInput(f"--spin is {self.spin}; it is the multiplicity 2S+1, at least 1.")
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
        say_what_was_read(dataset)
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


def limit(text: str, default: int | None = None) -> Any:
    """Return --limit: a number of structures."""
    return option(default, text, "N", setting="limit")


def device() -> Any:
    """Return --device: one device."""
    return option(CPU, "default: %(default)s", DEVICE)


def threads(text: str = "default: %(default)s", default: int | None = Settings.threads) -> Any:
    """Return --threads: a number; None where the machine decides."""
    return option(default, text, "N", setting="" if default is None else "threads")


def torch_backend() -> Any:
    """Return --torch-backend."""
    return option(
        None,
        "passed to uv: cpu, auto, cu128, ...; index: the package index's own build (default: by device)",
        "NAME",
        setting="torch_backend",
    )


def on_top_of() -> Any:
    """Return --on-top-of: the path of an interpreter."""
    return option(
        None,
        "an interpreter that has torch, JAX or TensorFlow already: environments use its packages and install what is "
        "missing (default: PESBENCH_ON_TOP_OF)",
        "PYTHON",
        parse=program,
    )


def python(what: str) -> Any:
    """Return --python: METHOD=PATH each; `what` is done to the method."""
    return option((), f"{what} METHOD in an interpreter that you bring (repeatable)", "METHOD=PATH")


def weights() -> Any:
    """Return --weights: one of :data:`bench.core.settings.WEIGHTS`."""
    return option(
        Settings.weights,
        "pretrained, random, or auto: random weights, for speed only, where no checkpoint is available "
        "(default: %(default)s)",
        "MODE",
        setting="weights",
    )


def trust_checkpoint() -> Any:
    """Return --trust-checkpoint."""
    return option(False, "use checkpoints whose authors publish no SHA-256", setting="trust")


def knob(text: str = "a setting of the one method, as 'tune' names them", metavar: str = "NAME=VALUE") -> Any:
    """Return --knob: NAME=VALUE each."""
    return option((), text, metavar)


def budget(text: str, default: float) -> Any:
    """Return --budget: seconds."""
    return option(default, text, "SECONDS", parse=seconds)


def beside() -> Any:
    """Return --beside."""
    return option(False, "do not wait until another pesbench on this machine has measured")


def seed() -> Any:
    """Return --seed."""
    return option(
        Settings.seed, "for the order of methods and for random weights (default: %(default)s)", "N", setting="seed"
    )


def threshold(default: float) -> Any:
    """Return --threshold: the smallest change that counts, as a fraction."""
    return option(default, "the smallest change that counts, 0.05 for 5 %% (default: %(default)s)", "X", parse=share)


def run(paper: bool = False, page: bool = False) -> Any:
    """Return the word RUN; with `paper`, it can be the published table, with `page` the file of a page."""
    return word(
        "a run id or directory (default: the newest run)",
        "|".join(["RUN", *["paper"] * paper, *["FILE.html"] * page]),
        None,
        nargs="?",
    )


def shown_protocols() -> Any:
    """Return --protocols, which chooses the results to show."""
    known = (SPEED, *PROTOCOLS)

    def first_name(place: argparse._ActionsContainer) -> None:
        place.add_argument("--protocol", dest="protocols", choices=known, default=SPEED, help=argparse.SUPPRESS)

    return option(
        SPEED,
        f"whose results are shown: {', '.join(PROTOCOLS)}, or speed: the times of relax and replay "
        "(default: %(default)s)",
        "NAME",
        choices=known,
        also=first_name,
    )


def relative_to() -> Any:
    """Return --relative-to: the method by which times are divided."""
    return option(
        None, "'times slower' is about this method (default: the fastest machine-learned potential)", "METHOD"
    )


def output_folder() -> Any:
    """Return --output, for run directories."""
    return option(None, "folder of run directories (default: results)", "DIR")


def table_format(forms: Sequence[str] = TABLE_FORMATS) -> Any:
    """Return --format, the name of one of `forms`, and --json, which is short for ``--format json``."""
    named = f"{', '.join(forms[:-1])} or {forms[-1]}"

    def known(text: str) -> str:
        if text not in forms:
            raise argparse.ArgumentTypeError(f"there is no format {text!r}; use {named}.")
        return text

    def short(place: argparse._ActionsContainer) -> None:
        place.add_argument(
            "--json",
            dest="format",
            action="store_const",
            const="json",
            default=forms[0],
            help="the same as --format json",
        )

    return option(forms[0], f"{named} (default: %(default)s)", "NAME", parse=known, also=short)


def json(what: str) -> Any:
    """Return --json, which prints `what`, and --format, whose ``json`` is the same, for a verb with two formats."""
    forms = {"terminal": False, "json": True}

    def known(text: str) -> bool:
        if text not in forms:
            raise argparse.ArgumentTypeError(f"there is no format {text!r}; use {' or '.join(forms)}.")
        return forms[text]

    def long(place: argparse._ActionsContainer) -> None:
        place.add_argument(
            "--format",
            dest="json",
            type=known,
            metavar="NAME",
            default=False,
            help="terminal (default) or json",
        )

    return option(False, f"print {what} as JSON on standard output", also=long)


@dataclasses.dataclass(frozen=True, kw_only=True)
class InTurn(Structures):
    """The options of verbs that compare versions or settings call by call; their place is that of `structures`."""

    structures: tuple[str, ...] = structures()
    limit: int | None = limit("only N structures")
    beside: bool = beside()
    seed: int = seed()
    weights: str = weights()
    trust_checkpoint: bool = trust_checkpoint()
    output: Path | None = output_folder()
