"""Writes names beside the marks of a figure, so that none covers another name or a mark."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from bench.render.figure import inches

_MARK = 4.0
"""Points from the middle of a mark that no name may enter."""
_NEAR = ((6.0, 0.0), (3.0, 8.5), (3.0, -8.5), (-3.0, 8.5), (-3.0, -8.5), (-6.0, 0.0))
"""Where a name begins or ends, in points from its mark: the side of a positive number is the right one."""
_FAR = tuple(
    (side * 12.0, up * away) for away in (17.0, 27.0, 37.0, 47.0, 57.0, 67.0) for up in (1, -1) for side in (1, -1)
)

_EDGE = 3.0
"""Points between a name and an axis."""
_UNTIED = 10.0
"""A name that is further up or down than this, in points, has a line to its mark."""
_CLEARLY = 1.5
"""Points by which a name is nearer to its own mark than to another."""
_WRONG, _COVERED, _OUTSIDE = 30.0, 1e3, 1e4
"""How much worse a place is that is nearer to another mark, that covers something, that is not in the frame."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def write(
    axes: Axes,
    points: Sequence[Point],
    names: Sequence[str],
    lines: Sequence[tuple[Point, Point]] = (),
    size: float = 6.5,
) -> None:
    """Write the name of each point beside it, in letters of `size` points, as near as there is room.

    The limits of the axes must be set. `lines`, level or upright, are kept free. A name that has to stand further off
    has a thin line to its mark.
    """
    scale = 72 / axes.figure.dpi
    left, bottom, right, top = (scale * edge for edge in axes.bbox.extents)
    frame = left + _EDGE, bottom + _EDGE, right, top
    at = [tuple(scale * value for value in axes.transData.transform(point)) for point in points]
    taken: list[Box] = [(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in at]
    for ends in lines:
        (x0, y0), (x1, y1) = (scale * axes.transData.transform(end) for end in ends)
        taken.append((min(x0, x1), min(y0, y1) - 1, max(x0, x1), max(y0, y1) + 1))
    high = 0.72 * size
    places = [
        _places(i, at, 72 * inches(name, size), high, frame, taken) for i, name in enumerate(names)
    ]  # what does not depend on the other names
    line = {"arrowstyle": "-", "color": "0.6", "lw": 0.5, "shrinkA": 0, "shrinkB": 3}
    for point, name, (dx, dy) in zip(points, names, _arranged(places), strict=True):
        axes.annotate(
            name,
            point,
            xytext=(dx, dy),
            textcoords="offset points",
            ha="left" if dx > 0 else "right",
            va="center",
            fontsize=size,
            zorder=5,
            arrowprops={**line, "relpos": (0.0 if dx > 0 else 1.0, 0.5)} if abs(dy) > _UNTIED else None,
        )


def _places(
    i: int, at: Sequence[Point], wide: float, high: float, frame: Box, taken: Sequence[Box]
) -> list[tuple[float, Point, Box]]:
    """Return where the name of the i-th point may stand: how bad each place is, its offset and its box."""
    x, y = at[i]
    found = []
    for rank, (dx, dy) in enumerate((*_NEAR, *_FAR)):
        box = _box(x + dx, y + dy, wide, high, dx > 0)
        cost = float(rank)
        if abs(dy) <= _UNTIED and any(
            _away(box, other) < _away(box, (x, y)) + _CLEARLY for j, other in enumerate(at) if j != i
        ):
            cost += _WRONG  # it would seem to be another's
        if any(_overlap(box, other) for other in taken):
            cost += _COVERED
        if not _within(box, frame):
            cost += _OUTSIDE
        found.append((cost, (dx, dy), box))
    return found


def _arranged(places: Sequence[Sequence[tuple[float, Point, Box]]]) -> list[Point]:
    """Return the offset of each name; of the orders that are tried, the one in which all names stand best."""
    best, least = [], float("inf")
    numbers = list(range(len(places)))
    for start in range(max(len(numbers), 1)):
        turned = numbers[start:] + numbers[:start]
        for order in (turned, turned[::-1]):
            total, chosen = _one_by_one(order, places, least)
            if total < least:
                best, least = [chosen[i] for i in numbers], total
    return best


def _one_by_one(
    order: Sequence[int], places: Sequence[Sequence[tuple[float, Point, Box]]], least: float
) -> tuple[float, dict[int, Point]]:
    """Return how bad it is to place the names in this order, and their offsets; ends early above `least`."""
    total, written, chosen = 0.0, list[Box](), dict[int, Point]()
    for i in order:
        cost, offset, box = min(
            (cost + _COVERED * any(_overlap(box, other) for other in written), offset, box)
            for cost, offset, box in places[i]
        )
        total += cost
        if total >= least:
            break
        written.append(box)
        chosen[i] = offset
    return total, chosen


def _away(box: Box, point: Point) -> float:
    """Return how far a point is from a box."""
    x, y = point
    return math.hypot(max(box[0] - x, x - box[2], 0.0), max(box[1] - y, y - box[3], 0.0))


def _box(x: float, y: float, wide: float, high: float, right: bool) -> Box:
    start = x if right else x - wide
    return start - 1, y - high / 2 - 1, start + wide + 1, y + high / 2 + 1


def _within(one: Box, frame: Box) -> bool:
    return one[0] >= frame[0] and one[1] >= frame[1] and one[2] <= frame[2] and one[3] <= frame[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
