from __future__ import annotations

import math

import pandas as pd
import pytest
from synthetic import campaign, method, relaxations, replays

from bench.analysis.summary import summarise
from bench.analysis.table import Published, Row, Table

NONE = relaxations("none", 1.0, count=1)[:0]
PAPER = {
    "eqv2-m": Published("eqv2-m", "eqV2 M", "mlip", 471.18, 76.56, None, ""),
    "nequix-mp-1": Published("nequix-mp-1", "Nequix", "mlip", 43.55, 35.95, None, ""),
    "uff": Published("uff", "UFF", "force-field", 0.15, None, None, ""),
}
BOTH = ["relax", "replay"]


def table_of(
    methods: list[dict],
    paths: list[pd.DataFrame] | None = None,
    frames: list[pd.DataFrame] | None = None,
    protocols: list[str] | None = None,
) -> Table:
    made = campaign()
    if protocols:
        made["settings"] |= {"protocols": protocols, "replay_points": 10}
    return summarise(
        made,
        pd.DataFrame(methods),
        pd.concat(frames, ignore_index=True) if frames else NONE,
        replays=pd.concat(paths, ignore_index=True) if paths else None,
        paper=PAPER,
    )


def rows_of(*arguments, **keywords) -> dict[tuple[str, str, str], Row]:
    return {(row.method, row.protocol, row.device): row for row in table_of(*arguments, **keywords).rows}


def replay_row(paths: pd.DataFrame, **changes) -> Row:
    (row,) = table_of([method("a", **changes)], [paths], protocols=["replay"]).rows
    return row


def claim(table: Table, text: str):
    (found,) = (claim for claim in table.claims if text in claim.text)
    return found


def note_with(table: Table, text: str) -> str:
    found = [note for note in table.notes if text in note]
    assert len(found) == 1, table.notes
    return found[0]


def test_a_replay_row_has_the_time_of_a_force_call_and_none_of_a_step():
    row = replay_row(replays("a", 58.0))
    assert row.ms_per_step is None
    assert row.time is row.calculator_ms_per_call
    assert row.time.estimate == pytest.approx(58.0)
    assert row.time.low < 58.0 < row.time.high
    assert (row.interval_over, row.optimizer) == ("structures", None)
    assert (row.done, row.converged, row.total) == (101, 101, 101)
    assert (row.rounds, row.round_spread) == (3, pytest.approx(math.exp(0.02)))
    assert row.steps_per_structure is row.force_calls_per_step is row.calculator_share is row.rmsd_median is None


def test_a_structures_figure_is_the_time_of_all_its_calls_over_their_number_its_rounds_in_a_geometric_mean():
    paths = replays("a", 1.0, count=1, rounds=2).assign(calculator_ns=[20e6, 16e6], force_calls=[10, 2])
    row = replay_row(paths)
    assert row.time.estimate == pytest.approx(4.0)  # of 2 and 8
    assert row.time.low is None


def test_failed_paths_are_counted_and_not_timed_and_censored_ones_are_timed_and_not_done():
    paths = replays("a", 10.0, count=3, rounds=1).assign(
        status=["converged", "censored", "failed"],
        failure=[None, None, "nan"],
        message=[None, None, "the energy is nan"],
        force_calls=[10, 4, 7],
        calculator_ns=[20e6, 32e6, 7e12],
    )
    row = replay_row(paths)
    assert row.time.estimate == pytest.approx(4.0)
    assert (row.done, row.failures, row.message) == (1, {"nan": 1}, "the energy is nan")


def test_an_outlying_path_is_flagged():
    paths = replays("a", 10.0)
    paths.loc[paths["structure"] == 17, "calculator_ns"] *= 10.0
    assert replay_row(paths).outliers == 1


def test_the_papers_step_is_compared_with_the_call():
    row = replay_row(replays("a", 87.1), paper="nequix-mp-1")
    assert row.paper_ms_per_step == 43.55
    assert row.ratio_to_paper.estimate == pytest.approx(2.0)
    assert row.ratio_to_paper.low == pytest.approx(row.time.low / 43.55)


def test_a_step_of_another_optimiser_than_bfgs_is_not_compared_with_a_call():
    methods = [method("uff", kind="force-field", paper="uff", optimizer="native")]
    rows = rows_of(methods, [replays("uff", 0.04)], [relaxations("uff", 0.15, native=True)], protocols=BOTH)
    assert rows["uff", "relax", "cpu"].ratio_to_paper.estimate == pytest.approx(1.0)
    assert rows["uff", "replay", "cpu"].paper_ms_per_step is None
    assert rows["uff", "replay", "cpu"].ratio_to_paper is None


