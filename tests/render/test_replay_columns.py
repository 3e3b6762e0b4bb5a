from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import pandas as pd
import pytest
from matplotlib.text import Text
from synthetic import campaign, measurements, method, replays

from bench.analysis.summary import summarise
from bench.paper import table1 as paper
from bench.render import figure
from bench.render.columns import columns, failures, fitting, means
from bench.render.heading import heading
from bench.render.lines import lines
from bench.render.notes import notes
from bench.render.tables import render

MARK = "ʳ"


def cells(table, title: str, unit: str) -> dict[str, str]:
    """Return a column's text for each line of the table."""
    (column,) = (column for column in columns(table) if (column.title, column.unit) == (title, unit))
    return {line.label: column.text(line) for line in lines(table)}


def headings(table) -> list[str]:
    return [column.heading for column in columns(table)]


def texts(table) -> list[str]:
    return [found.get_text() for found in figure.draw(table).findobj(Text) if found.get_text()]


def test_there_is_one_line_a_method_whatever_the_protocols(cpu_table, both_table, replay_table):
    assert len(lines(cpu_table)) == len(lines(both_table)) == len(lines(replay_table)) == 7


def test_the_steps_column_has_the_marked_time_of_a_call_where_the_weights_are_random(both_gpu_table, cpu_table):
    for table in (both_gpu_table, cpu_table):
        shown = cells(table, "CPU", "ms/step")
        assert re.fullmatch(rf"812 \[\d+, \d+\]{MARK}", shown["eqV2 M (random weights)"])
        assert shown["Nequix MP-1"].startswith("61.0 [")
        assert [label for label, text in shown.items() if MARK in text] == ["eqV2 M (random weights)"]
    assert re.fullmatch(rf"80\.0 \[.+\]{MARK}", cells(both_gpu_table, "GPU", "ms/step")["eqV2 M (random weights)"])


def test_a_random_method_that_failed_has_its_reason_unmarked(cpu_table):
    rows = tuple(
        dataclasses.replace(row, calculator_ms_per_call=None, failures={"load": 1}) if row.method == "eqv2-m" else row
        for row in cpu_table.rows
    )
    shown = cells(dataclasses.replace(cpu_table, rows=rows), "CPU", "ms/step")
    assert shown["eqV2 M (random weights)"] == "load"


def test_a_campaign_with_both_protocols_has_a_column_of_calls_for_all_lines(both_gpu_table):
    on_cpu = cells(both_gpu_table, "CPU replay", "ms/call")
    assert {label: text.split(" [")[0] for label, text in on_cpu.items()} == {
        "UFF (Open Babel CG)": "0.0400",
        "GFN2-xTB 100 % & {tblite}_x": "24.00",
        "Nequix MP-1": "58.0",
        "SevenNet-0": "110.0",
        "eqV2 M (random weights)": "812",
        "SevenNet-l3i5": "out-of-memory",
        "PBE0/def2-SVP (NWChem, cold guess)": "31000",
    }
    on_gpu = cells(both_gpu_table, "GPU replay", "ms/call")
    assert on_gpu["Nequix MP-1"].startswith("29.0 [")
    assert on_gpu["eqV2 M (random weights)"].startswith("80.0 [")
    assert not any(MARK in text for text in (*on_cpu.values(), *on_gpu.values()))


def test_random_weights_alone_make_no_column_of_calls(cpu_table, gpu_table):
    for table in (cpu_table, gpu_table):
        assert not any("replay" in heading for heading in headings(table))


def test_a_table_of_replays_alone_is_about_calls_and_has_nothing_to_mark(replay_table):
    assert headings(replay_table)[:3] == ["Method", "CPU ms/call", "GPU ms/call"]
    assert not any("ms/step" in heading or "replay" in heading for heading in headings(replay_table))
    assert cells(replay_table, "CPU", "ms/call")["eqV2 M (random weights)"].startswith("812 [")
    for form in ("terminal", "markdown", "latex"):
        assert MARK not in render(replay_table, form, width=200)
    assert "Time of a force call." in render(replay_table, "latex")
    shown = texts(replay_table)
    assert "ms per force call" in shown and "CPU, ms/call" in shown
    assert not any(MARK in text for text in shown)


