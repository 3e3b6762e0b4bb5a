"""The checks of the conformance kit as plain text: a line for each, and what to fix below them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from bench.core.message import Check

WORDS = {True: "ok", False: "FAIL", None: "skipped"}
MARGIN = 9


def render(checks: Sequence[Check], width: int = 80) -> str:
    """Return the checks as text of at most `width` columns.

    Parameters
    ----------
    checks : sequence of Check
        In the order in which they ran.
    width : int
        Characters in a line.
    """
    lines: list[str] = []
    for check in checks:
        text = check.name
        if check.figure:
            text += f": {check.figure}"
        if check.tolerance:
            text += f" ({check.tolerance})"
        lines += _wrapped(WORDS[check.passed].ljust(MARGIN), text, width)
    counts = {word: sum(check.passed is passed for check in checks) for passed, word in WORDS.items()}
    lines += ["", f"{counts['ok']} ok, {counts['FAIL']} failed, {counts['skipped']} skipped"]
    wrong = [check for check in checks if check.passed is False]
    if wrong:
        lines += ["", "What to fix:"]
    for check in wrong:
        lines += _wrapped("- ", f"{check.name}: {check.advice}.", width)
    return "\n".join(lines) + "\n"


def _wrapped(first: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
    )
