"""A method's releases, each compared with a newer one: from what was measured to how each compares with the newest."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from packaging.utils import canonicalize_name

from bench.analysis.statistics import Estimate

FORMAT = 1
CHANGE = 0.05
"""The smallest change between two releases that is told."""
PARTS = {"jax": ("jaxlib",), "torch": ("triton", "pytorch-triton", "nvidia-")}
"""Packages, by how their names begin, that are released with another one and are counted as part of it."""


@dataclasses.dataclass(frozen=True)
class Other:
    """A package whose versions differ between the environments of two releases of another one."""

    name: str
    """Its canonical name."""
    old: str | None
    """Beside the older release; None where it is not there, or nobody looked."""
    new: str | None


def differing(old: Mapping[str, str], new: Mapping[str, str], package: str) -> tuple[Other, ...]:
    """Return how two environments differ, but for `package` and its parts, by name.

    >>> differing({"torch": "2.1", "numpy": "2.0"}, {"torch": "2.2", "numpy": "2.4"}, "torch")
    (Other(name='numpy', old='2.0', new='2.4'),)
    """
    mine, theirs = ({str(canonicalize_name(name)): version for name, version in one.items()} for one in (old, new))
    own = str(canonicalize_name(package))
    return tuple(
        Other(name, mine.get(name), theirs.get(name))
        for name in sorted({*mine, *theirs})
        if mine.get(name) != theirs.get(name) and name != own and not name.startswith(PARTS.get(own, ()))
    )


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
    others: tuple[Other, ...] = ()
    """The other packages whose versions differ between its environment and that of the newer one."""
    why: str = ""
    """Why there is no comparison."""
    run: str = ""
    created: str = ""
    machine: str = ""
    """The processor."""
    work: str = ""
    """The structures and threads of its force calls, in words; empty where nobody kept them."""


@dataclasses.dataclass(frozen=True)
class Timeline:
    """The releases of a package by which a method is computed."""

    method: str
    label: str
    package: str
    releases: tuple[Release, ...] = ()
    pins: tuple[str, ...] = ()
    """What is the same beside all releases by the user's wish, such as ``torch==2.7.1``."""
    format: int = FORMAT


@dataclasses.dataclass(frozen=True)
class Step:
    """One release in the table: how it compares with the newest one and with the next one."""

    release: Release
    ratio: Estimate | None
    """Its time over that of the newest release."""
    change: Estimate | None
    """The next release's time over its own; None where one of them could not be measured."""
    others: tuple[Other, ...] = ()
    """The other packages whose versions differ between its environment and the next release's."""
    other_answers: bool | None = False
    """It or the next release computes something else than the newer one beside which both were measured, so their times
    are not of the same work; None where nobody could compare the answers."""
    conditions: tuple[str, ...] = ()
    """The structures, threads and machines of it and the next release, where they differ: how much faster a release is
    than another one depends on them."""
    same_answers: bool | None = None
    """Whether its answers are those of the newest release; None where this is unknown."""

    @property
    def changed(self) -> bool:
        """Whether the next release is surely faster or slower, by :data:`CHANGE` at least."""
        one = self.change
        if one is None or one.low is None or one.high is None:
            return False
        return (one.low > 1 or one.high < 1) and abs(math.log(one.estimate)) >= math.log1p(CHANGE)

    @property
    def attributable(self) -> bool | None:
        """Whether a change is due to the package: nothing else differs, and the answers are known to be the same.

        None where nothing changed.
        """
        return not (self.others or self.conditions) and self.other_answers is False if self.changed else None


