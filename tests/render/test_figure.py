from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import matplotlib.image
import pytest
from matplotlib.text import Text
from synthetic import campaign, measurements, method, replays

from bench.analysis.by_system import by_system as times_by_system
from bench.core.description import MethodFacts, SystemFacts
from bench.paper import table1 as paper
from bench.render import by_system, figure, marks, systems_figure


def texts(drawn) -> list[str]:
    return [found.get_text() for found in drawn.findobj(Text) if found.get_text()]


def test_the_figure_is_written_as_svg_and_png(gpu_table, tmp_path):
    svg, png = figure.save(figure.draw(gpu_table), tmp_path / "run.v1")
    assert (svg.name, png.name) == ("run.v1.svg", "run.v1.png")
    assert ET.parse(svg).getroot().tag.endswith("svg")
    pixels = matplotlib.image.imread(png)
    assert pixels.shape[1] == round(figure.WIDTH * 300)
    assert pixels[..., :3].std() > 0.05


def test_the_same_table_gives_the_same_bytes(gpu_table, tmp_path):
    for first, second in zip(
        figure.save(figure.draw(gpu_table), tmp_path / "a"),
        figure.save(figure.draw(gpu_table), tmp_path / "b"),
        strict=True,
    ):
        assert first.read_bytes() == second.read_bytes()


def test_every_method_is_in_it_with_its_number_or_the_reason(gpu_table):
    shown = texts(figure.draw(gpu_table))
    for row in gpu_table.rows:
        assert any(row.label in text for text in shown) or row.label == "GFN2-xTB"
    assert "out-of-memory" in shown
    assert "no-device" in shown
    assert "61.0" in shown and "31.0" in shown
    assert "eqV2 M (random weights)" in shown


def test_it_says_on_what_machine_data_set_and_run(gpu_table):
    caption = " ".join(texts(figure.draw(gpu_table)))
    for part in ("Intel Xeon", "1 thread", "NVIDIA H200", "naphthalene-md17, 101 structures", "20261122-105712"):
        assert part in caption


def test_no_letter_is_smaller_than_seven_points(gpu_table, cpu_table):
    for table in (gpu_table, cpu_table, paper.table()):
        assert min(found.get_fontsize() for found in figure.draw(table).findobj(Text) if found.get_text()) >= 7


@pytest.mark.parametrize("which", ["cpu_table", "gpu_table", "both_gpu_table", "replay_table", "paper"])
def test_no_text_runs_over_the_edge_or_into_other_text(which, request):
    drawn = figure.draw(paper.table() if which == "paper" else request.getfixturevalue(which))
    drawn.canvas.draw()
    axes = drawn.axes[0]
    low, high = axes.get_xlim()
    hidden = [
        label for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True) if not low < tick < high
    ]
    shown = [found for found in drawn.findobj(Text) if found.get_text() and found not in hidden]
    boxes = [(found.get_text(), found.get_window_extent()) for found in shown]
    boxes = [(text, box) for text, box in boxes if box.width > 1]  # what is not drawn has the unit box
    assert len(boxes) > 25
    width, height = drawn.bbox.width, drawn.bbox.height
    for text, box in boxes:
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, text
    for i, (text, box) in enumerate(boxes):
        for other, other_box in boxes[i + 1 :]:
            assert not box.overlaps(other_box.shrunk(0.9, 0.6)), (text, other)


def test_cpu_and_gpu_differ_in_shape_and_not_only_in_colour(gpu_table):
    marks = {
        (line.get_color(), line.get_marker())
        for line in figure.draw(gpu_table).axes[0].lines
        if line.get_marker() in "oD" and line.get_markerfacecolor() != "none"
    }
    assert len({color for color, _ in marks}) == len({marker for _, marker in marks}) == 2


def test_the_papers_figures_are_hollow_marks_at_their_values(cpu_table):
    hollow = [line for line in figure.draw(cpu_table).axes[0].lines if line.get_markerfacecolor() == "none"]
    assert sorted(float(line.get_xdata()[0]) for line in hollow) == [0.15, 43.55, 471.18, 20301.416]


