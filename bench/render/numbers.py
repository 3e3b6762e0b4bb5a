"""Numbers as people read them, in cells: no more digits than the interval justifies, a dash where there is no value."""

from __future__ import annotations

import math

from bench.analysis.statistics import Estimate
from bench.render.cells import DASH, Cell


def with_interval(estimate: Estimate | None, digits: int = 4) -> Cell:
    """Return ``113.2 [111.0, 115.9]``, ``113.2 [–]`` without an interval, a dash without an estimate.

    The interval's half-width has two significant digits, the estimate at most `digits` and at least two.
    """
    if estimate is None:
        return DASH
    if estimate.low is None or estimate.high is None:
        return Cell(f"{plain(estimate.estimate, digits)} [{DASH}]", estimate.estimate)
    most = digits - 1 - _exponent(estimate.estimate)
    half = (estimate.high - estimate.low) / 2
    least = 1 - _exponent(estimate.estimate)
    decimals = max(0, least, min(most, 1 - _exponent(half)) if half > 0 else most)
    low, middle, high = (f"{x:.{decimals}f}" for x in (estimate.low, estimate.estimate, estimate.high))
    return Cell(f"{middle} [{low}, {high}]", estimate.estimate, estimate.low, estimate.high)


def ratio(estimate: Estimate | None) -> Cell:
    """Return a ratio with its interval: ``1.40 [1.36, 1.44]``."""
    return with_interval(estimate, 2 if estimate is not None and 0.1 <= estimate.estimate < 1 else 3)


def plain(value: float | None, digits: int = 3) -> Cell:
    """Return a number with `digits` significant digits, never in exponential notation."""
    if value is None:
        return DASH
    decimals = max(0, digits - 1 - _exponent(value))
    return Cell(f"{value:.{decimals}f}", value)


def magnitude(value: float) -> Cell:
    """Return a number with two significant digits: ``0.083``, ``140``; ``0`` for less than a thousandth."""
    if abs(value) < 1e-3:
        return Cell("0", value)
    rounded = float(f"{value:.2g}")
    return Cell(f"{rounded:.0f}", value) if abs(rounded) >= 10 else plain(rounded, 2)


def published(value: float | None, digits: int = 5) -> Cell:
    """Return a published figure as it was printed, with at most `digits` significant digits."""
    return DASH if value is None else Cell(f"{value:.{digits}g}", value)


def of(number: int, word: str) -> str:
    """Return a number of things: ``1 thread``, ``2 threads``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def count(value: float | None) -> Cell:
    """Return a mean count with one decimal."""
    return DASH if value is None else Cell(f"{value:.1f}", value)


def growth(fraction: float | None) -> Cell:
    """Return by how much something has grown, in percent with its sign: ``+1.3 %``."""
    return DASH if fraction is None else Cell(f"{100 * fraction:+.1f} %", fraction)


def percent(share: float | None) -> Cell:
    """Return a share of 1 in percent."""
    return DASH if share is None else Cell(f"{100 * share:.0f} %", share)


def parameters(number: int | None) -> Cell:
    """Return a parameter count: ``842 k``, ``6.9 M``."""
    if number is None:
        return DASH
    if number >= 1_000_000:
        return Cell(f"{plain(number / 1e6, 2 if number < 10_000_000 else 3)} M", number)
    return Cell(f"{number / 1e3:.0f} k" if number >= 1000 else str(number), number)


def size(number: int | None) -> Cell:
    """Return bytes in MiB or GiB."""
    if number is None:
        return DASH
    gib = number / 2**30
    return Cell(f"{gib:.1f} GiB" if gib >= 1 else f"{number / 2**20:.0f} MiB", number)


def seconds(value: float | None) -> Cell:
    """Return seconds, with a decimal below ten."""
    return DASH if value is None else Cell(f"{value:.1f} s" if value < 10 else f"{value:.0f} s", value)


def fixed(value: float | None, decimals: int) -> Cell:
    """Return a number with so many decimals."""
    return DASH if value is None else Cell(f"{value:.{decimals}f}", value)


def whole(number: int | None) -> Cell:
    """Return a count as it is."""
    return DASH if number is None else Cell(f"{number:,}", number)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0
