"""Whether a value read from a file has the type that a field asks for: a damaged line must not pass for a record."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any

_LARGEST = 2**63
_SCALARS: dict[Any, set[type]] = {
    float: {float, int},
    int: {int},
    str: {str},
    bool: {bool},
    types.NoneType: {types.NoneType},
}


def unfitting(value: Any) -> str | None:
    """Return the name of a field of a dataclass whose value is not of its type; None where all are."""
    kind: Any = type(value)
    for name, hint in _hints(kind).items():
        if not fits(getattr(value, name), hint):
            return name
    return None


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value has the type of an annotation; a list will do for a tuple, an integer for a float."""
    if hint is Any:
        return True
    allowed = _scalars(hint)
    if allowed is not None:
        return type(value) in allowed and (type(value) is not int or -_LARGEST < value < _LARGEST)
    if isinstance(hint, types.UnionType):
        return any(fits(value, one) for one in hint.__args__)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return isinstance(value, hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is dict:
        return isinstance(value, dict) and all(fits(one, arguments[1]) for one in value.values())
    if not isinstance(value, list | tuple):
        return False
    if arguments[-1] is not Ellipsis:
        return len(value) == len(arguments) and all(map(fits, value, arguments))
    allowed = _scalars(arguments[0])
    if allowed is not None:  # a trace has hundreds of numbers, and a run thousands of traces
        return set(map(type, value)) <= allowed
    return all(fits(one, arguments[0]) for one in value)


@functools.cache
def _scalars(hint: Any) -> frozenset[type] | None:
    """Return the types of an annotation that is one scalar, or one of several; None for any other."""
    each = hint.__args__ if isinstance(hint, types.UnionType) else (hint,)
    if not all(one in _SCALARS for one in each):
        return None
    return frozenset(kind for one in each for kind in _SCALARS[one])