@pytest.mark.parametrize("protocols", [["relax"], ["replay"], BOTH])
def test_there_is_a_row_for_each_protocol_and_for_random_weights_a_replay_row_alone(protocols):
    methods = [method("a"), method("r", weights="random"), method("broken", failure="crash", weights=None)]
    paths, frames = [replays("a", 50.0), replays("r", 800.0)], [relaxations("a", 55.0), relaxations("r", 700.0)]
    rows = rows_of(methods, paths, frames, protocols=protocols)
    expected = {(name, protocol, "cpu") for name in ("a", "broken") for protocol in protocols}
    assert set(rows) == expected | {("r", "replay", "cpu")}
    assert rows["r", "replay", "cpu"].time.estimate == pytest.approx(800.0)
    assert all(rows["broken", protocol, "cpu"].failures == {"crash": 1} for protocol in protocols)


def test_an_older_run_that_names_no_protocols_has_relaxations():
    assert set(rows_of([method("a")], frames=[relaxations("a", 55.0)])) == {("a", "relax", "cpu")}


def test_a_random_method_that_could_not_start_on_one_device_has_a_replay_row_there_too():
    methods = [method("r", weights="random"), method("r", "cuda", weights=None, failure="no-device")]
    rows = rows_of(methods, [replays("r", 800.0)])
    assert set(rows) == {("r", "replay", "cpu"), ("r", "replay", "cuda")}
    assert rows["r", "replay", "cuda"].failures == {"no-device": 1}


def test_a_method_that_was_never_replayed_has_an_empty_replay_row():
    row = rows_of([method("a")], None, [relaxations("a", 55.0)], protocols=BOTH)["a", "replay", "cpu"]
    assert (row.time, row.done, row.rounds, row.failures) == (None, 0, 0, {})


def test_rows_are_sorted_by_the_time_that_they_are_about_relaxations_first_within_a_method():
    methods = [method("slow"), method("r", weights="random"), method("fast"), method("fast", "cuda")]
    # by its call the slow one would come first
    paths = [replays("slow", 1.0), replays("r", 60.0), replays("fast", 45.0), replays("fast", 5.0, "cuda")]
    frames = [relaxations("slow", 90.0), relaxations("fast", 50.0), relaxations("fast", 6.0, "cuda")]
    assert list(rows_of(methods, paths, frames, protocols=BOTH)) == [
        ("fast", "relax", "cpu"),
        ("fast", "relax", "cuda"),
        ("fast", "replay", "cpu"),
        ("fast", "replay", "cuda"),
        ("r", "replay", "cpu"),
        ("slow", "relax", "cpu"),
        ("slow", "replay", "cpu"),
    ]


def test_the_gain_of_a_gpu_is_that_of_the_call_in_a_replay_row():
    methods = [method("a"), method("a", "cuda")]
    paths = [replays("a", 100.0), replays("a", 10.0, "cuda")]
    rows = rows_of(methods, paths, [relaxations("a", 100.0), relaxations("a", 50.0, "cuda")], protocols=BOTH)
    assert rows["a", "relax", "cuda"].speedup_over_cpu.estimate == pytest.approx(2.0)
    assert rows["a", "replay", "cuda"].speedup_over_cpu.estimate == pytest.approx(10.0)
    assert rows["a", "replay", "cpu"].speedup_over_cpu is None


def test_means_never_mix_protocols_and_random_weights_are_in_those_over_replays_only():
    methods = [method("ff", kind="force-field"), method("a"), method("r", weights="random")]
    paths = [replays("ff", 0.1), replays("a", 40.0), replays("r", 90.0)]
    frames = [relaxations("ff", 0.2), relaxations("a", 50.0), relaxations("r", 5000.0)]
    means = table_of(methods, paths, frames, protocols=BOTH).geometric_means
    assert [(mean.name, mean.protocol) for mean in means] == [
        ("force field over MLIPs", "relax"),
        ("force field over MLIPs", "replay"),
    ]
    relaxed, replayed = means
    assert (relaxed.methods, replayed.methods) == (("a",), ("a", "r"))
    assert relaxed.estimate == pytest.approx(250.0)
    assert replayed.estimate == pytest.approx(600.0)
    assert replayed.low < 600.0 < replayed.high


def test_a_random_row_beside_relaxations_enters_no_mean():
    methods = [method("ff", kind="force-field"), method("r", weights="random")]
    assert table_of(methods, [replays("r", 90.0)], [relaxations("ff", 0.2)], protocols=["relax"]).geometric_means == ()


def test_claims_are_judged_by_relaxations_where_there_are_some():
    methods = [method("eqv2-m", paper="eqv2-m"), method("nequix-mp-1", paper="nequix-mp-1")]
    paths = [replays("eqv2-m", 100.0), replays("nequix-mp-1", 40.0)]
    frames = [relaxations("eqv2-m", 800.0), relaxations("nequix-mp-1", 40.0)]
    found = claim(table_of(methods, paths, frames, protocols=BOTH), "Nequix on the CPU")
    assert (found.verdict, found.protocol, found.random) == ("holds", "relax", ())
    assert found.figure == pytest.approx(20.0)


