"""How each protocol is shown, in words and as a figure: one entry per protocol. Figures are imported when drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.contract.protocol import ACCURACY, MD, RELAX, REPLAY, THROUGHPUT
from bench.report import accuracy_formats, stability_formats, tables, throughput_formats

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


def _draw_throughput(table: Any) -> Figure:
    from bench.report import throughput_figure

    return throughput_figure.draw(table)


_TIMES = Shown(tables.render, tables.FORMATS, _draw_times, "ms-per-step")
SHOWN: dict[str, Shown] = {
    RELAX: _TIMES,
    REPLAY: _TIMES,
    MD: Shown(stability_formats.render, stability_formats.FORMATS, _draw_stability, "stability"),
    ACCURACY: Shown(accuracy_formats.render, accuracy_formats.FORMATS, _draw_accuracy, "accuracy"),
    THROUGHPUT: Shown(throughput_formats.render, throughput_formats.FORMATS, _draw_throughput, "throughput"),
}
