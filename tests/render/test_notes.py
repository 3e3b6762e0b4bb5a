"""The notes below a table: what has to be said is said, and nothing about what did not happen."""

from __future__ import annotations

import dataclasses

import pytest
from synthetic import campaign, measurements, method, relaxations, replays, steps_of

from bench.analysis.doubts import ALTERS, VARIES
from bench.analysis.summary import summarise
from bench.analysis.table import Published, Table
from bench.core.description import DataSetFacts
from bench.core.records import AS_ASKED
from bench.paper.claims import judged
from bench.render.circumstances import damaged, disturbed, elsewhere
from bench.render.notes import notes, urgent
from bench.render.tables import render

PAPER = {
    "eqv2-m": Published("eqv2-m", "eqV2 M", "mlip", 471.18, 76.56, None, ""),
    "nequix-mp-1": Published("nequix-mp-1", "Nequix", "mlip", 43.55, 35.95, None, ""),
}
BOTH = ("relax", "replay")


def table_of(methods, relaxed=(), paths=(), protocols=("relax",), paper=PAPER, steps=None, **changes) -> Table:
    made = campaign(settings={"protocols": protocols}, **changes)
    return judged(summarise(measurements(methods, relaxed, paths, made, steps=steps), paper=paper), paper)


def note_with(table: Table, text: str) -> str:
    found = [note for note in notes(table) if text in note]
    assert len(found) == 1, notes(table)
    return found[0]


def test_the_notes_say_what_a_reader_must_know():
    methods = [
        method(
            "uff", kind="force-field", label="UFF", optimizer="native", paper="uff", note="Stops at an energy change."
        ),
        method("n", label="Nequix", paper="nequix-mp-1"),
        method("dft", kind="dft", label="PBE0", threads=2),
    ]
    dft = relaxations("dft", 7000.0, count=1, rounds=1, status="censored", steps=30)
    far = relaxations("n", 50.0, rounds=1)
    far["positions"] = [xyz * 1.3 if i == 5 else xyz for i, xyz in enumerate(far["positions"])]
    embedded = DataSetFacts(name="naphthalene-gfn2", fallback="no network", count=101, total=101)
    table = table_of(methods, [relaxations("uff", 0.15, native=True), far, dft], dataset=embedded, steps=steps_of(dft))
    assert "naphthalene-gfn2" in note_with(table, "embedded")
    limits = note_with(table, "one process")
    assert "Nequix: one process, so no interval." in limits
    assert "PBE0: one process, so no interval; first 30 steps only" in limits
    one = relaxations("dft", 7000.0, count=1, rounds=1, status="censored", steps=1)
    short = table_of(methods, [one], dataset=embedded, steps=steps_of(one))
    assert "PBE0: one process, so no interval; the first step only" in note_with(short, "one process")
    assert note_with(table, "Weights: pretrained") == "Weights: pretrained for Nequix."
    assert "n of 101" in note_with(table, "time budget")
    assert "UFF (its own)" in note_with(table, "Optimiser other than BFGS")
    assert "PBE0 (2)" in note_with(table, "Threads: 1")
    assert note_with(table, "Stops at an energy change.").startswith("UFF")
    assert "1 for Nequix" in note_with(table, "0.1 Å")
    assert "i7-14700K" in note_with(table, "Husistein")
    assert "2.0 %" in note_with(table, "Rounds of the same method")
    assert "200 times faster" in note_with(table, "claims")


def test_a_published_figure_is_explained_also_beside_a_method_that_failed():
    reading = Published("scf", "PBE0", "dft", 20301.416, None, 29301.416, "Read in two ways.")
    table = table_of([method("scf", kind="dft", paper="scf", failure="no-program")], paper={"scf": reading})
    assert table.rows[0].paper_ms_per_step == 20301.416
    assert note_with(table, "Read in two ways.") == "Paper, PBE0: Read in two ways."


def test_a_whole_and_plain_run_has_no_notes_about_what_did_not_happen():
    table = table_of([method("a", label="A")], [relaxations("a", 50.0, rounds=1)])
    for text in (
        "embedded",
        "time budget",
        "Optimiser other",
        "Threads:",
        "Precision:",
        "Paper",
        "claims",
        "0.1 Å",
        "checksum",
        "brought",
    ):
        assert not any(text in note for note in notes(table)), notes(table)


def test_a_note_says_what_replay_and_random_weights_are_and_explains_the_mark():
    methods = [method("a", label="A"), method("r", label="eqV2 M", weights="random")]
    paths, relaxed = [replays("r", 800.0)], [relaxations("a", 50.0)]
    table = table_of(methods, relaxed, paths)
    text = note_with(table, "Random weights")
    assert "eqV2 M" in text and "A." not in text
    assert "eqV2 M" in note_with(table, "ʳ marks the time of a force call alone")
    assert "the time of a force call" in note_with(table, "Replay:")
    assert any("ʳ marks the time of a force call alone" in note for note in urgent(table))


def test_a_note_says_what_the_optimiser_does_along_a_path_and_there_is_no_mark():
    methods = [method("a", label="A"), method("r", label="eqV2 M", weights="random")]
    table = table_of(methods, [relaxations("a", 50.0)], [replays("r", 800.0, update=0.1)])
    assert "After each force call, BFGS does its whole update" in note_with(table, "Replay: the time of a step")
    assert not any("ʳ" in note for note in (*notes(table), *urgent(table)))