def test_claims_are_else_judged_by_replays_with_random_weights_and_say_so():
    methods = [
        method("eqv2-m", label="eqV2 M", paper="eqv2-m", weights="random"),
        method("nequix-mp-1", paper="nequix-mp-1"),
    ]
    paths = [replays("eqv2-m", 800.0), replays("nequix-mp-1", 40.0)]
    table = table_of(methods, paths, [relaxations("nequix-mp-1", 8.0)], protocols=BOTH)
    found = claim(table, "Nequix on the CPU")
    assert (found.verdict, found.protocol, found.random) == ("holds", "replay", ("eqv2-m",))
    assert found.figure == pytest.approx(20.0)
    assert "], replay, random weights for eqV2 M)" in note_with(table, "claims")


def test_no_claim_is_judged_by_a_call_over_a_step():
    methods = [method("eqv2-m", paper="eqv2-m", weights="random"), method("nequix-mp-1", paper="nequix-mp-1")]
    table = table_of(methods, [replays("eqv2-m", 800.0)], [relaxations("nequix-mp-1", 8.0)], protocols=["relax"])
    assert claim(table, "Nequix on the CPU").verdict == "not measured"


def test_the_other_claims_fall_back_on_replays_too():
    methods = [
        method("uff", kind="force-field", paper="uff"),
        method("grace", paper="grace-2l-oam", weights="random"),
        method("grace", "cuda", paper="grace-2l-oam", weights="random"),
        method("dft", kind="dft"),
    ]
    paths = [replays("uff", 0.1), replays("grace", 50.0), replays("grace", 8.0, "cuda"), replays("dft", 50_000.0)]
    table = table_of(methods, paths, protocols=["replay"])
    for text, figure in (("a force field", 500.0), ("DFT", 1000.0), ("GRACE", 6.25)):
        found = claim(table, text)
        assert (found.verdict, found.protocol, found.random) == ("holds", "replay", ("grace",))
        assert found.figure == pytest.approx(figure)


def test_a_note_says_what_replay_and_random_weights_are_and_explains_the_mark():
    methods = [method("a", label="A"), method("r", label="eqV2 M", weights="random")]
    paths, frames = [replays("r", 800.0)], [relaxations("a", 50.0)]
    table = table_of(methods, paths, frames, protocols=["relax"])
    text = note_with(table, "Random weights")
    assert "eqV2 M" in text and "A." not in text and "ʳ marks" in text
    assert "force call" in note_with(table, "Replay:")


def test_where_nothing_was_relaxed_there_is_no_mark_to_explain():
    table = table_of([method("r", weights="random")], [replays("r", 800.0)], protocols=["relax"])
    assert "ʳ" not in note_with(table, "Random weights")


def test_a_table_of_relaxations_says_nothing_about_replay():
    table = table_of([method("a")], None, [relaxations("a", 50.0)], protocols=["relax"])
    assert not any("eplay" in note or "Random" in note for note in table.notes)


def test_a_checkpoint_that_only_the_user_vouches_for_is_named_once():
    mine = {"file": "mine.model", "sha256": "feedbeef" * 8, "known_by": "user"}
    methods = [method("a", label="A", checkpoint=mine), method("b", label="B")]
    methods += [method("c", label="C", checkpoint=None), method("d", label="D", checkpoint={"file": "r", "seed": 0})]
    names = "abcd"
    table = table_of(methods, [replays(n, 9.0) for n in names], [relaxations(n, 9.0) for n in names], protocols=BOTH)
    text = note_with(table, "vouches")
    assert text.count("A (mine.model, SHA-256 feedbeeffeed)") == 1
    assert not any(f"{label} (" in text for label in "BCD")


def test_an_interpreter_that_the_user_brought_is_named_with_its_differences():
    brought = {"python": "3.12.1", "brought": "torch 2.1.0 instead of ==2.13.0"}
    methods = [method("a", label="A", environment=brought), method("b", label="B")]
    table = table_of(methods, None, [relaxations("a", 9.0), relaxations("b", 9.0)])
    assert note_with(table, "brought").endswith("A (torch 2.1.0 instead of ==2.13.0).")


def test_a_plain_run_names_neither_checkpoints_nor_interpreters():
    plain = {name: value for name, value in method("a").items() if name not in ("checkpoint", "environment")}
    for methods in ([method("a")], [plain]):
        table = table_of(methods, None, [relaxations("a", 9.0)])
        assert not any("vouches" in note or "brought" in note for note in table.notes)
