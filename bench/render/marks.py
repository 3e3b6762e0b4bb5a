"""The colour and the mark of the i-th method in figures where each method is a line, and what each mark says."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from bench.analysis.statistics import Estimate
from bench.render import numbers

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_SAID: weakref.WeakKeyDictionary[Artist, str] = weakref.WeakKeyDictionary()

# by Okabe and Ito: distinct for the colour-blind
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933", "#882255")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "h", "<", ">")


KINDS = {"force-field": "force field", "semi-empirical": "semi-empirical", "mlip": "MLIP", "dft": "DFT"}
"""The kinds of methods as people call them."""


def of_kind(kind: str) -> str:
    """Return the colour of a kind of method; black for one that is not known."""
    return dict(zip(KINDS, COLORS, strict=False)).get(kind, "#000000")


def color(i: int) -> str:
    """Return a colour; the tenth method has that of the first, and another mark."""
    return COLORS[i % len(COLORS)]


def marker(i: int) -> str:
    """Return a mark."""
    return MARKERS[i % len(MARKERS)]


def say(artist: Artist, *texts: str | None) -> None:
    """Give a mark the words that a page shows for it: name, values with intervals, weights, numbers of measurements."""
    _SAID[artist] = "; ".join(text for text in texts if text)


def said(artist: Artist) -> str | None:
    """Return what a mark says; None for what is not a mark."""
    return _SAID.get(artist)


def value(estimate: Estimate, unit: str) -> str:
    """Return an estimate in words for a mark: ``12.3 [11.9, 12.8] ms per step``."""
    return f"{numbers.with_interval(estimate)} {unit}"
