"""Throughput, from planted records: rates, gains, the batch at half of the gain, and what ended a series."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bench.analysis.measurements import Measurements
from bench.analysis.methods import measured_methods
from bench.analysis.statistics import Estimate
from bench.core.description import Description, MethodFacts
from bench.core.failure import Failure
from bench.core.records import CENSORED, DONE, FAILED, NotMeasured, Started
from bench.core.settings import Settings
from bench.protocols.throughput import table as points
from bench.protocols.throughput.analyse import half_gain, molecules, over_rounds, throughput_table, whole_sets
from bench.protocols.throughput.figure import draw
from bench.protocols.throughput.page import pictured
from bench.protocols.throughput.plan import points_of
from bench.protocols.throughput.record import BATCH, PROCESSES, SINGLE, Throughput

A, B = 8e6, 2e6  # nanoseconds of a call, and of each molecule in it
PLANS = {(one.way, one.size): one for one in points_of(threads=1, cores=4)}
ENDED = {"structure": (0, 1, 2, 3, 4, 5), "force_calls": (20, 30, 40, 50, 60, 100), "converged": (1, 1, 1, 1, 1, 0)}
PER_MOLECULE = 300 / 5


def point(way, size, round_number=0, speed=1.0, status=DONE, **fields):
    """Return a record whose work takes what a call of a + b n takes, over a speed."""
    took = {"wall_ns": 10**9, "status": status, "failure": fields.pop("failure", None)}
    one = PLANS[way, size]
    key = {"method": "toy", "device": "cpu", "round": round_number, "way": way, "size": size}
    if status == DONE and "force_calls" not in fields:
        each = size if way == BATCH else 1
        calls, ns = 100 * each, int(100 * (A + B * each) / speed)
        several = size if way == PROCESSES else 1
        fields = {
            "force_calls": (calls,) * several,
            "force_ns": (ns,) * several,
            "relax_calls": (calls,) * several,
            "relax_ns": (2 * ns,) * several,
            "relaxed": (1,) * several,
            **({"single_calls": 50, "single_ns": int(50 * (A + B) / speed)} if way == BATCH else {"ended": ENDED}),
            **fields,
        }
    return Throughput(**key, point=one.point, threads=one.threads, **took, **fields)


def summed_up(*records, weights="none"):
    (row,) = _table(*records, weights=weights).rows
    return row


def _table(*records, weights="none"):
    description = Description(
        settings=Settings(("toy",), protocols=("throughput",)), methods={"toy": MethodFacts("Toy", "toys", "mlip")}
    )
    started = Started(
        *("toy", "cpu", 0, weights, "float64", 1, None, 0, 0, None, ()),
        settings={},
        versions={},
        thread_pools=(),
        environment={},
    )
    every = (started, *records)
    return throughput_table(
        Measurements(description, methods=measured_methods(description, every), records=every, watched=None)
    )


def three_rounds(*made, speeds=(1.0, 1.0, 1.0)):
    return [point(*each, round_number=number, speed=speed) for number, speed in enumerate(speeds) for each in made]


def test_the_rates_of_a_batch_are_those_that_were_planted():
    row = summed_up(*three_rounds((SINGLE, 1), (BATCH, 1), (BATCH, 4), (BATCH, 16)))
    assert row.single.force_calls_per_s.estimate == pytest.approx(100.0)
    sixteen = row.batch.points[-1]
    assert sixteen.force_calls_per_s.estimate == pytest.approx(1e9 * 16 / (A + 16 * B))
    assert sixteen.gain.estimate == pytest.approx(16 * (A + B) / (A + 16 * B))
    assert sixteen.rounds == 3
    assert row.batch.best is sixteen
    assert row.best is sixteen


def test_the_batch_at_half_of_the_gain_is_near_a_over_b_for_a_long_series():
    sizes = [2**power for power in range(11)]
    row = summed_up(*three_rounds((SINGLE, 1), *((BATCH, size) for size in sizes)))
    most = 1024 * (A + B) / (A + 1024 * B)
    half = (1 + most) / 2
    exact = half * A / (A + B - half * B)  # where n (a + b) / (a + b n) is half of it
    assert row.half_gain_batch == pytest.approx(exact, rel=0.06)
    assert row.batch.ended_by == points.LARGEST
    # from nothing, not from the gain of one: half of the rate is at a / b
    rate = [size / (A + B * size) for size in sizes]
    assert np.interp(0.5 / B, rate, sizes) == pytest.approx(A / B, rel=0.1)


def test_there_is_no_half_of_a_gain_that_is_none():
    slower = point(BATCH, 4)
    slower = dataclasses.replace(slower, single_ns=slower.single_ns // 100)
    assert half_gain(summed_up(point(SINGLE, 1), slower).batch.points) is None
    assert half_gain([]) is None


def test_processes_that_scale_perfectly_gain_their_number_and_those_in_line_gain_nothing():
    perfect = summed_up(*three_rounds((SINGLE, 1), (PROCESSES, 1), (PROCESSES, 4)))
    four = perfect.processes.best
    assert (four.size, four.threads) == (4, 1)
    assert four.gain.estimate == pytest.approx(4.0)
    waiting = [
        point(PROCESSES, 4, number, force_calls=(25,) * 4, force_ns=(int(100 * (A + B)),) * 4) for number in range(3)
    ]
    in_line = summed_up(*three_rounds((SINGLE, 1)), *waiting)
    assert in_line.processes.best.gain.estimate == pytest.approx(1.0)
    assert in_line.processes.best.gain.low == pytest.approx(1.0)


def test_the_interval_of_a_gain_is_that_of_rounds_and_a_drift_that_both_share_does_not_widen_it():
    row = summed_up(*three_rounds((SINGLE, 1), (BATCH, 4), speeds=(1.0, 1.7, 0.8)))
    best = row.batch.best
    assert best.force_calls_per_s.low < 0.8 * best.force_calls_per_s.estimate
    assert best.gain.low == pytest.approx(best.gain.high, rel=1e-6)
    assert best.gain.rounds == 3
    one_round = summed_up(point(SINGLE, 1), point(BATCH, 4)).batch.best
    assert one_round.gain.low is None


def test_over_rounds_is_a_geometric_mean_with_students_interval():
    found = over_rounds([1.0, 2.0, 4.0])
    assert found.estimate == pytest.approx(2.0)
    reach = 4.302653 * np.log([1, 2, 4]).std(ddof=1) / 3**0.5
    assert np.log(found.high / found.estimate) == pytest.approx(reach, rel=1e-5)
    assert found.n == 3
    assert over_rounds([]) is None
    # more rounds do not count twice, as rounds and as values
    assert over_rounds([1.0, 2.0] * 5).high < found.high


def test_relaxed_molecules_are_force_calls_in_relaxations_over_those_of_a_molecule():
    row = summed_up(*three_rounds((SINGLE, 1), (BATCH, 4), (PROCESSES, 4)))
    assert row.calls_per_molecule == pytest.approx(PER_MOLECULE)
    assert row.molecules == 6
    singly = 1e9 / (2 * (A + B)) / PER_MOLECULE
    assert row.single.relaxed_per_s.estimate == pytest.approx(singly)
    assert row.processes.best.relaxed_per_s.estimate == pytest.approx(4 * singly)
    assert row.batch.best.relaxed_per_s.estimate == pytest.approx(1e9 * 4 / (2 * (A + 4 * B)) / PER_MOLECULE)
    assert row.single.relaxed_per_s.low < singly < row.single.relaxed_per_s.high, "structures differ"


def test_molecules_are_means_over_repeated_relaxations_and_those_of_batches_do_not_count():
    again = point(SINGLE, 1, ended={"structure": (0,), "force_calls": (40,), "converged": (1,)})
    batch = point(BATCH, 4, ended={"structure": (9,), "force_calls": (1,), "converged": (1,)})
    found = molecules([point(SINGLE, 1), again])
    assert found.calls[0] == 30
    assert found.per_molecule == pytest.approx((30 + 280) / 5)
    assert molecules([]).per_molecule is None
    assert 9 not in molecules([again]).calls
    assert batch.ended["structure"] == (9,), "a worker never writes this"


def test_a_native_optimiser_that_counts_no_force_calls_is_counted_by_its_molecules():
    ended = {"structure": (0, 1), "force_calls": (None, None), "converged": (1, 1)}
    record = point(SINGLE, 1, relax_calls=(None,), relax_ns=(4 * 10**9,), relaxed=(2,), ended=ended)
    row = summed_up(record)
    assert row.single.relaxed_per_s.estimate == pytest.approx(0.5)
    assert row.calls_per_molecule is None


def test_a_round_in_which_no_molecule_ended_counts():
    """A molecule takes six seconds, and each round has two of them: one molecule ends in three rounds."""
    ended = {"structure": (0,), "force_calls": (None,), "converged": (1,)}
    rounds = [
        point(SINGLE, 1, number, relax_calls=(None,), relax_ns=(2 * 10**9,), relaxed=(int(number == 1),), ended=ended)
        for number in range(3)
    ]
    found = summed_up(*rounds).single.relaxed_per_s
    assert found.estimate == pytest.approx(1 / 6)
    assert found.low is None


def test_molecules_that_never_converge_give_no_relaxed_molecules():
    never = {**ENDED, "converged": (0,) * 6}
    row = summed_up(point(SINGLE, 1, ended=never))
    assert row.single.relaxed_per_s is None
    assert row.single.force_calls_per_s is not None
    assert row.no_relaxations == "no relaxation converged in the time"
    assert summed_up(point(SINGLE, 1, ended=never), weights="random").no_relaxations is None
    failed = point(SINGLE, 1, ended={}, failure=Failure("nan", "not finite"))
    assert summed_up(failed).no_relaxations == "nan: not finite"


@pytest.mark.parametrize(
    ("status", "kind", "ended_by"),
    [
        (CENSORED, None, points.TIME),
        (FAILED, "out-of-memory", points.MEMORY),
        (FAILED, "crash", points.CRASH),
        (FAILED, "timeout", points.CRASH),
        (FAILED, "calculator", points.FAILURE),
    ],
)
def test_what_ended_a_series_is_told(status, kind, ended_by):
    failure = Failure(kind, "as it says") if kind else None
    row = summed_up(point(SINGLE, 1), point(BATCH, 1), point(BATCH, 2), point(BATCH, 4, status=status, failure=failure))
    assert row.batch.ended_by == ended_by
    assert row.batch.why == ("as it says" if kind else None)
    assert row.batch.best.size == 2
    assert [one.rounds for one in row.batch.points] == [1, 1, 0]


def test_a_wrong_batch_in_any_round_takes_the_figures_of_batches_away():
    wrong = point(BATCH, 4, status=FAILED, failure=Failure("batch", "molecule 4"), energy_difference=0.5)
    right = [point(BATCH, 4, round_number=1), point(BATCH, 8, round_number=1)]
    row = summed_up(point(SINGLE, 1), point(BATCH, 2), wrong, *right)
    assert (row.batch.best, row.batch.ended_by, row.batch.why) == (None, points.REFUSED, "molecule 4")
    assert row.half_gain_batch is None
    assert next(one for one in row.points if (one.way, one.size) == (BATCH, 4)).energy_difference == 0.5
    assert row.measured


def test_the_best_batch_is_one_that_all_rounds_reached():
    row = summed_up(*three_rounds((SINGLE, 1), (BATCH, 1), (BATCH, 2)), point(BATCH, 4, round_number=1))
    assert row.batch.best.size == 2


def test_an_adapter_without_batches_has_no_series_of_them():
    row = summed_up(point(SINGLE, 1), point(BATCH, 1, status=FAILED, failure=Failure("no-batch", "none")))
    assert row.batch is None
    assert row.measured


def test_a_method_that_could_not_be_measured_says_why():
    assert summed_up().refused == "its time ended before anything was measured"
    failed = point(SINGLE, 1, status=FAILED, failure=Failure("nan", "not finite"))
    assert summed_up(failed).refused == "nan: not finite"
    stopped = summed_up(NotMeasured("toy", "cpu", 0, Failure("load", "no such file")))
    assert stopped.refused == "no such file"
    assert not stopped.measured


def test_rows_are_sorted_by_kind_and_then_by_speed():
    names = ("slow", "fast", "light")
    kinds = ("mlip", "mlip", "force-field")
    description = Description(
        settings=Settings(names, protocols=("throughput",)),
        methods={name: MethodFacts(name, "toys", kind) for name, kind in zip(names, kinds, strict=True)},
    )
    records = tuple(
        dataclasses.replace(point(SINGLE, 1, speed=speed), method=name)
        for name, speed in zip(names, (1.0, 9.0, 0.1), strict=True)
    )
    watched = pd.DataFrame(columns=["method", "device", "round", "disturbed", "again"])
    table = throughput_table(
        Measurements(description, methods=measured_methods(description, records), records=records, watched=watched)
    )
    assert [row.method for row in table.rows] == ["light", "fast", "slow"]


def test_the_figure_has_no_panel_for_a_series_that_is_not_there():
    table = _table(point(SINGLE, 1), point(PROCESSES, 2))
    assert "by several processes." in pictured(table) and "left" not in pictured(table)
    figure = draw(table)
    assert [axes.get_xlabel() for axes in figure.axes] == ["processes"]
    table = _table(point(SINGLE, 1), point(BATCH, 2), point(PROCESSES, 2))
    assert "left by batches, right by several processes" in pictured(table)
    figure = draw(table)
    assert [axes.get_xlabel() for axes in figure.axes] == ["molecules in a batch", "processes"]


def rate(value):
    return Estimate(value, value / 2, value * 3, 5, "structures", 3)


def row_at(system, singly, batch=None, name="m"):
    """Return a row with these relaxed molecules a second; None: none relaxed."""

    def one(way, value):
        return points.Point(way, 1, 1, 3, rate(9.0), None if value is None else rate(value))

    several = points.Series((one(BATCH, batch),), one(BATCH, batch), points.LARGEST) if batch else None
    return points.ThroughputRow(
        name, name, "mlip", "cpu", "none", system=system, single=one(SINGLE, singly), batch=several
    )


def test_a_whole_set_takes_the_sum_of_the_times_of_its_systems():
    (found,) = whole_sets([row_at("a", 10.0), row_at("b", 2.0, 4.0), row_at("c", 0.5, 0.25)])
    singly, best = 3 / (1 / 10 + 1 / 2 + 1 / 0.5), 3 / (1 / 10 + 1 / 4 + 1 / 0.5)
    assert found.systems == 3
    assert found.singly_per_hour.estimate == pytest.approx(3600 * singly)
    assert found.best_per_hour.estimate == pytest.approx(3600 * best)
    assert (found.best_per_hour.low, found.best_per_hour.high) == pytest.approx((1800 * best, 3 * 3600 * best))


def test_a_system_where_nothing_relaxed_is_left_out_of_the_whole_set():
    found = {one.method: one for one in whole_sets([row_at("a", 10.0), row_at("b", None), row_at("a", None, name="n")])}
    assert set(found) == {"m"}
    assert (found["m"].systems, found["m"].best_per_hour.estimate) == (1, pytest.approx(36_000.0))
    (some,) = whole_sets([row_at("a", 10.0), row_at("b", None, 5.0)])
    assert (some.systems, some.singly_per_hour) == (2, None), "singly, one of both is not known"


def test_a_point_has_the_largest_memory_and_difference_of_all_rounds_and_the_calls_in_turn_are_single_ones():
    made = [
        point(BATCH, 4, number, peak_memory_bytes=100 * number, energy_difference=0.1 * number) for number in (1, 2, 0)
    ]
    row = summed_up(point(SINGLE, 1, 0), *made)
    four = row.batch.points[-1]
    assert (four.peak_memory_bytes, four.energy_difference) == (200, pytest.approx(0.2))
    # 150 single calls of 10 ms in round 0, and 50 in round 1 at twice the speed
    fast = point(BATCH, 4, 1, speed=2.0)
    mixed = summed_up(point(SINGLE, 1, 0), point(BATCH, 4, 0), point(SINGLE, 1, 1), fast)
    alone = [100.0, 1e9 * 150 / (100 * (A + B) + 50 * (A + B) / 2)]
    assert mixed.single.force_calls_per_s.estimate == pytest.approx(np.sqrt(alone[0] * alone[1]))


def test_a_series_was_ended_by_what_ended_its_longest_round():
    row = summed_up(
        point(SINGLE, 1),
        *(point(BATCH, size, 0) for size in (1, 2, 4)),
        point(BATCH, 8, 0, status=CENSORED),
        point(BATCH, 1, 1),
        point(BATCH, 2, 1, status=FAILED, failure=Failure("out-of-memory", "no room")),
    )
    assert (row.batch.ended_by, row.batch.why) == (points.TIME, None)
