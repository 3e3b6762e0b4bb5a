"""The history of a machine, as a table and as a figure."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from rich import box
from rich.table import Table as RichTable

from bench.analysis.statistics import Estimate
from bench.core.device import is_accelerator
from bench.errors import BadInput
from bench.render import numbers
from bench.render.figure import STYLE, WIDTH, save

_PANEL = 0.85  # inches per method
_LEAST_SPAN = 0.15  # of the times, above and below: less would make noise look like a change
_MOST_DATES = 7
_LINE, _STEP = "#0072B2", "#D55E00"  # by Okabe and Ito: distinct for the colour-blind, and in grey


def table(series: Sequence[pd.DataFrame]) -> RichTable:
    """Return a line for each series: how often it was measured, its newest time, and its last change."""
    names, shared = _names(series)
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=shared, title_justify="left")
    grid.title_style = ""
    for title, side in (("method", "left"), ("runs", "right"), ("first", "right"), ("newest", "right")):
        grid.add_column(title, justify=side, overflow="fold")  # type: ignore[arg-type]
    grid.add_column("unit")
    grid.add_column("last change", overflow="fold")
    for name, one in zip(names, series, strict=True):
        first, last = one.iloc[0], one.iloc[-1]
        grid.add_row(
            name,
            str(len(one)),
            numbers.plain(first["ms"], 4),
            _with_interval(last),
            last["unit"],
            _last_step(one),
        )
    return grid


def _names(series: Sequence[pd.DataFrame]) -> tuple[list[str], str]:
    """Return the name of each series, which says how it differs from the others, and what all of them share."""
    rows = [one.iloc[-1] for one in series]
    parts = [_parts(row) for row in rows]
    shared = [part for part in parts[0] if all(part in other for other in parts)] if parts else []
    own = [[part for part in mine if part not in shared] for mine in parts]
    same = Counter((row["method"], *mine) for row, mine in zip(rows, own, strict=True))
    names = []
    for row, mine in zip(rows, own, strict=True):
        if same[row["method"], *mine] > 1:
            digest = str(row["dataset"]).partition(" ")[2]
            weights = "unknown" if pd.isna(row["weights"]) else row["weights"]
            mine = [*mine, f"weights: {weights}", str(row["dtype"]), f"data {digest}"]
        names.append(f"{row['method']} ({', '.join(mine)})" if mine else str(row["method"]))
    return names, ", ".join(shared)


def _parts(row: pd.Series) -> list[str]:
    """Return what was measured, without the method."""
    return [
        str(row["protocol"]),
        *([str(row["device"])] if is_accelerator(row["device"]) else []),
        *(["random weights"] if row["weights"] == "random" else []),
        numbers.of(int(row["threads"]), "thread"),
        str(row["dataset"]).partition(" ")[0],
        *str(row["settings"]).removesuffix(", all structures").split(", "),
    ]


def _with_interval(row: pd.Series) -> str:
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return f"{numbers.plain(row['ms'], 4)} [{numbers.DASH}]"
    return numbers.with_interval(Estimate(row["ms"], row["low"], row["high"], 1, None))


def _last_step(one: pd.DataFrame) -> str:
    stepped = one[one["step"].notna()]
    if stepped.empty:
        return numbers.DASH
    last = stepped.iloc[-1]
    change = 100 * (last["step"] - 1)
    commit = f", commit {str(last['commit'])[:10]}" if last["commit"] else ""
    return f"{change:+.0f} % at {str(last['created'])[:10]}{commit}"


def below(series: Sequence[pd.DataFrame], together: Sequence[tuple[str, float]]) -> list[str]:
    """Return the sentences below the table: what steps are compared with, and the steps of all methods together."""
    found = []
    if any(one["beside"].any() for one in series):
        found.append(
            "Steps are relative to the other methods of the same runs, where enough of them were measured: what the "
            "whole machine did is not in them."
        )
    for created, ratio in together:
        how = f"{abs(100 * (ratio - 1)):.0f} % {'slower' if ratio > 1 else 'faster'}"
        found.append(
            f"All methods together became {how} on {created[:10]}: the machine changed, or a package that they share."
        )
    return found


def plot(series: Sequence[pd.DataFrame], stem: Path) -> list[Path]:
    """Draw each series of several runs in its own panel, with intervals and changes.

    Writes SVG and PNG and returns the files; raises BadInput where no series has two runs.
    """
    drawn = [one for one in series if len(one) > 1]
    if not drawn:
        raise BadInput("no method has two runs in this history, so there is no change to draw; add another run.")
    names, shared = _names(drawn)
    caption = textwrap.fill(_caption(drawn, shared, len(drawn) < len(series)), 125)
    below = 0.1 + 0.125 * (caption.count("\n") + 1)
    height = _PANEL * len(drawn) + below
    with mpl.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(rect=(0, below / height, 1, 1 - below / height))
        figure = Figure(figsize=(WIDTH, height), layout=layout)
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(drawn), 1, squeeze=False, sharex=False)[:, 0]
        for panel, name, one in zip(panels, names, drawn, strict=True):
            _panel(panel, f"{name}, {one['unit'].iloc[-1]}", one)
        figure.text(0.1 / WIDTH, 0.05 / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    stem.parent.mkdir(parents=True, exist_ok=True)
    return save(figure, stem)


def _panel(panel: Axes, title: str, one: pd.DataFrame) -> None:
    x = np.arange(len(one))
    ms = one["ms"].to_numpy(dtype=float)
    low = pd.to_numeric(one["low"]).fillna(one["ms"]).to_numpy(dtype=float)
    high = pd.to_numeric(one["high"]).fillna(one["ms"]).to_numpy(dtype=float)
    panel.errorbar(x, ms, [ms - low, high - ms], fmt="o-", color=_LINE, markersize=3, linewidth=0.8)
    for i in np.flatnonzero(one["step"].notna()):
        panel.axvline(i - 0.5, color=_STEP, linewidth=1.0)
        panel.annotate(
            f"{100 * (one['step'].iloc[i] - 1):+.0f} %",
            (i - 0.5, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -2),
            textcoords="offset points",
            va="top",
            color=_STEP,
        )
    panel.set_title(title, loc="left", fontsize=8, pad=2)
    # an interval over orders of magnitude is cut off at the edge, or it would hide all changes
    bottom = min(max(low.min(), ms.min() / 2), (1 - _LEAST_SPAN) * ms.min())
    top = max(min(high.max(), 2 * ms.max()), (1 + _LEAST_SPAN) * ms.max())
    panel.set_ylim(bottom, top)
    panel.yaxis.set_major_locator(MaxNLocator(3))
    dates = [str(text)[:10] for text in one["created"]]
    if len(set(dates)) < len(dates):  # several on one day
        dates = [str(text)[5:16].replace("T", " ") for text in one["created"]]
    shown = np.unique(np.linspace(0, len(one) - 1, min(len(one), _MOST_DATES)).astype(int))
    panel.set_xticks(shown, [dates[i] for i in shown], fontsize=7)
    panel.spines[["top", "right"]].set_visible(False)


def _caption(drawn: Sequence[pd.DataFrame], shared: str, single: bool) -> str:
    said = [f"{drawn[0]['machine'].iloc[-1]}{': ' if shared else ''}{shared}."]
    if any(pd.to_numeric(one["low"]).notna().any() for one in drawn):
        said.append("Bars: 95 % intervals.")
    if any(one["step"].notna().any() for one in drawn):
        said.append("Vertical lines: lasting changes.")
    if single:
        said.append("What has a single run is not drawn.")
    return " ".join(said)