@pytest.mark.parametrize("width", [80, 200])
def test_the_mark_hangs_over_so_that_the_figures_stay_aligned(width, cpu_table, both_table):
    for table in (cpu_table, both_table):
        text = render(table, "terminal", width=width)
        rows = text[text.index("────") :].split("\n\n")[0].splitlines()
        assert sum(MARK in row for row in rows) == 1
        assert len({row.index("]") for row in rows if "]" in row}) == 1
        reason = next(row for row in rows if "out-of-memory" in row)
        assert reason.index("out-of-memory") + len("out-of-memory") == next(
            row.index(MARK) for row in rows if MARK in row
        )


def test_the_time_of_a_relaxation_comes_before_the_same_steps_along_a_path(both_table):
    times = r"Nequix MP-1 +61\.0 \[[\d., ]+\] +2671 \[[\d., ]+\] +\d(–\d)?"
    for width, wanted in ((80, times + r".*"), (160, times + r" .* 58\.0 \[[\d., ]+\].*")):
        text = render(both_table, "terminal", width=width)
        row = next(line for line in text.splitlines() if line.startswith("Nequix MP-1"))
        assert re.fullmatch(wanted, row), width


def test_the_mark_survives_every_format_and_is_explained_there(both_gpu_table):
    for form, mark in (("terminal", MARK), ("markdown", MARK), ("latex", r"\textsuperscript{r}")):
        text = " ".join(render(both_gpu_table, form, width=120).split())
        assert re.search(rf"\d(\]|{{\]}})(\\rlap{{)?{re.escape(mark)}", text), form
        assert f"{mark} marks the time of a force call alone" in text, form


def test_the_papers_figure_and_the_ratio_to_it_stand_beside_a_random_method(cpu_table):
    assert cells(cpu_table, "paper", "CPU ms")["eqV2 M (random weights)"] == "471.18"
    assert cells(cpu_table, "ours/paper", "CPU")["eqV2 M (random weights)"].startswith("1.72 [")


def test_means_over_replays_say_so_and_which_of_their_methods_are_random(both_table):
    found = means(both_table)
    names = [name for name, _ in found]
    assert names == [
        *("force field over MLIPs", "MLIPs over DFT"),
        *("force field over MLIPs (replay)", "MLIPs over DFT (replay)"),
    ]
    assert "random" not in found[0][1]
    assert "mean of Nequix MP-1, SevenNet-0, eqV2 M (random weights); against UFF (Open Babel CG);" in found[2][1]


def test_json_has_a_replay_row_with_the_same_keys_and_no_time_of_a_step(both_table):
    document = json.loads(render(both_table, "json"))
    rows = {(row["method"], row["protocol"]): row for row in document["rows"]}
    assert len(rows) == len(document["rows"]) == 13
    assert len({tuple(row) for row in document["rows"]}) == 1
    assert ("eqv2-m", "relax") not in rows
    row = rows["nequix-mp-1", "replay"]
    assert row["ms_per_step"] == {"estimate": None, "low": None, "high": None}
    assert row["calculator_ms_per_call"]["estimate"] == pytest.approx(58.0)
    assert row["calculator_ms_per_call"]["low"] < 58.0 < row["calculator_ms_per_call"]["high"]
    assert row["ratio_to_paper"]["estimate"] == pytest.approx(58.0 / 43.55)
    assert row["structures"] == {"done": 101, "total": 101}
    assert [mean["protocol"] for mean in document["geometric_means"]] == ["relax", "relax", "replay", "replay"]
    (claim,) = (claim for claim in document["claims"] if "eqV2" in claim["text"])
    assert (claim["verdict"], claim["protocol"], claim["random"]) == ("holds", "replay", ["eqv2-m"])


def test_csv_has_the_replay_rows_too(both_table):
    rows = list(csv.DictReader(io.StringIO(render(both_table, "csv"))))
    assert [row["protocol"] for row in rows].count("replay") == 7
    assert all(None not in row and None not in row.values() for row in rows)


def test_what_kept_a_method_from_starting_is_told_once(both_table):
    assert failures(both_table) == [("SevenNet-l3i5, CPU", "out-of-memory: memory ran out")]


def test_a_failure_in_replay_alone_says_so(both_table):
    rows = tuple(
        dataclasses.replace(row, failures={"nan": 2}) if (row.method, row.protocol) == ("7net-0", "replay") else row
        for row in both_table.rows
    )
    assert ("SevenNet-0, CPU, replay", "nan (2)") in failures(dataclasses.replace(both_table, rows=rows))


