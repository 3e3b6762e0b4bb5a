"""The colours and the marks of methods in figures, and what each mark says."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.analysis.statistics import Estimate
from bench.render import numbers

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

_SAID: weakref.WeakKeyDictionary[Artist, str] = weakref.WeakKeyDictionary()

# by Okabe and Ito: distinct for the colour-blind
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933", "#882255")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "h", "<", ">")


KINDS = {"force-field": "force field", "semi-empirical": "semi-empirical", "mlip": "MLIP", "dft": "DFT"}
"""The kinds of methods as people call them."""

# the first shade of each kind is the one that stands for it
_SHADES = {
    "force-field": ("#0072B2", "#56B4E9", "#004A78"),
    "semi-empirical": ("#D55E00", "#E69F00", "#8A3D00"),
    "mlip": ("#009E73", "#005C43", "#6CC9AE", "#7A8F1F", "#3F7F3F"),
    "dft": ("#CC79A7", "#882255", "#E5B3CF"),
}


def of_kind(kind: str) -> str:
    """Return the colour of a kind of method; black for one that is not known."""
    return _SHADES.get(kind, ("#000000",))[0]


def looks(methods: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the colour, a shade of its kind's, and the mark of each method, which is given by its kind and its name.

    The order of the methods does not matter, so that a method looks the same wherever the same methods
    are drawn.

    >>> looks([("mlip", "so3lr"), ("dft", "pbe0"), ("mlip", "7net-0")])
    [('#005C43', 's'), ('#CC79A7', 'D'), ('#009E73', 'o')]
    """
    order = sorted(set(methods), key=lambda one: (list(KINDS).index(one[0]) if one[0] in KINDS else len(KINDS), one[1]))
    found = {}
    for i, (kind, name) in enumerate(order):
        shades = _SHADES.get(kind, ("#000000",))
        place = sum(other == kind for other, _ in order[:i])
        found[kind, name] = shades[place % len(shades)], marker(i)
    return [found[one] for one in methods]


def color(i: int) -> str:
    """Return the colour of the i-th of what has no kind; the tenth has that of the first, and another mark."""
    return COLORS[i % len(COLORS)]


def marker(i: int) -> str:
    """Return a mark."""
    return MARKERS[i % len(MARKERS)]


def say(artist: Artist, *texts: str | None) -> None:
    """Give a mark the words that a page shows for it: name, values with intervals, weights, numbers of measurements."""
    _SAID[artist] = "; ".join(text for text in texts if text)


def said_in(figure: Figure) -> dict[Artist, str]:
    """Return what each mark of a figure says, in the order of their words."""
    return {artist: text for artist, text in _SAID.items() if artist.figure is figure}


def value(estimate: Estimate, unit: str) -> str:
    """Return an estimate in words for a mark: ``12.3 [11.9, 12.8] ms per step``."""
    return f"{numbers.with_interval(estimate)} {unit}"
