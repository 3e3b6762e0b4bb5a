"""The verbs of the command line: one module each, found by listing this folder.

A verb's module has the verb's name, with an underscore for a hyphen, and holds four things: ``HELP``, whose first
sentence appears in the list of verbs; ``EXAMPLES``, command lines; ``Options``, a frozen dataclass whose fields are its
options, see :mod:`bench.commands._declared`; and ``run``, which does the work and returns the exit status. Modules
whose names begin with an underscore are shared by verbs.

All modules are imported before the command line is parsed, so slow imports (pandas, SciPy, rich) belong inside
functions.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Verb:
    """A verb of the command line."""

    name: str
    help: str
    examples: tuple[str, ...]
    options: type[Any]
    """A frozen dataclass."""
    run: Callable[[Any], int]
    """Takes an object of `options`, returns the exit status."""


def verbs() -> dict[str, Verb]:
    """Return all verbs by name; raises AttributeError where a module of this folder lacks a part."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = (_verb(name) for name in names if not name.startswith("_"))
    return {verb.name: verb for verb in found}


def _verb(name: str) -> Verb:
    module = importlib.import_module(f"bench.commands.{name}")
    return Verb(name.replace("_", "-"), module.HELP, module.EXAMPLES, module.Options, module.run)
