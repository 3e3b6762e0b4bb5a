"""Options of verbs: each is one field of a frozen dataclass, which holds its default, its help and how it is written.

:func:`option` and :func:`word` make such fields, :func:`add` adds those of a class to a parser, and :func:`settings`
returns the values that a campaign's settings take as they are.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any

REQUIRED: Any = dataclasses.MISSING
"""In place of a default: the option must be given."""
_KEY = "option"


@dataclasses.dataclass(frozen=True)
class Declared:
    """How an option is written; its name and its type are those of its field."""

    help: str
    """None of it is shown where this is :data:`argparse.SUPPRESS`."""
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    """From the text of one value; by default the field's type."""
    commas: bool = False
    """Whether it is one text with commas; a tuple is several options otherwise, see `nargs`."""
    nargs: str | None = None
    """As argparse has it, for a tuple of words that follow each other."""
    choices: Sequence[str] | Callable[[], Sequence[str]] | None = None
    setting: str = ""
    """The field of the settings that it becomes as it is."""
    one_of: str = ""
    """Exactly one of the options with this in common must be given."""
    also: Callable[[argparse._ActionsContainer], Any] | None = None
    """Adds another spelling of it."""
    positional: bool = False


def option(default: Any, help: str, metavar: str | None = None, **how: Any) -> Any:
    """Return the field of ``--name``, with an underscore for each hyphen; `how` are fields of :class:`Declared`."""
    return dataclasses.field(default=default, kw_only=True, metadata={_KEY: Declared(help, metavar, **how)})


def word(help: str, metavar: str | None = None, default: Any = REQUIRED, **how: Any) -> Any:
    """Return the field of a word without an option; `how` are fields of :class:`Declared`."""
    return option(default, help, metavar, positional=True, **how)


def declared(field: dataclasses.Field[Any]) -> Declared:
    """Return how a field is written; raises TypeError for a field that is no option."""
    if _KEY not in field.metadata:
        raise TypeError(f"{field.name} is not declared as an option; see bench.commands._declared")
    how: Declared = field.metadata[_KEY]
    return how


def flag(name: str) -> str:
    """Return the option of a field, as it is typed."""
    return "--" + name.replace("_", "-")


def add(parser: argparse.ArgumentParser, options: type) -> None:
    """Add the options of a class to a parser; a class with a `TITLE` is a group of the help."""
    hints = typing.get_type_hints(options)
    fields = {field.name: field for field in dataclasses.fields(options)}
    places: dict[str, argparse._ActionsContainer] = {"": parser}
    for title, name in in_order(options):
        if title not in places:
            places[title] = parser.add_argument_group(title)
        how, place = declared(fields[name]), places[title]
        if how.one_of:
            if how.one_of not in places:
                places[how.one_of] = place.add_mutually_exclusive_group(required=True)
            place = places[how.one_of]
        _add(place, fields[name], hints[name], how)
        if how.also is not None:
            how.also(place)


def in_order(options: type) -> list[tuple[str, str]]:
    """Return the title and the name of each option, in the order of the help.

    Those of a base class stand where the class declares the first of them anew, or else before its own.
    """
    title = vars(options).get("TITLE", "")
    known = {field.name for field in dataclasses.fields(options)}
    found = [(title, name) for name in inspect.get_annotations(options) if name in known]
    for base in reversed(options.__bases__):
        if dataclasses.is_dataclass(base):
            theirs = [(title or one, name) for one, name in in_order(base)]
            own = [name for _, name in found]
            anew = [name for _, name in theirs[:1] if name in own]
            at = own.index(anew[0]) if anew else 0
            found[at : at + len(anew)] = theirs
    return found


def _add(place: argparse._ActionsContainer, field: dataclasses.Field[Any], hint: Any, how: Declared) -> None:
    kind, several = _kind(hint)
    words: dict[str, Any] = {"help": how.help, "metavar": how.metavar, "nargs": how.nargs}
    if kind is bool:
        words = {"help": how.help, "action": "store_true"}
    elif several and how.nargs and not how.positional:
        words["action"] = "extend"
    elif several and not how.nargs and not how.commas:
        words["action"] = "append"
    parse = how.parse or (names if several and how.commas else kind)
    if parse not in (str, bool):
        words["type"] = parse
    if how.choices is not None:
        words["choices"] = how.choices() if callable(how.choices) else how.choices
    if field.default is not REQUIRED:
        # argparse appends to a list, not to a tuple
        words["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    elif not how.positional and not how.one_of:
        words["required"] = True
    place.add_argument(field.name if how.positional else flag(field.name), **words)


def _kind(hint: Any) -> tuple[Any, bool]:
    """Return the type of one value, and whether the option has several; None is not a type of a value."""
    if isinstance(hint, types.UnionType):
        (hint,) = (one for one in hint.__args__ if one is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False


def names(text: str) -> tuple[str, ...]:
    """Read comma-separated names; each counts once."""
    return tuple(dict.fromkeys(text.split(",")))


def lists(options: type) -> list[str]:
    """Return the options that take several values, separated by commas."""
    return [flag(field.name) for field in dataclasses.fields(options) if declared(field).commas]


def changed(options: Any) -> Iterator[dataclasses.Field[Any]]:
    """Yield the fields that are not at their defaults."""
    for field in dataclasses.fields(options):
        if getattr(options, field.name) != field.default:
            yield field


def settings(options: Any, kind: type) -> dict[str, Any]:
    """Return the values of the options that become fields of a class of settings, by the names of these fields."""
    theirs = {field.name for field in dataclasses.fields(kind)}
    pairs = [(declared(field).setting, getattr(options, field.name)) for field in dataclasses.fields(options)]
    return {setting: value for setting, value in pairs if setting in theirs}
