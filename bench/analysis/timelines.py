"""A method's releases, each compared with a newer one: from what was measured to how each compares with the newest."""

from __future__ import annotations

import dataclasses
import math

from bench.analysis.statistics import Estimate

FORMAT = 1
CHANGE = 0.05
"""The smallest change between two releases that is told."""


@dataclasses.dataclass(frozen=True)
class Release:
    """One release, measured call by call in turn with a newer one."""

    version: str
    against: str
    """The newer release."""
    estimate: float | None = None
    """Its time of a force call over that of the newer one; None where they could not be compared."""
    low: float | None = None
    high: float | None = None
    answers: tuple[str, ...] | None = None
    """Where its answers differ; None where this is unknown."""
    changed: tuple[str, ...] = ()
    """The other packages whose versions differ between the two environments."""
    why: str = ""
    """Why there is no comparison."""
    run: str = ""
    created: str = ""
    machine: str = ""
    """The processor."""


@dataclasses.dataclass(frozen=True)
class Timeline:
    """The releases of a package by which a method is computed."""

    method: str
    label: str
    package: str
    releases: tuple[Release, ...] = ()
    format: int = FORMAT


@dataclasses.dataclass(frozen=True)
class Step:
    """One release in the table: how it compares with the newest one and with the next one."""

    release: Release
    ratio: Estimate | None
    """Its time over that of the newest release."""
    change: Estimate | None
    """The next release's time over its own; None where one of them could not be measured."""

    @property
    def changed(self) -> bool:
        """Whether the next release is surely faster or slower, by :data:`CHANGE` at least."""
        one = self.change
        if one is None or one.low is None or one.high is None:
            return False
        return (one.low > 1 or one.high < 1) and abs(math.log(one.estimate)) >= math.log1p(CHANGE)


def steps(timeline: Timeline, newest: str) -> list[Step]:
    """Return the releases from the oldest to the newest but one, each with its time over that of `newest`.

    A release that was compared with one that is not the newest any more is compared through that one.
    """
    by_version = {one.version: one for one in timeline.releases}
    through = {version: _to(version, newest, by_version) for version in by_version}
    ordered = list(timeline.releases)
    found = []
    for place, one in enumerate(ordered):
        mine = through[one.version]
        following = (
            through.get(ordered[place + 1].version) if place + 1 < len(ordered) else Estimate(1.0, 1.0, 1.0, 1, None)
        )
        found.append(Step(one, mine, _over(following, mine)))
    return found


def _to(version: str, newest: str, releases: dict[str, Release]) -> Estimate | None:
    logs, widths = 0.0, 0.0
    while version != newest:
        one = releases.get(version)
        if one is None or one.estimate is None or one.low is None or one.high is None:
            return None
        logs += math.log(one.estimate)
        widths = math.hypot(widths, math.log(one.high / one.low) / 2)
        version = one.against
    return _estimate(logs, widths)


def _over(one: Estimate | None, other: Estimate | None) -> Estimate | None:
    """Return the ratio of two independent ratios to the same release."""
    if one is None or other is None:
        return None
    return _estimate(math.log(one.estimate / other.estimate), math.hypot(_half(one), _half(other)))


def _half(one: Estimate) -> float:
    assert one.low is not None and one.high is not None
    return math.log(one.high / one.low) / 2


def _estimate(log: float, half: float) -> Estimate:
    return Estimate(math.exp(log), math.exp(log - half), math.exp(log + half), 1, "rounds")
