"""A third kind of device: one entry of DEVICES, and the table, its notes and its figure have it."""

from __future__ import annotations

import dataclasses
import json

import pytest
from synthetic import campaign, measurements, method, relaxations
from test_replay_columns import cells, headings, texts

from bench.analysis.regression import NOT_COMPARED, Comparison
from bench.analysis.summary import summarise
from bench.analysis.table import Published
from bench.core.device import DEVICES
from bench.render import figure
from bench.render.columns import failures, means
from bench.render.comparison import Report
from bench.render.comparison import render as render_comparison
from bench.render.lines import lines
from bench.render.tables import render

PAPER = {"a": Published("a", "A", "mlip", 100.0, 30.0, None, "")}


@pytest.fixture
def table(monkeypatch):
    xpu = dataclasses.replace(DEVICES["cuda"], name="xpu", label="XPU", hidden_by={"ZE_AFFINITY_MASK": ""})
    monkeypatch.setitem(DEVICES, "xpu", xpu)
    times = {"cpu": 120.0, "cuda": 20.0, "xpu": 15.0, "xpu:1": 12.0}
    devices = tuple(times)
    methods = [method("a", device, label="A", paper="a") for device in devices]
    methods.append(method("b", "xpu:1", label="B", failure="no-device", message="there is none"))
    relaxed = [relaxations("a", ms, device) for device, ms in times.items()]
    return summarise(measurements(methods, relaxed, description=campaign(settings={"devices": devices})), paper=PAPER)


def test_each_kind_of_device_has_its_columns_and_a_second_device_of_a_kind_its_line(table):
    shown = headings(table)
    assert shown[:4] == ["Method", "CPU ms/step", "GPU ms/step", "XPU ms/step"]
    assert {"CPU/GPU", "CPU/XPU", "GPU mem. peak", "XPU mem. peak", "paper XPU ms", "ours/paper XPU"} <= set(shown)
    first, second, _ = lines(table)
    assert (set(first.rows), set(second.rows)) == ({"cpu", "cuda", "xpu"}, {"xpu"})
    assert cells(table, "ours/paper", "XPU")["A"].startswith("0.40 [")
    assert json.loads(render(table, "json"))["rows"][3]["device"] == "xpu:1"


def test_its_gain_is_a_mean_of_its_own_and_its_failures_name_it(table):
    assert [name for name, _ in means(table)] == ["GPU over CPU", "XPU over CPU"]
    assert failures(table) == [("B, XPU 1", "no-device: there is none")]


def test_it_has_a_mark_and_a_column_of_figures_in_the_figure(table):
    assert {"CPU, ms/step", "GPU, ms/step", "XPU, ms/step", "XPU", "XPU, paper"} <= set(texts(table))
    marks = {
        (line.get_color(), line.get_marker())
        for line in figure.draw(table).axes[0].lines
        if line.get_marker() not in ("|", "None") and line.get_markerfacecolor() != "none"
    }
    assert len({color for color, _ in marks}) == len({mark for _, mark in marks}) == 3


def test_a_comparison_names_it(table):
    one = Comparison("a", "A", "xpu:1", "relax", NOT_COMPARED, why="nothing")
    assert "A (XPU 1)" in render_comparison(Report([], [one], 0.05), "markdown")
