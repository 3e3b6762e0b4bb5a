"""docs/format.md names every field that a run directory can hold."""

import dataclasses
import re
from pathlib import Path

import pytest

from bench import protocols
from bench.core import description, joules, records, settings

FORMAT = (Path(__file__).parents[1] / "docs" / "format.md").read_text()
MODULES = (description, joules, records, settings, *(protocols.module(name, "record") for name in protocols.PROTOCOLS))
CLASSES = sorted(
    {
        one
        for module in MODULES
        for one in vars(module).values()
        if dataclasses.is_dataclass(one) and one.__module__ == module.__name__
    },
    key=lambda one: one.__name__,
)


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.__name__)
def test_every_field_is_named(one):
    named = set(re.findall(r"`([a-z_0-9]+)`", FORMAT))
    assert not {field.name for field in dataclasses.fields(one)} - named
