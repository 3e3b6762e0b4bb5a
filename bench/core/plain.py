"""Frozen dataclasses to plain JSON values and back, by their type annotations."""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, TypeVar

T = TypeVar("T")

_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])?")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def to_plain(value: Any) -> Any:
    """Return a value of dataclasses, mappings, tuples and JSON types as plain JSON types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [to_plain(inner) for inner in value]
    return value  # a list is plain already, and may hold a hundred thousand coordinates


def from_plain(kind: type[T], fields: Mapping[str, Any], strict: bool = True) -> T:
    """Make a dataclass from the result of :func:`to_plain`.

    Raises ValueError where a field is missing and, if `strict`, where there is an unknown one.
    """
    hints = typing.get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(fields) - known)
    if strict and unknown:
        raise ValueError(f"a {kind.__name__} has no field {unknown[0]!r}")
    try:
        return kind(**{name: _typed(hints[name], value, strict) for name, value in fields.items() if name in known})
    except (AttributeError, TypeError) as error:
        raise ValueError(f"this is not a {kind.__name__}: {error}") from None


def _typed(hint: Any, value: Any, strict: bool) -> Any:
    """Return a JSON value in the type of its annotation: dataclasses, tuples, and mappings of either."""
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in hint.__args__ if kind is not types.NoneType)
    if value is None:
        return None
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast(type, hint), value, strict)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(_typed(arguments[0], inner, strict) for inner in value)
        return tuple(_typed(kind, inner, strict) for kind, inner in zip(arguments, value, strict=True))
    if origin is dict:
        return {key: _typed(arguments[1], inner, strict) for key, inner in value.items()}
    return value


def clean(text: str) -> str:
    """Return text that can be written, read and printed anywhere.

    A method's messages may contain lone surrogates, which are not valid UTF-8, and escape sequences, which a terminal
    would obey: anything not printable becomes a blank or, if it is not a character at all, U+FFFD.
    """
    whole = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _ESCAPE.sub("", text))
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in whole)


def jsonable(value: Any, name: str) -> Any:
    """Return an adapter's settings as JSON: numpy's numbers and arrays, sets and paths are converted.

    Raises TypeError for anything else, with the `name` of the entry.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)  # numpy's float64 is a subclass of float
    if isinstance(value, Mapping):
        return {clean(str(key)): jsonable(inner, f"{name}[{key!r}]") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner, f"{name}[{number}]") for number, inner in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted((jsonable(inner, name) for inner in value), key=str)
    if isinstance(value, PurePath):
        return clean(str(value))
    # a number or an array of numpy, JAX or torch; their number classes have the same names
    if hasattr(value, "dtype") and hasattr(value, "tolist") and not isinstance(value, type):
        return jsonable(value.tolist(), name)
    raise TypeError(f"{name} is a {type(value).__name__}, which JSON cannot hold")
