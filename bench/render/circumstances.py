"""Sentences for the tables on what makes the figures of a run less certain than they look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.analysis.disturbed import Disturbance
from bench.analysis.doubts import ALTERS, VARIES
from bench.analysis.table import Row
from bench.core.device import Device
from bench.core.lines import spans

_FEW = 3  # names in a short note
_DOUBTS = {
    VARIES: "Methods whose answers for the same structure differ by more than their precision explains; their "
    "times may be of different work",
    ALTERS: "Methods whose force call changes the atoms it is given; their times may be of other work",
}


def damaged(lines: Sequence[int]) -> str:
    """Return how many lines of a run's records could not be read, and which; may be empty."""
    if not lines:
        return ""
    several = len(lines) > 1
    return (
        f"{len(lines)} line{'s' if several else ''} of records.jsonl {'are' if several else 'is'} damaged, or of "
        f"another pesbench (line{'s' if several else ''} {spans(lines)}), and {'were' if several else 'was'} skipped."
    )


def disturbed(disturbances: Iterable[Disturbance], labels: Mapping[str, str]) -> str:
    """Return how many rounds were disturbed, which, and what became of them; may be empty.

    What disturbed each is in the run's records."""
    rounds: dict[tuple[str, str], list[int]] = {}
    fates: dict[str, int] = {}
    for one in disturbances:
        rounds.setdefault((labels.get(one.method, one.method), one.device), []).append(one.round + 1)
        fates[one.fate] = fates.get(one.fate, 0) + 1
    if not rounds:
        return ""
    which = "; ".join(f"{name}{elsewhere(device)} ({_numbers(many)})" for (name, device), many in rounds.items())
    total = sum(fates.values())
    became = ", ".join(fates) if len(fates) == 1 else ", ".join(f"{count} {fate}" for fate, count in fates.items())
    return f"{total} round{'s' if total > 1 else ''} disturbed by something else on the machine, {became}: {which}."


def _numbers(rounds: Sequence[int]) -> str:
    return f"round{'s' if len(rounds) > 1 else ''} {', '.join(map(str, sorted(set(rounds))))}"


def disturbed_in_short(disturbances: Iterable[Disturbance], labels: Mapping[str, str]) -> str:
    """Return how many rounds were disturbed, and of which methods; may be empty."""
    found = list(disturbances)
    if not found:
        return ""
    named = list(dict.fromkeys(labels.get(one.method, one.method) for one in found))
    of = ", ".join(named) if len(named) <= _FEW else f"{len(named)} methods"
    what = f"round of {of} was" if len(found) == 1 else f"rounds of {of} were"
    return (
        f"{len(found)} {what} disturbed by other processes; {'it is' if len(found) == 1 else 'they are'} in the means."
    )


def revisited(count: int) -> str:
    """Return how many measurements of a structure were made again; may be empty."""
    what = "measurement of a structure was" if count == 1 else "measurements of structures were"
    return f"{count} {what} repeated, because threads had waited for a core." if count else ""


def unsettled(labels: Iterable[str]) -> str:
    """Return which methods had not settled when their warm-up ended; may be empty."""
    named = ", ".join(dict.fromkeys(labels))
    return f"Force calls had not settled when the warm-up ended: {named}." if named else ""


def doubts(rows: Iterable[Row]) -> Iterable[str]:
    """Say what each doubt means, and which methods it concerns."""
    for kind, meaning in _DOUBTS.items():
        found = {
            row.label: what.strip()
            for row in rows
            for name, _, what in (doubt.partition(":") for doubt in row.doubts)
            if name == kind
        }
        if found:
            yield f"{meaning}: {'; '.join(f'{label} ({what})' for label, what in found.items())}."


def elsewhere(device: str) -> str:
    """Return " on" and the device where it is not the CPU; else empty."""
    found = Device.parse(device)
    return f" on {'the ' if found.index is None else ''}{found.label}" if found.kind.accelerator else ""
