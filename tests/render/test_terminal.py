from __future__ import annotations

import dataclasses
import re

import pytest
from rich.cells import cell_len

from bench.analysis.disturbed import MEASURED_AGAIN, Disturbance
from bench.core.description import DataSetFacts, SystemFacts
from bench.paper import table1 as paper
from bench.render.columns import columns, fitting
from bench.render.heading import heading
from bench.render.tables import render
from bench.render.terminal import render_terminal


def words(text: str) -> str:
    """Return the text without what the width of the terminal did to it."""
    return " ".join(text.split())


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 200])
@pytest.mark.parametrize("which", ["cpu_table", "gpu_table", "both_table", "both_gpu_table", "replay_table", "paper"])
def test_no_line_is_wider_than_the_terminal(which, width, request):
    table = paper.table() if which == "paper" else request.getfixturevalue(which)
    assert max(cell_len(line) for line in render_terminal(table, width).splitlines()) <= width


def test_80_columns_hold_the_times_of_a_step_and_of_a_molecule_with_their_intervals_and_the_rank(cpu_table):
    text = render_terminal(cpu_table, 80)
    row = next(line for line in text.splitlines() if line.startswith("SevenNet-0"))
    assert re.fullmatch(r"SevenNet-0 +113\.2 \[\d+\.\d, \d+\.\d\] +49\d\d \[\d+, \d+\] +\d(–\d)? +101", row)


def test_100_columns_hold_the_ratio_to_the_fastest_mlip_too(cpu_table):
    text = render_terminal(cpu_table, 100)
    row = next(line for line in text.splitlines() if line.startswith("SevenNet-0"))
    assert re.match(r"SevenNet-0 +113\.2 \[[\d., ]+\] +49\d\d \[\d+, \d+\] +\d(–\d)? +1\.86 \[[\d., ]+\]", row)
    assert "than Nequix MP-1" in text


def test_a_wider_terminal_shows_more_and_nothing_less(gpu_table):
    def titles(width: int) -> set[str]:
        lines = render_terminal(gpu_table, width).splitlines()
        method = next(i for i, line in enumerate(lines) if line.startswith("Method"))
        return set(f"{lines[method - 1]} {lines[method]}".split())

    assert titles(80) < titles(120) < titles(360)
    assert {"CPU/GPU", "dtype", "weights", "memory", "RMSD"} <= titles(360)


def test_columns_of_a_gpu_are_there_only_where_there_is_one(cpu_table, gpu_table):
    assert "CPU/GPU" in render_terminal(gpu_table, 160)
    assert "CPU/GPU" not in render_terminal(cpu_table, 160)


def test_a_run_on_the_gpu_alone_has_no_empty_cpu_column(gpu_table):
    rows = tuple(row for row in gpu_table.rows if row.device == "cuda")
    text = render_terminal(dataclasses.replace(gpu_table, rows=rows, geometric_means=()), 80)
    row = next(line for line in text.splitlines() if line.startswith("Nequix MP-1"))
    assert re.match(r"Nequix MP-1 +31\.0 \[[\d., ]+\] +1355 \[[\d, ]+\] +\d +37", row)


def test_no_time_stands_without_its_interval_or_a_dash(gpu_table):
    text = render_terminal(gpu_table, 120)
    rows = text[text.index("────") :].split("\n\n")[0].splitlines()[1:]
    assert len(rows) == 7
    for row in rows:
        after_name = row[34:]
        for number in re.findall(r"\d+\.\d+(?!\d| \[)", re.sub(r"\[[^]]*\]", "[]", after_name)):
            assert number in {"0.15", "43.55", "35.95", "471.18", "76.56"}, row  # the paper states none


def test_the_head_says_what_was_measured_where(cpu_table):
    text = words(render_terminal(cpu_table, 80))
    for part in (
        "20261122-105712",
        "commit 8bc89d6f0a1b",
        "Intel Xeon Processor (SapphireRapids)",
        "2 cores",
        "no GPU",
        "1 (2 threads at once did 1.07 times the work of one here)",
        "naphthalene-md17: 101 structures of C10H8",
        "fmax 0.05 eV/Å",
        "120 to 300 s per method",
    ):
        assert part in text


