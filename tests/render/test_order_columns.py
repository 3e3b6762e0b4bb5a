"""The columns that say what is ordered: the places that a method can have, and how many times slower it is than one."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import pytest
from synthetic import campaign, measurements, method, relaxations, replays

from bench.analysis.ordering import Ranks, Relative
from bench.analysis.summary import summarise
from bench.render.columns import columns
from bench.render.glossary import meaning, named
from bench.render.lines import lines
from bench.render.notes import notes
from bench.render.page.sections import SECTIONS, Measured
from bench.render.tables import render

PLACES = {
    "uff": (Ranks(1, 1), Relative("nequix-mp-1", 0.0025, 0.0024, 0.0026)),
    "gfn2-xtb": (Ranks(2, 2), Relative("nequix-mp-1", 0.398, 0.391, 0.406)),
    "nequix-mp-1": (Ranks(3, 3), Relative("nequix-mp-1", 1.0, 1.0, 1.0)),
    "7net-0": (Ranks(4, 6), Relative("nequix-mp-1", 1.8564, 1.791, 1.924)),
    "eqv2-m": (Ranks(4, 6), None),
    "pbe0-def2-svp": (Ranks(5, 6), Relative("nequix-mp-1", 547.9, None, None)),
}


@pytest.fixture(scope="module")
def ordered(stepped_table):
    """Return a table with places made by hand."""
    rows = [
        dataclasses.replace(
            row, rank=PLACES.get(row.method, (None, None))[0], relative=PLACES.get(row.method, (0, None))[1]
        )
        for row in stepped_table.rows
    ]
    return dataclasses.replace(stepped_table, rows=tuple(rows))


def cells(table, title):
    (column,) = (one for one in columns(table) if one.title == title)
    return {line.row.method: column.text(line) for line in lines(table)}, column


def test_a_place_is_one_number_or_the_two_ends_of_what_is_possible(ordered):
    shown, column = cells(ordered, "rank")
    assert column.unit == ""
    assert (shown["uff"], shown["7net-0"], shown["pbe0-def2-svp"]) == ("1", "4–6", "5–6")
    assert shown["7net-l3i5"] == "–", "it could not be measured"


def test_the_heading_names_to_whom_a_method_is_compared(ordered):
    shown, column = cells(ordered, "times slower")
    assert column.unit == "than Nequix MP-1"
    assert shown["7net-0"] == "1.86 [1.79, 1.92]"
    assert shown["gfn2-xtb"] == "0.40 [0.39, 0.41]"
    assert shown["nequix-mp-1"] == "1", "itself"
    assert shown["pbe0-def2-svp"] == "548 [–]"
    assert shown["eqv2-m"] == shown["7net-l3i5"] == "–"


@pytest.mark.parametrize("width", [100, 120, 200])
def test_a_terminal_of_100_columns_has_both_beside_the_time(ordered, width):
    text = render(ordered, "terminal", width=width)
    assert max(map(len, text.splitlines())) <= width
    (line,) = (line for line in text.splitlines() if line.startswith("SevenNet-0"))
    assert "113" in line
    assert "4–6  1.86 [1.79, 1.92]" in "  ".join(re.split(r"  +", line))
    assert "times slower" in text
    assert "than Nequix MP-1" in text


def test_the_figures_of_a_column_stand_below_each_other(ordered):
    text = render(ordered, "terminal", width=120).split("────")[-1].split("\n\n")[0]
    rows = [line for line in text.splitlines() if "[" in line]
    ends = {line.rindex("]") for line in rows if line.count("[") == 2 and "[–]" not in line}
    assert len(ends) == 1


def test_every_format_has_them(ordered):
    for form in ("markdown", "latex"):
        text = render(ordered, form)
        assert "times slower" in text
        assert "than Nequix MP-1" in text
        assert ("4–6" if form == "markdown" else "4--6") in text
    rows = {row["method"]: row for row in json.loads(render(ordered, "json"))["rows"]}
    assert rows["7net-0"]["rank"] == {"low": 4, "high": 6}
    assert rows["7net-0"]["relative"] == {"to": "nequix-mp-1", "estimate": 1.8564, "low": 1.791, "high": 1.924}
    assert rows["7net-l3i5"]["rank"] == {"low": None, "high": None}
    assert rows["7net-l3i5"]["relative"] == {"to": None, "estimate": None, "low": None, "high": None}
    (row,) = (row for row in csv.DictReader(io.StringIO(render(ordered, "csv"))) if row["method"] == "7net-0")
    assert (row["rank_low"], row["rank_high"]) == ("4", "6")
    assert (row["relative_to"], row["relative_estimate"]) == ("nequix-mp-1", "1.8564")


def test_the_first_section_of_the_page_has_them_and_says_what_they_mean(ordered):
    part = SECTIONS[0].make(Measured("run", ordered, {}), "choice-0")
    (grid,) = part.grids
    titles = [heading.title for heading in grid.headings]
    assert titles[:5] == ["Method", "CPU", "ms/molecule", "rank", "times slower"]
    assert "A rank such as 4–6" in part.notes[0]
    assert part.answer[0].startswith("The fastest is UFF")
    assert part.answer[-1].startswith("A whole relaxation is fastest with UFF")
    rank = titles.index("rank")
    assert grid.headings[rank].numeric
    assert [cells[rank].key for about, cells in grid.lines if about.method == "7net-0"] == [4.0]


def test_each_kind_of_device_has_columns_of_its_own(gpu_table):
    rows = [
        dataclasses.replace(row, rank=Ranks(1, 2), relative=Relative(to, 2.0, 1.9, 2.1))
        for row in gpu_table.rows
        for to in ["nequix-mp-1" if row.device == "cpu" else "7net-0"]
    ]
    shown = columns(dataclasses.replace(gpu_table, rows=tuple(rows)))
    found = {one.title: one for one in shown}
    assert [one.unit for one in shown if one.title == "rank"] == ["CPU", "GPU"]
    assert found["times slower, CPU"].unit == "than Nequix MP-1"
    assert found["times slower, GPU"].unit == "than SevenNet-0"
    assert all(meaning(title) for title in found if title.startswith(("rank", "times slower")))


def test_a_reader_finds_what_they_mean():
    assert named("rank") == "rank"
    assert named("times slower") == "times slower"


METHODS = [
    method("fast", label="Fast"),
    method("middle", label="Middle"),
    method("again", label="As fast as Middle"),
    method("random", label="Random", weights="random"),
    method("uff", kind="force-field", optimizer="native"),
]
RELAXED = [
    *(relaxations("fast", 10.0), relaxations("middle", 20.0), relaxations("again", 20.0)),
    relaxations("uff", 0.1, native=True),
]


def table_of(paths, relative_to=None, protocols=("relax",)):
    made = campaign(settings={"protocols": protocols})
    return summarise(measurements(METHODS, RELAXED, paths, made), relative_to=relative_to)


def places(table):
    return {row.method: (row.rank.low, row.rank.high) for row in table.rows if row.rank}


def test_steps_along_paths_have_a_place_among_those_of_relaxations():
    table = table_of([replays("random", 40.0, update=0.25)])
    assert places(table) == {"uff": (1, 1), "fast": (2, 2), "middle": (3, 4), "again": (3, 4), "random": (5, 5)}
    slower = {row.method: row.relative for row in table.rows}
    assert slower["random"].estimate == pytest.approx(5.0)
    assert slower["random"].low < 5.0 < slower["random"].high
    assert {one.to for one in slower.values()} == {"fast"}, "the fastest MLIP"


def test_a_force_call_alone_has_no_place_among_steps():
    table = table_of([replays("random", 40.0)])
    assert places(table) == {"uff": (1, 1), "fast": (2, 2), "middle": (3, 4), "again": (3, 4)}
    (row,) = (row for row in table.rows if row.method == "random")
    assert (row.rank, row.relative) == (None, None)
    assert not any("Not measured together" in note for note in notes(table))


def test_a_method_has_one_place_where_it_was_relaxed_and_replayed():
    paths = [replays(name, 30.0, update=0.1) for name in ("fast", "middle", "again", "random")]
    table = table_of([*paths, replays("uff", 0.05)], protocols=("relax", "replay"))
    ranked = [(row.method, row.protocol) for row in table.rows if row.rank]
    assert sorted(ranked) == [(name, "relax") for name in ("again", "fast", "middle")] + [
        ("random", "replay"),
        ("uff", "relax"),
    ]
    assert not any("Not measured together" in note for note in notes(table))


def test_in_a_run_of_calls_alone_the_calls_have_places():
    table = table_of([replays("fast", 10.0), replays("middle", 20.0)], protocols=("replay",))
    assert places(table) == {"fast": (1, 1), "middle": (2, 2)}


def test_a_reader_chooses_the_reference():
    table = table_of([replays("random", 40.0, update=0.25)], relative_to="middle")
    slower = {row.method: row.relative for row in table.rows}
    assert slower["fast"].estimate == pytest.approx(0.5)
    assert slower["middle"].estimate == 1.0
    assert {one.to for one in slower.values()} == {"middle"}


def test_an_interval_over_orders_of_magnitude_shows_them(ordered):
    rows = [
        dataclasses.replace(row, relative=Relative("nequix-mp-1", 0.0123, 1e-9, 143.4)) if row.method == "uff" else row
        for row in ordered.rows
    ]
    assert cells(dataclasses.replace(ordered, rows=tuple(rows)), "times slower")[0]["uff"] == "0.012 [0, 140]"
    rows[0] = dataclasses.replace(rows[0], relative=Relative("nequix-mp-1", 0.0009, 1e-9, 143.4))
    assert cells(dataclasses.replace(ordered, rows=tuple(rows)), "times slower")[0]["uff"] == "0.00090 [0, 140]"


@pytest.mark.parametrize(
    ("label", "heading"),
    [
        ("SevenNet-0 (11Jul2024)", "than SevenNet-0"),
        ("MACE-MP-0 (small)", "than MACE-MP-0 (small)"),
        ("Nequix of the eleventh of July", "than Nequix of the …"),
    ],
)
def test_a_long_label_is_cut_in_the_heading(ordered, label, heading):
    rows = [dataclasses.replace(row, label=label) if row.method == "nequix-mp-1" else row for row in ordered.rows]
    assert cells(dataclasses.replace(ordered, rows=tuple(rows)), "times slower")[1].unit == heading
