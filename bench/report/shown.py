"""How each protocol is shown, in words and as a figure: one entry per protocol. Figures are imported when drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.contract.protocol import ACCURACY, MD, RELAX, REPLAY, SCALING, THROUGHPUT
from bench.report import accuracy_formats, scaling, stability_formats, tables, throughput_formats
from bench.report.blocks import Formats

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Shown:
    """How to show what :func:`bench.runs.tables.shown_as` returns for a protocol."""

    render: Callable[..., str]
    """Takes the table, the format, and as keywords the `width` and the `color` of a terminal."""
    formats: tuple[str, ...]
    draw: Callable[[Any], Figure]
    stem: str
    """The name of the figure's files, without extension."""


def _draw_times(table: Any) -> Figure:
    from bench.report import figure

    return figure.draw(table)


def _draw_stability(table: Any) -> Figure:
    from bench.report import stability_figure

    return stability_figure.draw(table)


def _draw_accuracy(table: Any) -> Figure:
    from bench.report import accuracy_figure

    return accuracy_figure.draw(table)


def _draw_scaling(table: Any) -> Figure:
    from bench.report import scaling_figure

    return scaling_figure.draw(table)


def _draw_throughput(table: Any) -> Figure:
    from bench.report import throughput_figure

    return throughput_figure.draw(table)


_TIMES = Shown(tables.render, tables.FORMATS, _draw_times, "ms-per-step")
SHOWN: dict[str, Shown] = {
    RELAX: _TIMES,
    REPLAY: _TIMES,
    MD: Shown(stability_formats.FORMATS.render, Formats.names, _draw_stability, "stability"),
    ACCURACY: Shown(accuracy_formats.FORMATS.render, Formats.names, _draw_accuracy, "accuracy"),
    SCALING: Shown(scaling.FORMATS.render, Formats.names, _draw_scaling, "growth"),
    THROUGHPUT: Shown(throughput_formats.FORMATS.render, Formats.names, _draw_throughput, "throughput"),
}
