"""Names beside the marks of a figure: each nearest to its own mark, none over anything, none against an axis."""

import math

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.render import names
from bench.render.figure import STYLE, WIDTH

DEFAULT_RUN = {
    "UFF (Open Babel, ASE)": (0.212, 1154),
    "UFF (Open Babel CG)": (0.56, 1154),
    "GFN2-xTB (tblite)": (3.4, 158),
    "ANI-1ccx": (6.5, 123),
    "SO3LR (PBE0+MBD)": (13, 110),
    "SevenNet-0 (11Jul2024)": (39.8, 250),
    "Nequix MP (nequix-mp-1)": (43.8, 247),
    "PBE0/def2-SVP (PySCF)": (11630, 154),
    "PBE0/def2-SVP (NWChem, ASE's input)": (19000, 157),
}
AT_THE_EDGE = {"a long name at the left edge": (0.065, 100), "another long name at the right edge": (5.8e4, 101)}


def written(points, lines=()):
    """Return the axes, and the boxes of the names in pixels."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.085, 0.15, 0.9, 0.75))
        axes.set(xscale="log", yscale="log", xlim=(0.06, 6e4), ylim=(23, 1500))
        names.write(axes, list(points.values()), list(points), lines)
        figure.canvas.draw()
        found = {text.get_text(): text for text in axes.texts}
        return axes, {name: mpl.text.Text.get_window_extent(text) for name, text in found.items()}, found


def away(box, x, y):
    return math.hypot(max(box.x0 - x, x - box.x1, 0), max(box.y0 - y, y - box.y1, 0))


@pytest.mark.parametrize("points", [DEFAULT_RUN, AT_THE_EDGE], ids=["the default run", "at the edge"])
def test_names_are_clear_of_each_other_of_the_marks_and_of_the_axes(points):
    axes, boxes, _ = written(points)
    marks = {name: axes.transData.transform(at) for name, at in points.items()}
    frame = axes.get_window_extent()
    for name, box in boxes.items():
        assert box.x0 > frame.x0 + 2, f"{name} touches the axis"
        assert box.x1 < frame.x1, f"{name} leaves the figure"
        assert all(away(box, *at) > 2 for at in marks.values()), f"{name} covers a mark"
        assert not any(box.overlaps(other) for other in boxes.values() if other is not box), f"{name} covers a name"


def test_a_name_without_a_line_is_nearest_to_its_own_mark():
    line = [((0.212, 1154), (3.4, 1154)), ((3.4, 1154), (3.4, 158))]
    axes, boxes, texts = written(DEFAULT_RUN, line)
    marks = {name: axes.transData.transform(at) for name, at in DEFAULT_RUN.items()}
    for name, box in boxes.items():
        nearest = min(marks, key=lambda other: away(box, *marks[other]))
        assert nearest == name or texts[name].arrow_patch is not None
