"""What a table says about joules: which columns there are, and which notes."""

import dataclasses

import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations, replays

from bench.analysis.joules import BLOCKS, OVERHEAD, SHORT, STILL
from bench.analysis.summary import summarise
from bench.core.description import EnergyCounter
from bench.render.columns import columns
from bench.render.lines import lines
from bench.render.notes import REPLAY_MARK, notes

CPU = EnergyCounter(("package-0",), 41.6)
GPU = EnergyCounter(("GPU",), 25.2)
VIRTUAL = EnergyCounter(missing="no powercap here: a virtual machine")


def block(name, device="cpu", part="relax", round=0, **changes):
    fields = dict.fromkeys(BLOCKS) | {
        "method": name,
        "device": device,
        "round": round,
        "part": part,
        "seconds": 10.0,
        "work_s": 9.0,
        "cpu_joules": 1000.0,
        "cpu_idle_watts": 41.6,
    }
    return fields | changes


def table_of(methods, relaxed, blocks, energy, paths=()):
    described = campaign(settings={"protocols": ("relax", "replay") if paths else ("relax",)})
    described = dataclasses.replace(described, machine=dataclasses.replace(described.machine, energy=energy))
    counted = pd.DataFrame(blocks, columns=list(BLOCKS), dtype=object)
    return summarise(measurements(methods, relaxed, paths, described, joules=counted))


def said(table):
    return [note for note in notes(table) if "joules" in note.lower()]


def cells(table):
    """Return the text of each column of joules in each line."""
    return {
        column.heading: [column.text(line) for line in lines(table)]
        for column in columns(table)
        if "joules" in column.title
    }


ONE = relaxations("a", 50.0, rounds=1)


def test_joules_are_shown_gross_and_net_and_explained():
    table = table_of([method("a")], [ONE], [block("a")], {"cpu": CPU})
    found = cells(table)
    assert list(found) == [
        *("joules CPU, per step", "net joules CPU, per step"),
        *("joules CPU, per molecule", "net joules CPU, per molecule"),
    ]
    assert found["joules CPU, per step"][0].startswith("5.00 [")
    assert found["net joules CPU, per step"][0].startswith("2.92 [")
    (note,) = said(table)
    assert note.startswith("Joules are the mean power")
    assert note.endswith("Net: less the idle power before the campaign (CPU 42 W).")
    assert "GPU" not in note


def test_a_force_call_among_steps_is_marked():
    table = table_of(
        [method("a"), method("r", weights="random")],
        [ONE],
        [block("a"), block("r", part="replay")],
        {"cpu": CPU},
        paths=[replays("r", 20.0, rounds=1)],
    )
    marked = [text for text in cells(table)["joules CPU, per step"] if text.endswith(REPLAY_MARK)]
    assert [text.startswith("2.00 [") for text in marked] == [True]


def test_without_a_counter_there_is_no_column_and_a_note_says_why():
    table = table_of([method("a")], [ONE], [], {"cpu": VIRTUAL})
    assert cells(table) == {}
    assert said(table) == ["No joules on the CPU (no powercap here: a virtual machine)."]


def test_a_run_in_which_nobody_looked_for_counters_says_nothing():
    assert said(table_of([method("a")], [ONE], [], {})) == []


def test_a_gpu_without_the_cpus_counter_has_only_its_own_joules_and_the_note_says_so():
    on_gpu = block("a", "cuda", cpu_joules=None, cpu_idle_watts=None, device_joules=3000.0, device_idle_watts=25.2)
    both = [method("a"), method("a", "cuda")]
    table = table_of(both, [ONE, relaxations("a", 20.0, "cuda", rounds=1)], [on_gpu], {"cpu": VIRTUAL, "cuda": GPU})
    assert cells(table)["joules GPU, per step"][0].startswith("6.00 [")
    meaning, missing = said(table)
    assert "on a GPU also of the whole GPU" in meaning
    assert "Only of the GPU, without the CPU (no powercap here: a virtual machine): a." in meaning
    assert "(GPU 25 W)" in meaning
    assert missing == "No joules on the CPU (no powercap here: a virtual machine)."


@pytest.mark.parametrize(
    ("changes", "reason", "note"),
    [
        ({"seconds": 3.0, "work_s": 2.9}, SHORT, "No joules where every round has less than 5 s of work: a."),
        (
            {"work_s": 2.0},
            OVERHEAD,
            "No joules where less than half of a round's time is the method's own work: a.",
        ),
        ({"cpu_joules": 0.0}, STILL, "No joules where the counter stood still during the work: a."),
    ],
)
def test_a_row_without_joules_is_named_with_the_reason(changes, reason, note):
    table = table_of([method("a"), method("b")], [ONE], [block("a", **changes)], {"cpu": CPU})
    assert table.rows[0].energy.no_joules == reason
    assert said(table) == [note]


def test_no_more_power_than_idle_is_told():
    table = table_of([method("a")], [ONE], [block("a", cpu_joules=400.0)], {"cpu": CPU})
    assert "No net joules where a round took no more power than the idle machine: a." in said(table)
    assert "net joules CPU, per step" not in cells(table)