def test_the_head_names_the_protocols(cpu_table, both_table, replay_table):
    relax, both, replay = (dict(heading(table))["Protocol"] for table in (cpu_table, both_table, replay_table))
    assert "relax with BFGS" in relax and "replay" not in relax
    assert "relax with BFGS" in both and "replay of 10 points" in both
    assert "relax" not in replay and "fmax" not in replay and "replay of 10 points" in replay


def test_the_figure_has_half_a_mark_and_a_marked_number_for_random_weights_and_explains_it(cpu_table):
    shown = texts(cpu_table)
    assert sum(text.endswith(f"]{MARK}") for text in shown) == 1
    assert any(f"{MARK}: ms per force call alone" in text for text in shown)
    halves = [line for line in figure.draw(cpu_table).axes[0].lines if line.get_fillstyle() == "left"]
    assert [float(line.get_xdata()[0]) for line in halves] == [pytest.approx(812.0)]


def test_a_table_without_random_weights_explains_no_mark():
    assert MARK not in "".join(texts(paper.table()))
    for form in ("terminal", "markdown", "latex"):
        text = render(paper.table(), form, width=120)
        assert MARK not in text and "eplay" not in text


def test_the_mark_breaks_no_figure_at_any_width(both_table):
    for width in range(70, 150, 7):
        text = render(both_table, "terminal", width=width)
        assert max(map(len, text.splitlines())) <= width
        for column in fitting(both_table, width):
            figures = [column.text(line) for line in lines(both_table)]
            assert all(found in text for found in figures if "[" in found), width


def test_a_step_along_a_path_stands_unmarked_among_the_steps_in_every_format(stepped_table):
    shown = cells(stepped_table, "CPU", "ms/step")
    assert shown["eqV2 M (random weights)"].startswith("893 ["), "812 of the force call, and a tenth of the optimiser"
    assert shown["Nequix MP-1"].startswith("61.0 [")
    for form in ("terminal", "markdown", "latex"):
        text = render(stepped_table, form, width=200)
        assert MARK not in text and r"\textsuperscript{r}" not in text
    shown = texts(stepped_table)
    assert not any(MARK in text for text in shown)


def test_json_has_both_times_of_a_step_along_a_path(stepped_table):
    document = json.loads(render(stepped_table, "json"))
    (row,) = (row for row in document["rows"] if row["method"] == "eqv2-m")
    assert (row["protocol"], row["optimizer"]) == ("replay", "BFGS")
    assert row["ms_per_step"]["estimate"] == pytest.approx(893.2)
    assert row["calculator_ms_per_call"]["estimate"] == pytest.approx(812.0)
    assert row["calculator_share"] == pytest.approx(1 / 1.1)
    assert row["ratio_to_paper"]["estimate"] == pytest.approx(893.2 / 471.18)


def test_the_columns_of_replay_are_of_steps_and_mark_what_has_only_calls(stepped_both_table):
    shown = cells(stepped_both_table, "CPU replay", "ms/step")
    assert shown["Nequix MP-1"].startswith("63.8 [")
    assert [label for label, text in shown.items() if MARK in text] == ["UFF (Open Babel CG)"]
    assert shown["UFF (Open Babel CG)"].startswith("0.0400 [")
    assert not any(MARK in text for text in cells(stepped_both_table, "CPU", "ms/step").values())
    names = [name for name, _ in means(stepped_both_table)]
    assert names[2:] == ["force field over MLIPs (replay, force calls)", "MLIPs over DFT (replay)"]
    for width in (80, 200):
        text = render(stepped_both_table, "terminal", width=width)
        assert max(map(len, text.splitlines())) <= width
    assert any("UFF (Open Babel CG)" in note for note in notes(stepped_both_table) if f"{MARK} marks" in note)


def test_a_run_that_an_older_version_began_shows_force_calls_for_all_paths_of_a_method():
    """Half of its paths have the optimiser's time: a row never mixes steps and calls."""
    paths = pd.concat([replays("a", 50.0, update=0.2).query("round < 2"), replays("a", 50.0).query("round == 2")])
    made = campaign(settings={"protocols": ("replay",)})
    (row,) = summarise(measurements([method("a")], (), [paths], made)).rows
    assert (row.ms_per_step, row.of_calls, row.optimizer) == (None, True, None)
    assert row.time.estimate == pytest.approx(50.0)
    assert row.rounds == 3
