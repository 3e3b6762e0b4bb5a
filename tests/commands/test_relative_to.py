"""``--relative-to``: a reader chooses the method by whose times the others are divided."""

import json
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
RELATIVE = ("--relative-to", "toy-native")


def rows(text):
    return {row["method"]: row["relative"] for row in json.loads(text)["rows"]}


def test_the_table_divides_by_the_times_of_the_method(pesbench, fake_run):
    found = rows(pesbench("table", fake_run, *RELATIVE, "--format", "json").stdout)
    assert found["toy-native"] == {"to": "toy-native", "estimate": 1.0, "low": 1.0, "high": 1.0}
    assert found["toy"]["to"] == "toy-native"
    assert found["toy"]["estimate"] > 0
    assert found["fails-to-load"]["to"] is None
    assert "than toy-native" in pesbench("table", fake_run, *RELATIVE, COLUMNS="140").stdout


def test_the_page_carries_them(pesbench, fake_run, tmp_path):
    page = tmp_path / "page.html"
    assert pesbench("report", fake_run, "--output", page, *RELATIVE).returncode == 0
    assert "than toy-native" in page.read_text()
    found = rows(pesbench("table", page, "--format", "json").stdout)
    assert found["toy"]["to"] == "toy-native"
    done = pesbench("table", page, "--format", "json", *RELATIVE)
    assert done.returncode == 2
    assert "--relative-to needs a run" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("table", "RUN", "--relative-to", "toy-nativ"), "did not measure 'toy-nativ'; it has times of toy-native"),
        (("table", "RUN", "--relative-to", "fails-to-load"), "has no time of fails-to-load; it has times of"),
        (("table", "paper", *RELATIVE), "the paper's times are not divided by those of a method"),
        (("table", "RUN", "--protocols", "md", *RELATIVE), "md has a table of its own"),
        (("report", "RUN", "--relative-to", "nobody"), "did not measure 'nobody'"),
        (
            ("run", "--adapter", FAKES, "--methods", "toy", *RELATIVE, "--structures", "naphthalene-gfn2"),
            "'toy-native', which is not one of the methods that are measured",
        ),
    ],
)
def test_a_bad_name_is_one_sentence_and_status_2(pesbench, fake_run, tmp_path, arguments, reason):
    words = [fake_run if word == "RUN" else word for word in arguments]
    words += ["--output", tmp_path / "out"] if arguments[0] == "run" else []
    done = pesbench(*words)
    assert done.returncode == 2
    assert reason in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_run_shows_its_table_relative_to_the_method(pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,toy-native", *RELATIVE, "--structures", "naphthalene-gfn2"),
        *("--limit", "1", "--rounds", "1", "--threads", "1", "--no-repeats", "--output", tmp_path, "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert rows(done.stdout)["toy"]["to"] == "toy-native"


def test_a_run_of_another_molecule_is_no_table_1(pesbench, tmp_path):
    water = tmp_path / "water.xyz"
    frame = "3\n\nO 0 0 {z}\nH 0 0.76 0.59\nH 0 -0.76 0.59\n"
    water.write_text(frame.format(z=0.0) + frame.format(z=0.03))
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "slow-to-step", "--structures", water, "--protocols", "replay"),
        *("--rounds", "1", "--threads", "1", "--no-repeats", "--output", tmp_path / "runs", "--json"),
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["claims"], document["rank_correlation"]) == ([], None)
    # the first frame is the reference of the set: a path of one geometry would take a tenth of this
    assert document["rows"][0]["calculator_ms_per_call"]["estimate"] >= 7.0
    run = next((tmp_path / "runs").iterdir())
    refused = pesbench("table1", run, "--output", tmp_path / "table1")
    assert refused.returncode == 2
    assert "measured H2O, and the published table is about naphthalene" in refused.stderr
