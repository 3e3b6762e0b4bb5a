"""The verb compare, on real runs of the fakes."""

import json
import shutil

import pytest


@pytest.fixture
def copy(fake_run, tmp_path):
    """Return a function that copies the run, each line of its records changed."""

    def make(name, change=lambda fields: fields, **campaign):
        path = tmp_path / name
        shutil.copytree(fake_run, path)
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


def test_a_run_is_as_fast_as_itself(pesbench, fake_run):
    done = pesbench("compare", fake_run, fake_run, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {one["method"]: one for one in json.loads(done.stdout)["comparisons"]}
    assert found["toy"]["ratio"]["estimate"] == pytest.approx(1.0)
    assert found["toy"]["verdict"] in ("same", "undecided")
    assert found["toy"]["answers"] == []


def test_a_slower_run_is_called_so_and_status_1(pesbench, fake_run, copy):
    done = pesbench("compare", fake_run, copy("slow", slowed(30.0)), COLUMNS="100")
    assert done.returncode == 1, done.stderr
    assert "slower" in done.stdout
    assert "30" in done.stdout
    assert "Slower or faster: by at least 5 %" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_faster_run_is_no_reason_for_alarm(pesbench, fake_run, copy):
    done = pesbench("compare", fake_run, copy("fast", slowed(1 / 30)), "--format", "markdown")
    assert done.returncode == 0, done.stderr
    assert "| faster |" in done.stdout


def test_a_faster_run_with_another_answer_is_no_speed_up(pesbench, fake_run, copy):
    def change(fields):
        if fields["record"] == "answer" and fields["method"] == "toy":
            fields["energy"] -= 0.5
        return slowed(1 / 30)(fields)

    done = pesbench("compare", fake_run, copy("other", change), "--format", "json")
    found = {one["method"]: one for one in json.loads(done.stdout)["comparisons"]}
    assert found["toy"]["verdict"] == "other answer"
    assert found["toy"]["answers"] == ["energies by up to 0.5 eV"]


def test_unlike_runs_are_refused_and_shown_by_force(pesbench, fake_run, copy):
    other = copy("elsewhere", machine={"cpu": "A 1990s mainframe"}, settings={"threads": 7})
    done = pesbench("compare", fake_run, other)
    assert done.returncode == 2
    assert "A 1990s mainframe" in done.stderr
    assert "threads: 1 and 7" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    forced = pesbench("compare", fake_run, other, "--force")
    assert forced.returncode == 0, forced.stderr
    first = forced.stdout.index("A 1990s mainframe")
    assert forced.stdout.startswith("Unlike, compared all the same")
    assert first < forced.stdout.index("verdict")


def test_a_run_that_is_not_there_is_named(pesbench, fake_run):
    done = pesbench("compare", fake_run, "no-such-run")
    assert done.returncode == 2
    assert "there is no run 'no-such-run'" in done.stderr


def test_a_threshold_that_is_none_is_named(pesbench, fake_run):
    done = pesbench("compare", fake_run, fake_run, "--threshold", "0")
    assert done.returncode == 2
    assert "'0' is no number above zero." in done.stderr
