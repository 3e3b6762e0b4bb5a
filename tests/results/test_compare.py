"""The verb compare, on real runs of the fakes."""

import json
import shutil
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


@pytest.fixture(scope="module")
def four_rounds(tmp_path_factory, pesbench):
    """Return the run directory of a campaign of as many rounds as decide something."""
    results = tmp_path_factory.mktemp("four")
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,toy-native", "--structures", "naphthalene-gfn2", "--limit", "6"),
        *("--rounds", "4", "--threads", "1", "--no-repeats", "--output", results),
    )
    assert done.returncode == 0, done.stderr
    return next(results.iterdir())


@pytest.fixture
def copy(four_rounds, tmp_path):
    """Return a function that copies the run, each line of its records changed."""

    def make(name, change=lambda fields: fields, **campaign):
        path = tmp_path / name
        shutil.copytree(four_rounds, path)
        lines = [json.dumps(change(json.loads(line))) for line in (path / "records.jsonl").read_text().splitlines()]
        (path / "records.jsonl").write_text("\n".join(lines) + "\n")
        described = json.loads((path / "campaign.json").read_text())
        for key, value in campaign.items():
            described[key] |= value
        (path / "campaign.json").write_text(json.dumps(described))
        return path

    return make


def slowed(factor, method="toy"):
    def change(fields):
        if fields["record"] == "relaxation" and fields["method"] == method:
            for column in ("calculator_ns", "optimizer_ns"):
                if column in fields["trace"]:
                    fields["trace"][column] = [int(factor * ns) for ns in fields["trace"][column]]
        return fields

    return change


def test_a_run_is_as_fast_as_its_copy(pesbench, four_rounds, copy):
    done = pesbench("compare", four_rounds, copy("twin"), "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {one["method"]: one for one in json.loads(done.stdout)["comparisons"]}
    assert found["toy"]["ratio"]["estimate"] == pytest.approx(1.0)
    assert found["toy"]["verdict"] in ("same", "undecided")
    assert found["toy"]["answers"] == []


def test_a_slower_run_is_called_so_and_status_1(pesbench, four_rounds, copy):
    done = pesbench("compare", four_rounds, copy("slow", slowed(30.0)), COLUMNS="100")
    assert done.returncode == 1, done.stderr
    assert "slower" in done.stdout
    assert "30" in done.stdout
    assert "Slower or faster: by at least 5 %" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_faster_run_is_no_reason_for_alarm(pesbench, four_rounds, copy):
    done = pesbench("compare", four_rounds, copy("fast", slowed(1 / 30)), "--format", "markdown")
    assert done.returncode == 0, done.stderr
    assert "| faster |" in done.stdout


def test_a_faster_run_with_another_answer_is_no_speed_up(pesbench, four_rounds, copy):
    def change(fields):
        if fields["record"] == "answer" and fields["method"] == "toy":
            fields["energy"] -= 0.5
        return slowed(1 / 30)(fields)

    done = pesbench("compare", four_rounds, copy("other", change), "--format", "json")
    found = {one["method"]: one for one in json.loads(done.stdout)["comparisons"]}
    assert found["toy"]["verdict"] == "other answer"
    assert found["toy"]["answers"] == ["energies by up to 0.5 eV"]


def test_unlike_runs_are_refused_and_shown_by_force(pesbench, four_rounds, copy):
    other = copy("elsewhere", machine={"cpu": "A 1990s mainframe"}, settings={"threads": 7})
    done = pesbench("compare", four_rounds, other)
    assert done.returncode == 2
    assert "A 1990s mainframe" in done.stderr
    assert "threads: 1 and 7" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    forced = pesbench("compare", four_rounds, other, "--force")
    assert forced.returncode == 0, forced.stderr
    first = forced.stdout.index("A 1990s mainframe")
    assert forced.stdout.startswith("Different, but compared by request")
    assert first < forced.stdout.index("verdict")


def test_a_run_that_is_not_there_is_named(pesbench, four_rounds):
    done = pesbench("compare", four_rounds, "no-such-run")
    assert done.returncode == 2
    assert "there is no run 'no-such-run'" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"), [("0", "'0' is not a number above zero."), ("5", "'5' is 500 %; write a share below 1, such as")]
)
def test_a_threshold_that_is_none_is_named(pesbench, four_rounds, text, said):
    done = pesbench("compare", four_rounds, four_rounds, "--threshold", text)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_run_of_two_rounds_decides_nothing(pesbench, four_rounds, copy):
    slow = copy("slow", slowed(30.0))
    lines = [json.loads(line) for line in (slow / "records.jsonl").read_text().splitlines()]
    kept = [json.dumps(line) for line in lines if line["round"] < 2]
    (slow / "records.jsonl").write_text("\n".join(kept) + "\n")
    done = pesbench("compare", four_rounds, slow)
    assert done.returncode == 0, done.stderr
    assert "slower" not in done.stdout.partition("Rule")[0]
    assert "fewer than 3 rounds" in " ".join(done.stdout.split())


