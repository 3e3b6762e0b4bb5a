"""What several verbs have in common."""

from __future__ import annotations

import argparse
import math
from pathlib import Path


def add_verb(verbs: argparse._SubParsersAction, name: str, text: str, example: str) -> argparse.ArgumentParser:
    """Add a verb with its help; `text` begins with one sentence, `example` is a command line."""
    return verbs.add_parser(
        name,
        help=text[0].lower() + text[1:].partition(".")[0],
        description=text,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_adapter(verb: argparse._ActionsContainer) -> None:
    """Add --adapter."""
    verb.add_argument(
        "--adapter",
        action="append",
        default=[],
        metavar="FILE",
        type=Path,
        help="an adapter file of your own (repeatable)",
    )


def add_weights(verb: argparse._ActionsContainer) -> None:
    """Add --weights and --trust-checkpoint."""
    verb.add_argument(
        "--weights",
        default="auto",
        metavar="MODE",
        help="pretrained, random, or auto: random ones, for speed only, where a checkpoint cannot be had (default)",
    )
    verb.add_argument("--trust-checkpoint", action="store_true", help="use checkpoints whose SHA-256 nobody publishes")


def add_json(verb: argparse.ArgumentParser, what: str) -> None:
    """Add --json, which prints `what`."""
    verb.add_argument("--json", action="store_true", help=f"print {what} as JSON on standard output")


def budget(text: str) -> float | None:
    """Read a budget: seconds, or none."""
    if text == "none":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no budget; give seconds above zero, or none.")
    return seconds


def positive(text: str) -> float:
    """Read a number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above zero.")
    return number


def add_threshold(verb: argparse.ArgumentParser, default: float) -> None:
    """Add --threshold."""
    verb.add_argument(
        "--threshold",
        type=positive,
        default=default,
        metavar="X",
        help="the smallest change that counts, 0.05 for 5 %% (default: %(default)s)",
    )
