"""An option is one field: its type says how it is read, and classes of options make groups."""

import argparse
import dataclasses
from pathlib import Path
from typing import ClassVar

import pytest

from bench.commands import _declared
from bench.commands._declared import REQUIRED, option, word
from bench.core.settings import Settings


@dataclasses.dataclass(frozen=True)
class Shared:
    """Options of several verbs."""

    TITLE: ClassVar[str] = "shared"

    where: tuple[str, ...] = option((), "names", "A,B", commas=True)
    dry_run: bool = option(False, "print only")


@dataclasses.dataclass(frozen=True)
class Options(Shared):
    """Options of a verb."""

    method: str = word("a method", "METHOD")
    seed: int = option(0, "default: %(default)s", "N", setting="seed")
    where: tuple[str, ...] = option((), "other names", "A,B", commas=True)
    file: tuple[Path, ...] = option((), "files", "FILE")
    share: float | None = option(None, "a share", "X", setting="no_such_setting")


def parsed(*words, options=Options):
    parser = argparse.ArgumentParser()
    _declared.add(parser, options)
    given = vars(parser.parse_args(words))
    return options(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def test_the_type_of_a_field_says_how_its_text_is_read():
    found = parsed(
        *["uff", "--seed", "3", "--where", "a,b,a", "--file", "x", "--file", "y", "--share", ".5", "--dry-run"]
    )
    assert found == Options(
        method="uff", seed=3, where=("a", "b"), file=(Path("x"), Path("y")), share=0.5, dry_run=True
    )
    assert parsed("uff") == Options(method="uff")


def test_the_options_of_a_base_class_stand_where_the_class_declares_the_first_of_them_anew():
    names = [name for _, name in _declared.in_order(Options)]
    assert names == ["method", "seed", "where", "dry_run", "file", "share"]
    parser = argparse.ArgumentParser()
    _declared.add(parser, Shared)
    assert "shared:" in parser.format_help()


def test_an_option_without_a_default_and_one_of_several_must_be_given(capsys):
    @dataclasses.dataclass(frozen=True)
    class Needs:
        level: str = option(REQUIRED, "a level")
        base: str | None = option(None, "one", one_of="old")
        pin: str | None = option(None, "another", one_of="old")

    Needs.__annotations__ |= {"level": str, "base": str | None, "pin": str | None}
    assert parsed("--level", "a", "--pin", "b", options=Needs).pin == "b"
    for words in (("--pin", "b"), ("--level", "a"), ("--level", "a", "--pin", "b", "--base", "c")):
        with pytest.raises(SystemExit):
            parsed(*words, options=Needs)
    assert "not allowed with argument" in capsys.readouterr().err


def test_only_what_is_a_setting_becomes_one_and_what_is_changed_is_known():
    found = parsed("uff", "--seed", "7", "--share", ".5")
    assert _declared.settings(found, Settings) == {"seed": 7}
    assert {field.name for field in _declared.changed(found)} == {"method", "seed", "share"}
    assert _declared.lists(Options) == ["--where"]


def test_a_field_that_is_no_option_is_a_fault():
    plain = dataclasses.make_dataclass("Plain", [("steps", int, 3)], frozen=True)
    with pytest.raises(TypeError, match="steps is not declared as an option"):
        _declared.add(argparse.ArgumentParser(), plain)
