"""The verbs and their options: one dataclass each, which the parser fits, and help that can be read."""

import argparse
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli import parse
from bench.commands import _declared, verbs
from bench.commands._values import Budget, refuse_changes
from bench.commands.run import MAY_CHANGE
from bench.core.settings import MdSettings, Settings
from bench.errors import BadInput

VERBS = verbs()
# what each verb has to be told besides
NEEDED = {
    "advise": ["a.xyz"],
    "compare": ["a", "b"],
    "conform": ["uff"],
    "engines": ["gfn2-xtb"],
    "explain": ["uff"],
    "history": ["show"],
    "merge": ["a", "b"],
    "pack": ["uff"],
    "reference": ["--level", "pbe0-def2-svp"],
    "regress": ["--methods", "uff", "--base", "HEAD"],
    "script": ["uff"],
    "timeline": ["uff-ase"],
    "tune": ["uff"],
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_the_parser_of_a_verb_has_exactly_the_fields_of_its_options(verb):
    own = argparse.ArgumentParser()
    _declared.add(own, verb.options)
    fields = [field.name for field in dataclasses.fields(verb.options)]
    assert {action.dest for action in own._actions} - {"help"} == set(fields)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(parse([verb.name, *NEEDED.get(verb.name, [])])[1], fields[0], "changed")


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_an_option_that_is_a_setting_names_a_field_of_the_settings(verb):
    known = {field.name for kind in (Settings, MdSettings) for field in dataclasses.fields(kind)}
    assert {_declared.declared(field).setting for field in dataclasses.fields(verb.options)} <= {"", *known}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_what_is_left_out_is_as_the_dataclass_has_it(verb):
    found, options = parse([verb.name, *NEEDED.get(verb.name, [])])
    assert found == verb
    given = (
        {"a", "b", "what", "action", "method", "methods", "base", "level", "words", "runs", "structures"}
        if verb.name in NEEDED
        else set()
    )
    for field in dataclasses.fields(options):
        if field.name not in given:
            assert getattr(options, field.name) == field.default, field.name


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself_with_an_example_in_80_columns(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        parse([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"pesbench {verb}" in text.partition("\nexample")[2]
    assert max(map(len, text.splitlines())) <= 80


def test_help_waits_for_nothing_that_loads_slowly():
    slow = "{'ase', 'matplotlib', 'numpy', 'pandas', 'rich', 'scipy'}"
    code = f"import sys; from bench.cli import parse; parse(['list']); print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_a_table_waits_for_nothing_slow_that_only_some_runs_need():
    slow = "{'ase.io', 'ase.neighborlist', 'matplotlib', 'scipy.optimize', 'scipy.stats'}"
    code = f"import sys, bench.render.shown, bench.results.tables; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_every_option_that_scripts_rely_on_is_there():
    line = (
        "run --methods a,b --adapter x.py --adapter y.py --structures s --limit 3 --protocols relax --optimizer CG "
        "--fmax 0.1 --max-steps 9 --device cuda:1 --threads 2 --rounds 4 --budget none --seed 5 --output d --json"
    )
    options = parse(line.split())[1]
    assert options.adapter == (Path("x.py"), Path("y.py"))
    assert (options.device, options.protocols) == (("cuda:1",), ("relax",))
    assert parse(["table", "--protocol", "md"])[1].protocols == "md"


def test_a_budget_that_is_none_is_not_the_one_that_is_not_given():
    assert parse(["run"])[1].budget is None
    assert parse(["run", "--budget", "none"])[1].budget == Budget(None)
    assert parse(["run", "--budget", "3.5"])[1].budget == Budget(3.5)


@pytest.mark.parametrize(
    "option", [("--max-steps", "9"), ("--protocols", "relax,md"), ("--no-repeats",), ("--device", "cpu")]
)
def test_a_resumed_run_names_the_option_that_would_change_its_plan(option):
    allowed = ["run", "--resume", "r", "--budget", "none", "--output", "d", "--json", "--adapter", "x.py"]
    refuse_changes(parse(allowed)[1], MAY_CHANGE)
    with pytest.raises(BadInput, match=f"leave out {option[0]}, or start a new run"):
        refuse_changes(parse([*allowed, *option])[1], MAY_CHANGE)