def test_where_nothing_was_relaxed_there_is_no_mark_to_explain():
    table = table_of([method("r", weights="random")], (), [replays("r", 800.0)])
    assert not any("ʳ" in note for note in (*notes(table), *urgent(table)))


def test_a_table_of_relaxations_says_nothing_about_replay():
    table = table_of([method("a")], [relaxations("a", 50.0)])
    assert not any("eplay" in note or "Random" in note for note in notes(table))


def test_a_checkpoint_that_only_the_user_can_speak_for_is_named_once():
    mine = {"file": "mine.model", "sha256": "feedbeef" * 8, "known_by": "user"}
    methods = [method("a", label="A", checkpoint=mine), method("b", label="B")]
    methods += [method("c", label="C", checkpoint=None), method("d", label="D", checkpoint={"file": "r", "seed": 0})]
    names = "abcd"
    table = table_of(methods, [relaxations(n, 9.0) for n in names], [replays(n, 9.0) for n in names], BOTH)
    text = note_with(table, "without a published checksum")
    assert text.count("A (mine.model, SHA-256 feedbeeffeed)") == 1
    assert not any(f"{label} (" in text for label in "BCD")


def test_a_method_that_could_not_be_compiled_is_named_at_once():
    why = "this machine has no C++ compiler (g++)"
    methods = [
        method(name, settings={"compiled": said})
        for name, said in (("orb", f"off: {why}"), ("uma", f"off: {why}"), ("mace", False), ("fast", True))
    ]
    table = table_of(methods, [relaxations(one.method, 10.0) for one in methods])
    note = note_with(table, "uncompiled")
    assert note == f"Measured uncompiled, although the settings ask for compilation: orb, uma: {why}."
    assert note in urgent(table)


def test_an_interpreter_that_the_user_brought_is_named_with_its_differences():
    brought = {"python": "3.12.1", "brought": "torch 2.1.0 instead of ==2.13.0"}
    methods = [method("a", label="A", environment=brought), method("b", label="B")]
    both = [relaxations("a", 9.0), relaxations("b", 9.0)]
    told = note_with(table_of(methods, both), "user-supplied Python")
    assert told.endswith(": A; other versions than the header asks for: torch 2.1.0 instead of ==2.13.0.")
    methods[1] = method("b", label="B", environment=brought | {"brought": "jax 0.4 instead of ==0.10.2"})
    told = note_with(table_of(methods, both), "user-supplied Python")
    assert told.endswith(" torch 2.1.0 instead of ==2.13.0 (A); jax 0.4 instead of ==0.10.2 (B).")
    methods[1] = method("b", label="B")
    methods[0] = method("a", label="A", environment={"brought": AS_ASKED})
    table = table_of(methods, [relaxations("a", 9.0), relaxations("b", 9.0)])
    assert note_with(table, "user-supplied Python").endswith(": A; as the header asks.")


def test_a_claim_that_random_weights_judge_says_so():
    methods = [method("m", label="eqV2 M", paper="eqv2-m", weights="random"), method("n", paper="nequix-mp-1")]
    table = table_of(methods, (), [replays("m", 800.0), replays("n", 40.0)], ("replay",))
    assert "], replay, random weights for eqV2 M)" in note_with(table, "claims")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((155,), "1 line of records.jsonl is damaged, or of another pesbench (line 155), and was skipped."),
        ((3, 7), "2 lines of records.jsonl are damaged, or of another pesbench (lines 3, 7), and were skipped."),
        ((), ""),
    ],
)
def test_lines_that_could_not_be_read_are_counted(lines, says):
    assert damaged(lines) == says
    table = dataclasses.replace(table_of([method("a")], [relaxations("a", 50.0)]), damaged=lines)
    assert any("damaged" in note for note in notes(table)) == bool(says)


def with_doubts(table: Table, *doubts: str) -> Table:
    return dataclasses.replace(table, rows=tuple(dataclasses.replace(row, doubts=doubts) for row in table.rows))


def test_a_doubt_is_in_the_row_early_and_red_and_a_note_says_what_it_means():
    table = table_of([method("a", label="A")], [relaxations("a", 50.0)])
    doubtful = with_doubts(table, f"{VARIES}: energies by up to 0.3 eV", f"{ALTERS}: positions")
    assert "A (energies by up to 0.3 eV)" in note_with(doubtful, "answers for the same structure differ")
    assert "A (positions)" in note_with(doubtful, "changes the atoms")
    assert "varies, alters atoms" in render(doubtful, "terminal", width=60)
    assert "\x1b[1;31mvaries" in render(with_doubts(table, f"{VARIES}: x"), "terminal", width=60, color=True)
    assert "answer" not in render(table, "terminal", width=60)


def test_a_device_is_named_where_it_is_not_the_cpu_and_told_apart_where_it_has_a_number():
    assert [elsewhere(device) for device in ("cpu", "cuda", "cuda:1")] == ["", " on the GPU", " on GPU 1"]
    assert disturbed((), {}) == ""