def test_a_disturbed_round_is_told(pesbench, four_rounds, copy):
    def disturbed(fields):
        if fields["record"] == "watched" and fields["method"] == "toy" and fields["round"] == 1:
            fields["disturbed"] = ["the moon rose"]
        return fields

    done = pesbench("compare", four_rounds, copy("moon", disturbed), "--format", "markdown")
    assert "In the second run: " in done.stdout
    (said,) = (line for line in done.stdout.splitlines() if "In the second run: " in line)
    assert "springs between all atoms" in said and "disturbed by other processes" in said


def test_a_run_beside_itself_says_so(pesbench, four_rounds):
    done = pesbench("compare", four_rounds, four_rounds)
    assert done.returncode == 2
    assert "is compared with itself" in done.stderr


def test_table_page_and_comparison_have_the_same_intervals(pesbench, four_rounds, copy, tmp_path):
    other = copy("other", lambda fields: fields)
    report = json.loads(pesbench("compare", four_rounds, other, "--format", "json").stdout)
    pesbench("report", four_rounds, "--output", tmp_path / "page.html")
    rows, kept = (
        json.loads(pesbench("table", place, "--format", "json").stdout)["rows"]
        for place in (four_rounds, tmp_path / "page.html")
    )
    compared = {one["method"]: one["old"] for one in report["comparisons"]}
    assert len(compared) == 2
    for row, on_page in zip(rows, kept, strict=True):
        for end in ("estimate", "low", "high"):
            assert compared[row["method"]][end] == pytest.approx(row["ms_per_step"][end], rel=1e-9)
            assert on_page["ms_per_step"][end] == pytest.approx(row["ms_per_step"][end], rel=1e-5)


def test_a_comparison_is_a_screen(pesbench, four_rounds, copy):
    done = pesbench("compare", four_rounds, copy("other", lambda fields: fields))
    assert len(done.stdout.splitlines()) <= 24


def test_runs_that_share_nothing_are_bad_input(pesbench, four_rounds, copy):
    def failed(fields):
        if fields["record"] in ("relaxation", "started", "finished", "answer"):
            return {
                "record": "not-measured",
                **{key: fields[key] for key in ("method", "device", "round")},
                "failure": {"kind": "load", "message": "no such file"},
            }
        return fields

    done = pesbench("compare", four_rounds, copy("failed", failed))
    assert done.returncode == 2
    assert "not measured in the second run (load: no such file)" in done.stderr


def test_a_format_that_is_none_is_named_at_once(pesbench, four_rounds):
    for verb in (("compare", four_rounds, four_rounds), ("regress", "--methods", "uff-ase", "--base", "HEAD")):
        done = pesbench(*verb, "--format", "csv")
        assert done.returncode == 2
        assert "there is no format 'csv'; use terminal, markdown or json." in done.stderr
