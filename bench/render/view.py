"""How a protocol is shown: ``VIEW`` of its ``view.py``. No module that draws or prints knows a protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.render.blocks import Formats, Page


@dataclasses.dataclass(frozen=True)
class OwnColumn:
    """A column of the table of times with what a protocol found of a method."""

    title: str
    text: Callable[[Any], str]
    """From what :attr:`bench.analysis.table.Row.own` has of the protocol."""
    unit: str = ""
    priority: int = 3
    right: bool = True
    chooses: bool = True
    """Whether it helps to choose a method: then the first table of the page has it, too."""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure of the page, with its title and what it shows, in words for those who do not see it."""

    draw: Callable[[Any], Figure]
    title: str
    description: str | Callable[[Any], str]

    def describe(self, table: Any) -> str:
        """Return what is drawn of a table."""
        return self.description if isinstance(self.description, str) else self.description(table)


@dataclasses.dataclass(frozen=True)
class Question:
    """A section of the page about a protocol with a table of its own."""

    identifier: str
    question: str
    page: Callable[[Any], Page]
    """From the protocol's table to its blocks and notes."""
    picture: Picture | None = None
    choice: Picture | None = None
    """A figure that helps to choose a method, for the first section of the page."""
    answer: Callable[[Any], Sequence[str]] = lambda table: ()
    """From the protocol's table to the sentences with which the page begins: which method to take."""
    of_choice: Callable[[Any], str] = lambda table: ""
    """What one must know to read the figure."""
    place: int = 50
    """Its place among the questions of the page, in the order of a reader's."""


@dataclasses.dataclass(frozen=True)
class BySystem:
    """How a protocol's own table is shown system by system: a line for each method at each system."""

    formats: Formats
    only: Callable[[Any, Collection[str]], Any]
    """Returns the table with the rows of the systems of these names alone."""


@dataclasses.dataclass(frozen=True)
class View:
    """How to show what :func:`bench.results.tables.shown_as` returns for a protocol."""

    render: Callable[..., str]
    """Takes the table, the format, and as keywords of a terminal the `width`, the `color` and
    whether it is `wide`: lines as long as they need."""
    formats: tuple[str, ...]
    draw: Callable[[Any], Figure] | None = None
    stem: str = ""
    """The name of the figure's files, without extension."""
    columns: tuple[OwnColumn, ...] = ()
    shows: Callable[[Any], bool] = bool
    """Whether what a row has of the protocol is something to show in these columns."""
    key: str = ""
    """The key of its object in a row's JSON; empty where it has none."""
    row_object: Callable[[Any], Mapping[str, Any]] = lambda found: {}
    """The object, from what the row has of the protocol, or None."""
    question: Question | None = None
    by_system: BySystem | None = None
    """None where its table has no such lines, or always has them."""
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What its columns mean, by their titles, for ``pesbench explain`` and for the page."""
