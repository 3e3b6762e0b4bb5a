"""Writes names beside the marks of a figure, so that none covers another name or a mark."""

from __future__ import annotations

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
    at = [tuple(scale * value for value in axes.transData.transform(point)) for point in points]
    taken: list[Box] = [(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in at]
    for ends in lines:
        (x0, y0), (x1, y1) = (scale * axes.transData.transform(end) for end in ends)
        taken.append((min(x0, x1), min(y0, y1) - 1, max(x0, x1), max(y0, y1) + 1))
    for (x, y), point, name in zip(at, points, names, strict=True):
        wide, high = 72 * inches(name, size), 0.72 * size
        places = [(dx, dy, _box(x + dx, y + dy, wide, high, dx > 0)) for dx, dy in (*_NEAR, *_FAR)]
        inside = [one for one in places if _within(one[2], (left, bottom, right, top))]
        free = (one for one in inside if not any(_overlap(one[2], other) for other in taken))
        dx, dy, box = next(free, (inside or places)[0])
        taken.append(box)
        line = {"arrowstyle": "-", "color": "0.6", "lw": 0.5, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            name,
            point,
            xytext=(dx, dy),
            textcoords="offset points",
            ha="left" if dx > 0 else "right",
            va="center",
            fontsize=size,
            zorder=5,
            arrowprops=line if abs(dy) > 10 else None,
        )


def _box(x: float, y: float, wide: float, high: float, right: bool) -> Box:
    start = x if right else x - wide
    return start - 1, y - high / 2 - 1, start + wide + 1, y + high / 2 + 1


def _within(one: Box, frame: Box) -> bool:
    return one[0] >= frame[0] and one[1] >= frame[1] and one[2] <= frame[2] and one[3] <= frame[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
