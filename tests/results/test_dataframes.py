"""A run as data frames: the questions of docs/format.md are lines of pandas, and systems have names."""

import ast
import json
import shutil

import pandas as pd
import pytest

from bench.paths import PROJECT
from bench.results.dataframes import load

RUN = PROJECT / "tests" / "results" / "format1"
(BLOCK,) = (one for one in (PROJECT / "docs" / "format.md").read_text().split("```") if one.startswith("python"))
LINES = ast.parse(BLOCK.removeprefix("python").replace("<run-id>", str(RUN))).body
QUESTIONS = [ast.unparse(line) for line in LINES if isinstance(line, ast.Expr)]


@pytest.fixture(scope="module")
def names():
    """Return what the first lines of the block define."""
    found = {}
    exec("\n".join(ast.unparse(line) for line in LINES if not isinstance(line, ast.Expr)), found)
    return found


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_of_the_page_has_an_answer(names, question):
    answer = eval(question, names)
    assert isinstance(answer, pd.DataFrame | pd.Series)
    assert answer.empty == ("disturbed" in question), "nothing disturbed this run"


def test_a_relaxation_finds_the_name_of_its_system(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(RUN, run)
    described = json.loads((run / "campaign.json").read_text())
    described["dataset"]["systems"] = [
        {"name": "cold", "formula": "C10H8", "atoms": 18, "frames": [0]},
        {"name": "hot", "formula": "C10H8", "atoms": 18, "frames": [1, 2]},
    ]
    (run / "campaign.json").write_text(json.dumps(described))
    loaded = load(run)
    assert list(loaded.systems["frames"]) == [(0,), (1, 2)]
    named = loaded.structures.join(loaded.systems["name"], on="system")
    assert set(zip(named["structure"], named["name"], strict=True)) == {(0, "cold"), (1, "hot")}
