"""What the values of options mean: budgets, pairs of a name and a value, interpreters."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from bench.commands import _declared
from bench.errors import BadInput


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
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a budget; give a number of seconds above zero, or none.")
    return Budget(seconds)


def positive(text: str) -> float:
    """Read a number above zero."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero.")
    return number


def seconds(text: str) -> float:
    """Read a time in seconds, above zero."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; give a number of seconds above zero.")
    return number


def clock(text: str) -> str:
    """Read a time limit as schedulers have it, HH:MM:SS."""
    if not re.fullmatch(r"\d+:[0-5]\d:[0-5]\d", text) or not re.search("[1-9]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time limit; write HH:MM:SS, such as 02:00:00.")
    return text


def share(text: str) -> float:
    """Read a share between 0 and 1; a percentage would be taken for a hundred times as much."""
    number = positive(text)
    if number >= 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is {100 * number:g} %; write a share below 1, such as 0.05 for 5 %."
        )
    return number


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
    for field in _declared.changed(options):
        if field.name not in may_change:
            option = _declared.flag(field.name)
            raise BadInput(f"a resumed run continues as it was planned; leave out {option}, or start a new run.")


def program(text: str) -> str:
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
