"""The history of a machine: added once, read back, stepped, drawn and exported."""

import dataclasses
import json

import pytest

from bench.analysis.table import Coverage
from bench.errors import BadInput
from bench.render.history import below, plot, table
from bench.results import dataframes, history
from bench.results.tables import table_of


def line(day, ms, method="7net-0", **changes):
    return {
        "run": f"202611{day:02}-101500",
        "created": f"2026-11-{day:02}T10:15:00+00:00",
        "commit": f"{day:02}" * 20,
        "machine": "amd-epyc-2-cores",
        "method": method,
        "label": method,
        "device": "cpu",
        "protocol": "replay",
        "dataset": "naphthalene-md17 0123",
        "settings": "10 points, all structures",
        "threads": 1,
        "weights": "pretrained",
        "dtype": "float32",
        "unit": "ms/call",
        "ms": ms,
        "low": 0.98 * ms,
        "high": 1.02 * ms,
        "rounds": 3,
        "versions": {"torch": "2.13.0"},
    } | changes


LINES = [line(day, ms) for day, ms in enumerate([60.0, 61.0, 59.5, 60.2, 75.0, 76.0, 74.5], 1)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "folder", lambda: tmp_path / "history")
    return tmp_path / "history"


def test_a_run_is_added_once(fake_run, folder):
    run = dataframes.load(fake_run)
    lines = history.entries(run, table_of(fake_run))
    assert {one["method"]: one["settings"] for one in lines}.items() >= {
        "toy": "BFGS, fmax 0.05, 500 steps, 6 structures",
        "toy-native": "native, fmax 0.05, 500 steps, 6 structures",
    }.items()
    path = history.add(lines)
    history.add(lines)
    assert path.parent == folder
    assert len(history.read(path)) == len(lines)
    assert history.find(None) == path


def test_a_run_that_reached_fewer_systems_is_another_series(fake_run):
    run, found = dataframes.load(fake_run), table_of(fake_run)

    def added(systems, day):
        rows = tuple(dataclasses.replace(row, coverage=Coverage(systems, 8)) for row in found.rows)
        lines = history.entries(run, dataclasses.replace(found, rows=rows))
        ms = {8: 60.0, 3: 6.0}[systems]
        return [one | {"created": f"2026-11-{day:02}", "run": str(day), "ms": ms} for one in lines[:1]]

    lines = [one for day in range(1, 13) for one in added(8 if day < 7 else 3, day)]
    each = history.series(lines)
    assert [len(one) for one in each] == [6, 6]
    assert all(one["step"].isna().all() for one in each), "small systems are no faster method"
    assert each[1]["settings"].iloc[0].endswith(", 3 of 8 systems")


def test_a_step_is_found_at_the_run_that_made_it(folder):
    (one,) = history.series(LINES)
    stepped = one[one["step"].notna()]
    assert stepped["run"].tolist() == ["20261105-101500"]
    assert stepped["step"].iloc[0] == pytest.approx(1.25, abs=0.02)


def test_where_several_methods_were_measured_a_step_is_one_beside_them():
    speed = [1.0, 1.12, 0.95, 1.06, 1.15, 0.97, 1.09, 0.94, 1.5, 1.5, 1.5, 1.5]
    lines = [
        line(day, ms * machine * (1.1 if method == "a" and day > 6 else 1.0), method=method)
        for day, machine in enumerate(speed, 1)
        for method, ms in (("a", 60.0), ("b", 20.0), ("c", 5.0), ("d", 90.0))
    ]
    found = {one["method"].iloc[0]: one for one in history.series(lines)}
    stepped = found["a"][found["a"]["step"].notna()]
    assert stepped["run"].tolist() == ["20261107-101500"]
    assert stepped["step"].iloc[0] == pytest.approx(1.1)
    assert all(found[name]["step"].isna().all() for name in "bcd")
    assert all(one["beside"].all() for one in found.values())
    ((day, ratio),) = history.together(lines)
    assert day.startswith("2026-11-09")
    assert ratio == pytest.approx(1.5 / 1.03, abs=0.05)
    compared, common = below(list(found.values()), [(day, ratio)])
    assert "relative to the other methods of the same runs" in compared
    assert "All methods together became" in common
    assert "slower on 2026-11-09" in common
    assert below(history.series(LINES), history.together(LINES)) == []