def test_a_failure_is_a_row_and_its_reason_stands_below(cpu_table):
    text = render_terminal(cpu_table, 100)
    assert re.search(r"(?m)^SevenNet-l3i5 +out-of-memory +– +– +–", text)
    assert "out-of-memory: memory ran out" in words(text)


def test_random_weights_are_named_in_the_row_itself_and_below(cpu_table):
    text = words(render_terminal(cpu_table, 120))
    assert "eqV2 M (random weights)" in text
    assert "Random weights: the speed is right, the energies mean nothing" in text


def test_fifteen_methods_fit_on_a_screen_of_80_columns(cpu_table):
    (row,) = [row for row in cpu_table.rows if row.method == "7net-0"]
    count = 15 - len(cpu_table.rows)
    more = [dataclasses.replace(row, method=f"m{i}", label=f"Potential number {i}") for i in range(count)]
    disturbed = tuple(Disturbance(f"m{i}", "cpu", 0, ("other processes",), MEASURED_AGAIN) for i in range(count))
    changed = dataclasses.replace(cpu_table, rows=(*cpu_table.rows, *more), disturbances=disturbed)
    lines = render_terminal(changed, 80).splitlines()
    # seven of these are names too long for a line, two are about a row of first steps, three name the hidden columns,
    # and means have all their methods
    assert len(lines) <= 54
    assert sum(line.startswith("Potential number") for line in lines) == count
    text = words(" ".join(lines))
    assert f"{count} rounds of {count} methods were disturbed by other processes; they are in the means." in text
    assert "'pesbench explain NAME'" in text


def test_what_a_terminal_leaves_out_is_in_the_formats_for_papers(cpu_table):
    assert "the scatter of the rounds" in words(render(cpu_table, "markdown"))
    assert "the scatter of the rounds" not in words(render_terminal(cpu_table, 80))


def test_the_footer_names_the_methods_that_each_mean_is_over(cpu_table):
    text = words(render_terminal(cpu_table, 80))
    assert re.search(
        r"force field over MLIPs 542 \[\d+, \d+\], mean of Nequix MP-1, SevenNet-0; against UFF \(Open Babel CG\);",
        text,
    )
    assert re.search(r"MLIPs over DFT \d+ \[–\], mean of", text)


def test_structures_that_stopped_at_the_cap_have_a_column_of_their_own(cpu_table):
    rows = tuple(dataclasses.replace(row, converged=90) if row.method == "7net-0" else row for row in cpu_table.rows)
    assert "conv." in render_terminal(dataclasses.replace(cpu_table, rows=rows), 200)
    assert "conv." not in render_terminal(cpu_table, 200)


def test_colours_are_there_only_when_asked_for(cpu_table):
    assert "\x1b[" not in render_terminal(cpu_table, 80)
    assert "\x1b[31m" in render_terminal(cpu_table, 80, color=True)


def test_the_head_says_what_is_special_about_a_single_system(cpu_table):
    slab = SystemFacts("slab", "Cu8", 8, periodic="TTF", fixed=4, frames=(0,))
    facts = DataSetFacts("slab.xyz", "the user's file", formula="Cu8", count=1, total=1, systems=(slab,))
    head = dict(
        heading(dataclasses.replace(cpu_table, description=dataclasses.replace(cpu_table.description, dataset=facts)))
    )
    assert head["Data set"] == "slab.xyz: 1 structure of Cu8, periodic T T F, 4 atoms fixed; the user's file"


@pytest.mark.parametrize("which", ["cpu_table", "gpu_table", "both_gpu_table", "replay_table"])
def test_columns_without_room_are_named_and_wide_shows_them(which, request):
    table = request.getfixturevalue(which)
    narrow, wide = render_terminal(table, 80), render_terminal(table, 80, wide=True)
    shown = {one.heading for one in fitting(table, 80)}
    left_out = [one.title for one in columns(table) if one.heading not in shown]
    assert f"{len(left_out)} columns hidden: {', '.join(dict.fromkeys(left_out))}; 'table --wide' shows" in words(
        narrow
    )
    assert "hidden" not in wide
    head = wide.split("\n\n")[1].split("\u2500")[0]
    assert all(part in head for one in columns(table) for part in one.title_lines)
    assert wide.split("\n\n")[0] == narrow.split("\n\n")[0], "only the table itself is wide"


def test_nothing_is_said_where_all_columns_have_room(cpu_table):
    assert "hidden" not in render_terminal(cpu_table, 400)
