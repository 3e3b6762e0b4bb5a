"""``explain``: what a method is, what a run says about it, what a column means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


def one_line(text):
    return " ".join(text.split())


def test_a_method_is_explained_with_its_figures_and_what_they_mean(pesbench, fake_run):
    done = pesbench("explain", "toy", "--run", fake_run, "--adapter", FAKES)
    assert done.returncode == 0, done.stderr
    text = one_line(done.stdout)
    assert f"In run {fake_run.name}" in text
    assert re.search(r"CPU ms/step: \d[\d.]* \[", text)
    assert "The time of one accepted optimiser iteration" in text
    assert "scatter of the rounds" in text
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_method_that_failed_says_how(pesbench, fake_run):
    done = pesbench("explain", "always-fails", "--run", fake_run, "--adapter", FAKES)
    assert done.returncode == 0, done.stderr
    assert "Failed: " in done.stdout


def test_only_the_notes_of_that_method_are_shown(pesbench, fake_run):
    done = pesbench("explain", "toy", "--run", fake_run, "--adapter", FAKES)
    assert "always-fails" not in done.stdout


def test_a_method_that_no_run_has_measured_is_explained_too(pesbench, tmp_path):
    done = pesbench("explain", "uff", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Open Babel" in done.stdout


@pytest.mark.parametrize(
    "column",
    ["ms/step", "n/101", "answer", "joules", "stable NVE", "no-device", "times slower than ANI-1ccx", "Machine"],
)
def test_a_column_is_explained(pesbench, column):
    done = pesbench("explain", column)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 40


def test_an_unknown_name_is_refused_with_names_like_it(pesbench):
    done = pesbench("explain", "7net-1")
    assert done.returncode == 2
    assert "did you mean" in done.stderr and "7net-0" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_that_are_like_it_are_told_from_each_other(pesbench):
    # one of the columns has a comma in its name
    assert "did you mean 'ms/step' or 'driver, ms/step'" in pesbench("explain", "ms/stpe").stderr


def test_several_names_are_explained_one_after_the_other(pesbench, tmp_path):
    done = pesbench("explain", "rank", "times slower", "uff", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    heads = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert heads[:3] == ["rank", "times slower", "UFF (Open Babel CG)"]
    assert "no method and no column 'uff nosuch'" in pesbench("explain", "uff", "nosuch", cwd=tmp_path).stderr


def test_a_run_that_is_not_there_is_refused(pesbench):
    done = pesbench("explain", "uff", "--run", "19990101-000000")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no run" in done.stderr


@pytest.mark.parametrize(
    "name", ["SevenNet-0 (11Jul2024)", "SevenNet-0", "7net-0", "UFF (Open Babel CG)", "sevennet-0 (11jul2024)"]
)
def test_a_method_is_found_by_each_spelling_that_a_table_has(pesbench, name, tmp_path):
    done = pesbench("explain", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"method +(7net-0|uff),", done.stdout)


def test_every_label_of_a_method_is_a_method(pesbench):
    from bench.commands.explain import _found
    from bench.environments.catalogue import Catalogue

    catalogue = Catalogue()
    for method in catalogue.methods.values():
        assert _found(method.label, catalogue) == _found(method.name, catalogue) == method


def test_several_words_are_one_name(pesbench, tmp_path):
    one, several = (pesbench("explain", *words, cwd=tmp_path) for words in (("force MAE",), ("force", "MAE")))
    assert several.returncode == 0, several.stderr
    assert several.stdout == one.stdout
