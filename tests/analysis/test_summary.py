from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations, steps_of

from bench.analysis.methods import MeasuredMethod
from bench.analysis.summary import summarise
from bench.analysis.table import Published, Row, Table

PAPER = {"nequix-mp-1": Published("nequix-mp-1", "Nequix", "mlip", 43.55, 35.95, None, "")}


def table_of(
    methods: list[MeasuredMethod], *relaxed: pd.DataFrame, steps: pd.DataFrame | None = None, count: int = 101
) -> Table:
    return summarise(measurements(methods, relaxed, description=campaign(count), steps=steps), paper=PAPER)


def row_of(*arguments, **keywords) -> Row:
    (row,) = table_of(*arguments, **keywords).rows
    return row


def test_the_row_has_the_numbers_that_were_put_in():
    row = row_of([method("a")], relaxations("a", 113.0))
    assert row.ms_per_step.estimate == pytest.approx(113.0)
    assert row.ms_per_step.low < 113.0 < row.ms_per_step.high
    assert row.interval_over == "structures"
    # 0.9 of a step's time is one force call, and one more call precedes the first step
    assert row.calculator_ms_per_call.estimate == pytest.approx(0.9 * 113.0)
    assert row.calculator_share == pytest.approx(0.9)
    assert row.relaxation.force_calls_per_step == pytest.approx(1.0)
    assert (row.done, row.converged, row.total) == (101, 101, 101)
    assert row.relaxation.steps_per_structure == pytest.approx(np.mean(40 + np.arange(101) % 7))
    assert row.relaxation.steps_measured == 3 * np.sum(40 + np.arange(101) % 7)
    assert row.relaxation.fmax_max == pytest.approx(0.04)
    assert row.relaxation.rmsd_median == pytest.approx(0.017, abs=0.004)
    assert (row.rounds, row.round_spread) == (3, pytest.approx(math.exp(0.02)))
    assert row.failures == {}


def test_a_native_optimiser_has_no_force_calls_and_no_share_but_a_time_per_step():
    row = row_of([method("uff", kind="force-field", optimizer="native")], relaxations("uff", 0.15, native=True))
    assert row.ms_per_step.estimate == pytest.approx(0.15)
    assert row.relaxation.force_calls_per_step is row.calculator_ms_per_call is row.calculator_share is None


def test_conjugate_gradients_make_more_force_calls_than_steps():
    relaxed = relaxations("a", 10.0, count=2, rounds=1).assign(steps=[10, 30], step_force_calls=[20, 60])
    assert row_of([method("a")], relaxed).relaxation.force_calls_per_step == pytest.approx(2.0)


def test_the_step_cap_counts_as_done_but_not_as_converged_and_a_censored_one_as_neither():
    relaxed = relaxations("a", 10.0, count=4, rounds=1).assign(
        status=["converged", "step-cap", "censored", "failed"],
        failure=[None, None, None, "nan"],
        message=[None, None, None, "the energy is nan"],
        steps=[10, 500, 60, 3],
        fmax=[0.04, 0.3, 1.0, 2.0],
    )
    row = row_of([method("a")], relaxed, count=6)
    assert (row.done, row.converged, row.total) == (2, 1, 6)
    assert row.relaxation.steps_per_structure is None, "one that ended says nothing of the one that was cut off"
    assert row.relaxation.steps_measured == 570
    assert row.relaxation.fmax_max == pytest.approx(0.04)
    assert row.failures == {"nan": 1}
    assert row.message == "the energy is nan"


def test_a_structure_that_converges_in_one_round_only_is_done_and_its_failures_are_counted():
    relaxed = relaxations("a", 10.0, count=8, rounds=3)
    bad = (relaxed["structure"] == 3) & (relaxed["round"] > 0)
    relaxed.loc[bad, ["status", "failure", "message"]] = ["failed", "crash", "the process died"]
    row = row_of([method("a")], relaxed)
    assert (row.done, row.failures) == (8, {"crash": 2})


def test_a_method_that_could_not_start_is_a_row_with_the_reason():
    row = row_of([method("a", failure="no-program", message="nwchem is not on PATH", weights=None, threads=None)])
    assert row.failures == {"no-program": 1}
    assert row.message == "nwchem is not on PATH"
    assert row.ms_per_step is None and row.weights is None and row.threads is None
    assert (row.done, row.total) == (0, 101)


def test_a_failure_of_the_whole_method_is_counted_beside_those_of_its_structures():
    relaxed = relaxations("a", 10.0, count=6, rounds=1)
    relaxed.loc[0, ["status", "failure", "message"]] = ["failed", "crash", "the process died"]
    row = row_of([method("a", failure="timeout", message="no sign of life")], relaxed)
    assert row.failures == {"timeout": 1, "crash": 1}
    assert row.ms_per_step is not None