def steps(timeline: Timeline, newest: str) -> list[Step]:
    """Return the releases from the oldest to the newest but one, each with its time over that of `newest`.

    A release that was compared with one that is not the newest any more is compared through that one.
    """
    by_version = {one.version: one for one in timeline.releases}
    ordered = list(timeline.releases)
    found = []
    for place, one in enumerate(ordered):
        way = _way(one.version, newest, by_version)
        mine = _along(way) if way and way[-1].against == newest else None
        following = ordered[place + 1].version if place + 1 < len(ordered) else newest
        change = _change(one.version, following, newest, by_version)
        others = _between(one.version, following, newest, by_version) if change is not None else ()
        apart = [each for part in _apart(one.version, following, newest, by_version) for each in part]
        same = _same(apart)
        found.append(
            Step(
                one,
                mine,
                change,
                others,
                other_answers=None if same is None else not same,
                conditions=_unlike(apart) if change is not None else (),
                same_answers=_same(way) if mine is not None else None,
            )
        )
    return found


def _same(way: Sequence[Release]) -> bool | None:
    """Return whether answers are the same in all comparisons; None where one of them is unknown and none differs."""
    if any(one.answers for one in way):
        return False
    return None if any(one.answers is None for one in way) else True


def _unlike(way: Sequence[Release]) -> tuple[str, ...]:
    """Return the structures and threads, and the machines, of comparisons, where they are known to differ."""
    kinds = ([each.work for each in way if each.work], [each.machine for each in way if each.machine])
    return tuple(name for kind in kinds if len(set(kind)) > 1 for name in dict.fromkeys(kind))


def _between(version: str, following: str, newest: str, releases: dict[str, Release]) -> tuple[Other, ...]:
    """Return how the environments of two releases differ, each of which is known by how it differs from a newer one."""
    names = sorted({other.name for one in releases.values() for other in one.others})
    both = [Other(name, *(_beside(name, one, newest, releases) for one in (version, following))) for name in names]
    return tuple(one for one in both if one.old != one.new)


def _beside(name: str, version: str, newest: str, releases: dict[str, Release]) -> str | None:
    """Return the version of another package beside a release."""
    for one in _way(version, newest, releases):
        for other in one.others:
            if other.name == name:
                return other.old
    # nothing on its way says so: it is the newest one's, which is where the way of another release ends
    for start in releases:
        way = _way(start, newest, releases)
        said = [other.new for one in way for other in one.others if other.name == name]
        if said and way[-1].against == newest:
            return said[-1]
    return None


def _way(version: str, newest: str, releases: dict[str, Release]) -> list[Release]:
    """Return the comparisons that lead from a release to the newest one."""
    found = []
    while version != newest and version in releases:
        found.append(releases[version])
        version = releases[version].against
    return found


def _apart(one: str, other: str, newest: str, releases: dict[str, Release]) -> tuple[list[Release], list[Release]]:
    """Return the ways of two releases to the newest one, as far as they have no comparison in common."""
    ways = [_way(each, newest, releases) for each in (one, other)]
    both = {each.version for each in ways[0]} & {each.version for each in ways[1]}
    mine, theirs = ([each for each in way if each.version not in both] for way in ways)
    return mine, theirs


def _along(way: Sequence[Release]) -> Estimate | None:
    """Return the time over that of the release at the end of a way; None where a comparison of it has no figure."""
    logs, widths = 0.0, 0.0
    for one in way:
        if one.estimate is None or one.low is None or one.high is None:
            return None
        logs += math.log(one.estimate)
        widths = math.hypot(widths, math.log(one.high / one.low) / 2)
    return _estimate(logs, widths)


def _change(version: str, following: str, newest: str, releases: dict[str, Release]) -> Estimate | None:
    """Return the time of the following release over that of a release; None where one could not be measured.

    Comparisons that are on the ways of both to the newest release say nothing of their ratio: they drop out.
    """
    ways = _apart(following, version, newest, releases)
    ends = {way[-1].against if way else one for one, way in zip((following, version), ways, strict=True)}
    theirs, mine = map(_along, ways)
    if len(ends) > 1 or theirs is None or mine is None:
        return None
    return _estimate(math.log(theirs.estimate / mine.estimate), math.hypot(_half(theirs), _half(mine)))


def _half(one: Estimate) -> float:
    assert one.low is not None and one.high is not None
    return math.log(one.high / one.low) / 2


def _estimate(log: float, half: float) -> Estimate:
    return Estimate(math.exp(log), math.exp(log - half), math.exp(log + half), 1, "rounds")
