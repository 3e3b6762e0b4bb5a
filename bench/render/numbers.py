"""Numbers as people read them: no more digits than the interval justifies, and a dash where there is no value."""

from __future__ import annotations

import math

from bench.analysis.statistics import Estimate

DASH = "–"


def with_interval(estimate: Estimate | None, digits: int = 4) -> str:
    """Return ``113.2 [111.0, 115.9]``, ``113.2 [–]`` without an interval, a dash without an estimate.

    The interval's half-width has two significant digits, the estimate at most `digits` and at least two.
    """
    if estimate is None:
        return DASH
    if estimate.low is None or estimate.high is None:
        return f"{plain(estimate.estimate, digits)} [{DASH}]"
    most = digits - 1 - _exponent(estimate.estimate)
    half = (estimate.high - estimate.low) / 2
    least = 1 - _exponent(estimate.estimate)
    decimals = max(0, least, min(most, 1 - _exponent(half)) if half > 0 else most)
    low, middle, high = (f"{x:.{decimals}f}" for x in (estimate.low, estimate.estimate, estimate.high))
    return f"{middle} [{low}, {high}]"


def ratio(estimate: Estimate | None) -> str:
    """Return a ratio with its interval: ``1.40 [1.36, 1.44]``."""
    return with_interval(estimate, 2 if estimate is not None and 0.1 <= estimate.estimate < 1 else 3)


def plain(value: float | None, digits: int = 3) -> str:
    """Return a number with `digits` significant digits, never in exponential notation."""
    if value is None:
        return DASH
    decimals = max(0, digits - 1 - _exponent(value))
    return f"{value:.{decimals}f}"


def magnitude(value: float) -> str:
    """Return a number with two significant digits: ``0.083``, ``140``; ``0`` for less than a thousandth."""
    if abs(value) < 1e-3:
        return "0"
    rounded = float(f"{value:.2g}")
    return f"{rounded:.0f}" if abs(rounded) >= 10 else plain(rounded, 2)


def published(value: float | None, digits: int = 5) -> str:
    """Return a published figure as it was printed, with at most `digits` significant digits."""
    return DASH if value is None else f"{value:.{digits}g}"


def count(value: float | None) -> str:
    """Return a mean count with one decimal."""
    return DASH if value is None else f"{value:.1f}"


def percent(share: float | None) -> str:
    """Return a share of 1 in percent."""
    return DASH if share is None else f"{100 * share:.0f} %"


def parameters(number: int | None) -> str:
    """Return a parameter count: ``842 k``, ``6.9 M``."""
    if number is None:
        return DASH
    if number >= 1_000_000:
        return f"{plain(number / 1e6, 2 if number < 10_000_000 else 3)} M"
    return f"{number / 1e3:.0f} k" if number >= 1000 else str(number)


def size(number: int | None) -> str:
    """Return bytes in MiB or GiB."""
    if number is None:
        return DASH
    gib = number / 2**30
    return f"{gib:.1f} GiB" if gib >= 1 else f"{number / 2**20:.0f} MiB"


def seconds(value: float | None) -> str:
    """Return seconds, with a decimal below ten."""
    return DASH if value is None else f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0