def test_a_single_process_has_no_interval_however_many_steps_it_made_and_the_row_says_why():
    relaxed = relaxations("dft", 7520.0, count=1, rounds=1, status="censored", steps=40)
    steps = steps_of(relaxed, spread=0.2).astype({"method": "category", "device": "category"})
    row = row_of([method("dft", kind="dft")], relaxed, steps=steps)
    assert (row.ms_per_step.low, row.interval_over, row.ms_per_step.lacks) == (None, None, "one process")
    assert (row.done, row.ms_per_step.n, row.relaxation.first_steps) == (0, 1, 40)
    relaxed = relaxations("dft", 7520.0, count=1, rounds=3)
    row = row_of([method("dft", kind="dft")], relaxed)
    assert (row.ms_per_step.lacks, row.relaxation.first_steps) == ("one structure", None)


def test_the_gain_of_a_gpu_is_paired_with_the_cpu_of_the_same_method():
    methods = [method("a"), method("a", "cuda")]
    cpu, gpu = table_of(methods, relaxations("a", 100.0), relaxations("a", 20.0, "cuda")).rows
    assert cpu.speedup_over_cpu is None
    assert gpu.speedup_over_cpu.estimate == pytest.approx(5.0)
    assert gpu.speedup_over_cpu.low < 5.0 < gpu.speedup_over_cpu.high


def test_each_device_is_compared_with_the_papers_figure_for_that_device():
    methods = [method("n", paper="nequix-mp-1"), method("n", "cuda", paper="nequix-mp-1")]
    cpu, gpu = table_of(methods, relaxations("n", 87.1), relaxations("n", 35.95, "cuda")).rows
    assert (cpu.paper_ms_per_step, gpu.paper_ms_per_step) == (43.55, 35.95)
    assert cpu.ratio_to_paper.estimate == pytest.approx(2.0)
    assert gpu.ratio_to_paper.estimate == pytest.approx(1.0)
    assert cpu.ratio_to_paper.low == pytest.approx(cpu.ms_per_step.low / 43.55)


def test_rows_come_light_kinds_first_and_fast_ones_first_within_a_kind():
    methods = [
        method("dft", kind="dft"),
        method("slow"),
        method("broken", failure="crash"),
        method("fast"),
        method("fast", "cuda"),
        method("ff", kind="force-field"),
    ]
    relaxed = [relaxations(name, ms) for name, ms in (("dft", 7000.0), ("slow", 90.0), ("fast", 50.0), ("ff", 0.2))]
    table = table_of(methods, *relaxed, relaxations("fast", 500.0, "cuda"))
    order = [(row.method, row.device) for row in table.rows]
    assert order == [
        ("ff", "cpu"),
        ("fast", "cpu"),
        ("fast", "cuda"),
        ("slow", "cpu"),
        ("broken", "cpu"),
        ("dft", "cpu"),
    ]


def test_an_outlying_structure_is_flagged_and_still_in_the_mean():
    relaxed = relaxations("a", 10.0)
    relaxed.loc[relaxed["structure"] == 17, "step_ns"] *= 10.0
    row = row_of([method("a")], relaxed)
    assert row.outliers == 1
    assert row.ms_per_step.estimate == pytest.approx(10.0 * 10.0 ** (1 / 101))


def test_nothing_measured_at_all_is_still_a_table():
    table = table_of([method("a", failure="crash"), method("b", failure="crash")])
    assert len(table.rows) == 2
    assert table.geometric_means == ()


def test_a_million_steps_are_summarised_in_seconds():
    structures, names = 1667, [f"m{i}" for i in range(9)]
    relaxed = [relaxations(name, 10.0 + i, count=structures) for i, name in enumerate(names)]
    few = relaxations("dft", 7000.0, count=2)
    n = 1_000_000
    steps = pd.DataFrame(
        {
            "method": np.array([*names, "dft"], dtype=object)[np.minimum(np.arange(n) // 110_000, 9)],
            "device": "cpu",
            "round": 0,
            "structure": 0,
            "step": np.arange(n) % 50,
            "calculator_ns": 1e9 * (1 + np.arange(n) % 3),
            "optimizer_ns": 1e6,
        }
    ).astype({"method": "category", "device": "category"})
    methods = [method(name) for name in names] + [method("dft", kind="dft")]
    start = time.process_time()
    table = table_of(methods, *relaxed, few, steps=steps)
    assert time.process_time() - start < 6.0  # about 1 s here; what is quadratic in structures takes a minute
    assert all(row.ms_per_step.low is not None for row in table.rows)