def test_the_intervals_are_drawn_where_they_are(cpu_table):
    row = next(row for row in cpu_table.rows if row.method == "7net-0")
    bars = [tuple(line.get_xdata()) for line in figure.draw(cpu_table).axes[0].lines if len(line.get_xdata()) == 2]
    assert (row.ms_per_step.low, row.ms_per_step.high) in bars


def test_the_axis_is_logarithmic_and_has_a_power_of_ten_even_for_a_single_method(cpu_table):
    one = dataclasses.replace(cpu_table, rows=tuple(row for row in cpu_table.rows if row.method == "7net-0"))
    axes = figure.draw(one).axes[0]
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert any(low < tick < high for tick in axes.get_xticks())


@pytest.mark.parametrize("which", ["cpu_table", "gpu_table", "both_gpu_table"])
def test_an_axis_writes_large_numbers_in_one_way(which, request):
    axes = figure.draw(request.getfixturevalue(which)).axes[0]
    low, high = axes.get_xlim()
    written = axes.xaxis.get_major_formatter()
    large = [written(tick) for tick in axes.get_xticks() if low < tick < high and tick >= 1000]
    assert len({"," in text for text in large}) == 1, large


def test_a_table_in_which_nothing_was_measured_is_still_drawn(cpu_table, tmp_path):
    failed = tuple(row for row in cpu_table.rows if row.method == "7net-l3i5")
    assert len(figure.save(figure.draw(dataclasses.replace(cpu_table, rows=failed)), tmp_path / "none")) == 2
    assert len(figure.save(figure.draw(dataclasses.replace(cpu_table, rows=())), tmp_path / "empty")) == 2


def test_with_one_device_the_colour_is_that_of_the_kind_of_method(cpu_table):
    drawn = figure.draw(cpu_table)
    wanted = {marks.of_kind(row.kind) for row in cpu_table.rows if row.time}
    full = [one for one in drawn.axes[0].lines if one.get_marker() == "o" and one.get_markerfacecolor() != "none"]
    assert len(wanted) > 2
    assert {one.get_color() for one in full} == wanted
    kinds = [marks.KINDS[kind] for kind in marks.KINDS if any(row.kind == kind and row.time for row in cpu_table.rows)]
    assert [one.get_text() for one in drawn.legends[0].get_texts()][: len(kinds)] == kinds


def test_the_caption_speaks_of_marked_numbers_only_where_there_are_some(cpu_table, replay_table):
    def explained(table):
        return any("ms per force call alone" in text for text in texts(figure.draw(table)))

    relaxed = dataclasses.replace(cpu_table, rows=tuple(row for row in cpu_table.rows if row.protocol == "relax"))
    calls = [row for row in cpu_table.rows if row.of_calls and row.time]
    assert calls, "the table has force calls alone, in rows that the figure shows"
    assert explained(cpu_table)
    beside = tuple(dataclasses.replace(calls[0], method=row.method, weights=row.weights) for row in relaxed.rows[:1])
    assert not explained(dataclasses.replace(relaxed, rows=relaxed.rows + beside))


@pytest.mark.parametrize(
    ("update", "unit", "axis"), [(None, "ms/call", "ms per force call"), (0.1, "ms/step", "ms per step")]
)
def test_times_by_system_say_whether_they_are_of_calls_or_of_steps(update, unit, axis):
    systems = (SystemFacts("one", "X", 9, frames=(0, 1)), SystemFacts("other", "Y", 3, frames=(2, 3)))
    described = campaign(4, settings={"protocols": ("replay",)}, methods={"a": MethodFacts("a", "family", "mlip")})
    described = dataclasses.replace(described, dataset=dataclasses.replace(described.dataset, systems=systems))
    found = times_by_system(measurements([method("a")], [], [replays("a", 2.0, count=4, update=update)], described))
    assert {head for block in by_system.blocks(found) for head, _ in block.headings} & {"ms/call", "ms/step"} == {unit}
    assert axis in texts(systems_figure.draw(found))


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        ((0.13, 0.77), [0.2, 0.5]),
        ((0.8, 25.0), [1.0, 3.0, 10.0]),
        ((0.02, 5e5), [0.1, 10.0, 1000.0, 1e5]),
        ((2.2, 4.6), [3.2]),
    ],
)
def test_the_small_panels_have_round_numbers_that_do_not_collide(limits, shown):
    assert systems_figure.ticks(*limits) == shown
