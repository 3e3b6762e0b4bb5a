"""The history of a machine, as a table and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich import box
from rich.table import Table as RichTable

from bench.analysis.statistics import Estimate
from bench.core.device import is_accelerator
from bench.render import numbers

WIDTH = 7.0
_PANEL = 0.75  # inches per method
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same everywhere
    "font.size": 8,
    "axes.linewidth": 0.6,
}
_LINE, _STEP = "#0072B2", "#D55E00"  # by Okabe and Ito: distinct for the colour-blind, and in grey


def table(series: Sequence[pd.DataFrame]) -> RichTable:
    """Return a line for each series: how often it was measured, its newest time, and its last change."""
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title, side in (("method", "left"), ("runs", "right"), ("first", "right"), ("newest", "right")):
        grid.add_column(title, justify=side, overflow="fold")  # type: ignore[arg-type]
    grid.add_column("unit")
    grid.add_column("last step", overflow="fold")
    for one in series:
        first, last = one.iloc[0], one.iloc[-1]
        grid.add_row(
            _name(last),
            str(len(one)),
            numbers.plain(first["ms"], 4),
            _with_interval(last),
            last["unit"],
            _last_step(one),
        )
    return grid


def _name(row: pd.Series) -> str:
    extra = [str(row["device"])] if is_accelerator(row["device"]) else []
    extra += [str(row["weights"])] if row["weights"] == "random" else []
    extra.append(f"{row['threads']} thread{'s' if row['threads'] != 1 else ''}")
    extra.append(str(row["dataset"]).partition(" ")[0])
    extra.append(str(row["settings"]).removesuffix(", all structures"))
    return f"{row['method']} ({row['protocol']}, {', '.join(extra)})"


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
    """Draw each series in its own panel, with intervals and changes; writes SVG and PNG and returns the files."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, _PANEL * len(series) + 0.6), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(series), 1, squeeze=False, sharex=False)[:, 0]
        for panel, one in zip(panels, series, strict=True):
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
            panel.set_title(f"{_name(one.iloc[-1])}, {one['unit'].iloc[-1]}", loc="left", fontsize=8, pad=2)
            panel.set_ylim(0, 1.15 * float(np.max(high)))
            dates = [str(text)[:10] for text in one["created"]]
            shown = np.unique(np.linspace(0, len(one) - 1, min(len(one), 7)).astype(int))
            panel.set_xticks(shown, [dates[i] for i in shown], fontsize=7)
            panel.spines[["top", "right"]].set_visible(False)
        stem.parent.mkdir(parents=True, exist_ok=True)
        files = [stem.parent / f"{stem.name}{suffix}" for suffix in (".svg", ".png")]
        for file in files:
            figure.savefig(file, dpi=200)
    return files