def test_series_that_are_not_alike_are_kept_apart():
    others = [line(8, 9.0, threads=2), line(9, 9.0, method="uff"), line(9, 9.0, settings="4 points, all structures")]
    assert len(history.series([*LINES, *others])) == 4


def test_the_export_is_what_github_action_benchmark_reads():
    (entry,) = history.export(LINES)
    assert entry["name"] == (
        "7net-0, cpu, replay, naphthalene-md17 0123, 10 points, all structures, 1, pretrained, float32"
    )
    assert (entry["unit"], entry["value"]) == ("ms/call", 74.5)
    assert entry["range"] == "73.01 to 75.99"
    assert isinstance(entry["extra"], str)
    json.dumps(entry, allow_nan=False)


def test_an_interval_that_is_missing_is_left_out_of_the_export_and_of_the_figure(tmp_path):
    lines = [line(day, 60.0 + day, low=None, high=None) for day in range(1, 4)]
    (entry,) = history.export(lines)
    assert "range" not in entry
    assert all(file.stat().st_size > 1000 for file in plot(history.series(lines), tmp_path / "figure"))


def test_the_table_names_the_step_and_its_commit():
    from rich.console import Console

    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table(history.series(LINES)))
    text = console.export_text()
    assert "+25 % at 2026-11-05, commit 0505050505" in text
    assert "74.5 [73.0, 76.0]" in text
    assert "replay, 1 thread, naphthalene-md17, 10 points" in text


def test_names_say_how_series_differ_and_what_all_share_is_said_once():
    from rich.console import Console

    series = history.series([*LINES, line(8, 9.0, threads=2), line(8, 9.0, weights=None), line(8, 9.0, method="uff")])
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table(series))
    title, _, *rows = console.export_text().splitlines()
    assert title.strip() == "replay, naphthalene-md17, 10 points"
    assert [row.partition("  ")[0].strip() for row in rows[1:]] == [
        "7net-0 (1 thread, weights: pretrained, float32, data 0123)",
        "7net-0 (2 threads)",
        "7net-0 (1 thread, weights: unknown, float32, data 0123)",
        "uff (1 thread)",
    ]


def test_a_figure_of_single_runs_is_refused_and_beside_others_they_are_left_out(tmp_path):
    single = line(8, 9.0, method="uff")
    with pytest.raises(BadInput, match="no method has two runs"):
        plot(history.series([single]), tmp_path / "none")
    svg, _ = plot(history.series([*LINES, single]), tmp_path / "figure")
    alone, _ = plot(history.series(LINES), tmp_path / "alone")
    assert svg.read_text().count('id="axes_') == alone.read_text().count('id="axes_') == 1


def test_what_is_damaged_or_not_there_is_named(folder):
    with pytest.raises(BadInput, match="there is no history yet"):
        history.find(None)
    path = history.add(LINES)
    history.add([line(1, 1.0, machine="intel-xeon-4-cores")])
    with pytest.raises(BadInput, match="there are several, choose one with --machine"):
        history.find(None)
    assert history.find("epyc") == path
    history.add([line(1, 1.0, machine="amd-epyc-2-cores-nvidia-h200")])
    with pytest.raises(BadInput, match="'epyc' matches 2 of them"):
        history.find("epyc")
    assert history.find("amd-epyc-2-cores") == path
    with path.open("a") as file:
        file.write("{\n")
    with pytest.raises(BadInput, match=r"line 8 of .* is damaged"):
        history.read(path)
