from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations, replays

from bench.analysis.methods import MeasuredMethod
from bench.analysis.summary import summarise
from bench.analysis.table import Published, Row, Table

PAPER = {
    "eqv2-m": Published("eqv2-m", "eqV2 M", "mlip", 471.18, 76.56, None, ""),
    "nequix-mp-1": Published("nequix-mp-1", "Nequix", "mlip", 43.55, 35.95, None, ""),
    "uff": Published("uff", "UFF", "force-field", 0.15, None, None, ""),
}
BOTH = ("relax", "replay")


def table_of(
    methods: list[MeasuredMethod],
    paths: Sequence[pd.DataFrame] = (),
    relaxed: Sequence[pd.DataFrame] = (),
    protocols: tuple[str, ...] = ("relax",),
) -> Table:
    made = campaign(settings={"protocols": protocols, "replay_points": 10})
    return summarise(measurements(methods, relaxed, paths, made), paper=PAPER)


def rows_of(*arguments, **keywords) -> dict[tuple[str, str, str], Row]:
    return {(row.method, row.protocol, row.device): row for row in table_of(*arguments, **keywords).rows}


def replay_row(paths: pd.DataFrame, **changes) -> Row:
    (row,) = table_of([method("a", **changes)], [paths], protocols=("replay",)).rows
    return row


def test_a_replay_row_has_the_time_of_a_force_call_and_none_of_a_step():
    row = replay_row(replays("a", 58.0))
    assert row.ms_per_step is None
    assert row.time is row.calculator_ms_per_call
    assert row.time.estimate == pytest.approx(58.0)
    assert row.time.low < 58.0 < row.time.high
    assert (row.interval_over, row.optimizer) == ("structures", None)
    assert (row.done, row.converged, row.total) == (101, 101, 101)
    assert (row.rounds, row.round_spread) == (3, pytest.approx(math.exp(0.02)))
    assert (
        row.relaxation.steps_per_structure
        is row.relaxation.force_calls_per_step
        is row.calculator_share
        is row.relaxation.rmsd_median
        is None
    )


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


@pytest.mark.parametrize("protocols", [("relax",), ("replay",), BOTH])
def test_there_is_a_row_for_each_protocol_and_for_random_weights_a_replay_row_alone(protocols):
    methods = [method("a"), method("r", weights="random"), method("broken", failure="crash", weights=None)]
    paths, relaxed = [replays("a", 50.0), replays("r", 800.0)], [relaxations("a", 55.0), relaxations("r", 700.0)]
    rows = rows_of(methods, paths, relaxed, protocols=protocols)
    expected = {(name, protocol, "cpu") for name in ("a", "broken") for protocol in protocols}
    assert set(rows) == expected | {("r", "replay", "cpu")}
    assert rows["r", "replay", "cpu"].time.estimate == pytest.approx(800.0)
    assert all(rows["broken", protocol, "cpu"].failures == {"crash": 1} for protocol in protocols)


def test_a_random_method_that_could_not_start_on_one_device_has_a_replay_row_there_too():
    methods = [method("r", weights="random"), method("r", "cuda", weights=None, failure="no-device")]
    rows = rows_of(methods, [replays("r", 800.0)])
    assert set(rows) == {("r", "replay", "cpu"), ("r", "replay", "cuda")}
    assert rows["r", "replay", "cuda"].failures == {"no-device": 1}


def test_a_method_that_was_never_replayed_has_an_empty_replay_row():
    row = rows_of([method("a")], (), [relaxations("a", 55.0)], protocols=BOTH)["a", "replay", "cpu"]
    assert (row.time, row.done, row.rounds, row.failures) == (None, 0, 0, {})


def test_rows_are_sorted_by_the_time_that_they_are_about_relaxations_first_within_a_method():
    methods = [method("slow"), method("r", weights="random"), method("fast"), method("fast", "cuda")]
    # by its call the slow one would come first
    paths = [replays("slow", 1.0), replays("r", 60.0), replays("fast", 45.0), replays("fast", 5.0, "cuda")]
    relaxed = [relaxations("slow", 90.0), relaxations("fast", 50.0), relaxations("fast", 6.0, "cuda")]
    assert list(rows_of(methods, paths, relaxed, protocols=BOTH)) == [
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
    relaxed = [relaxations("ff", 0.2), relaxations("a", 50.0), relaxations("r", 5000.0)]
    means = table_of(methods, paths, relaxed, protocols=BOTH).geometric_means
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
    assert table_of(methods, [replays("r", 90.0)], [relaxations("ff", 0.2)], protocols=("relax",)).geometric_means == ()
