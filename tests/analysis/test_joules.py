"""Joules from known powers and times, gross and net, and which rounds give none."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations, replays

from bench.analysis.joules import BLOCKS, OVERHEAD, SHORT, STILL
from bench.analysis.summary import summarise

WATCHED = {"disturbed": ()}


def block(round=0, name="a", device="cpu", part="relax", watts=100.0, idle=40.0, seconds=10.0, **changes):
    """Return what was counted in a round; `watts` and `idle` are the CPU's."""
    fields = {
        "method": name,
        "device": device,
        "round": round,
        "part": part,
        "seconds": seconds,
        "work_s": 0.9 * seconds,
        "cpu_joules": watts * seconds,
        "cpu_idle_watts": idle,
        "device_joules": None,
        "device_idle_watts": None,
    }
    return fields | changes


def row_of(relaxed, blocks, device="cpu", paths=None, watched=None, protocol="relax"):
    made = measurements(
        [method("a", device)],
        [] if relaxed is None else [relaxed],
        [] if paths is None else [paths],
        campaign(settings={"protocols": ("relax", "replay")}),
        joules=pd.DataFrame(blocks, columns=list(BLOCKS), dtype=object),
        watched=watched,
    )
    (row,) = [row for row in summarise(made).rows if row.protocol == protocol]
    return row


def test_joules_per_step_are_power_times_time_gross_and_net():
    row = row_of(relaxations("a", 50.0), [block(number) for number in range(3)])
    assert (row.energy.watts, row.energy.idle_watts, row.energy.joules_of) == (100.0, 40.0, ("cpu",))
    # 50 ms at 100 W, of which 40 W would have been used anyway
    assert row.energy.joules_per_step.estimate == pytest.approx(5.0)
    assert row.energy.joules_per_step_net.estimate == pytest.approx(3.0)
    ratio = row.energy.joules_per_step.low / row.ms_per_step.low
    assert ratio == pytest.approx(0.1), "with the same power in each round, the interval is that of the time"
    assert row.energy.joules_per_step.rounds == 3
    assert (row.energy.joules_per_call, row.energy.no_joules) == (None, None)


def test_rounds_with_unlike_powers_widen_the_interval():
    steady = row_of(relaxations("a", 50.0), [block(number) for number in range(3)])
    unsteady = row_of(relaxations("a", 50.0), [block(number, watts=100.0 * 1.1 ** (number - 1)) for number in range(3)])
    assert unsteady.energy.joules_per_step.estimate == pytest.approx(5.0)
    wide, narrow = (one.energy.joules_per_step.high - one.energy.joules_per_step.low for one in (unsteady, steady))
    assert wide > 1.5 * narrow


def test_joules_per_molecule_are_an_arithmetic_mean_over_converged_relaxations():
    relaxed = relaxations("a", 50.0, count=6, rounds=3)
    relaxed.loc[relaxed["structure"] == 5, ["status", "failure"]] = ["failed", "nan"]
    row = row_of(relaxed, [block(number) for number in range(3)])
    mine = relaxed[relaxed["structure"] < 5]
    seconds = (mine["wall_ns"] - mine["harness_ns"]).astype(float) / 1e9
    geometric_over_rounds = np.exp(np.log(seconds).groupby(mine["structure"]).mean())
    assert row.energy.joules_per_molecule.estimate == pytest.approx(100.0 * geometric_over_rounds.mean())
    assert row.energy.joules_per_molecule_net.estimate == pytest.approx(60.0 * geometric_over_rounds.mean())
    assert row.energy.joules_per_molecule.n == 5


def test_a_budget_that_cuts_long_relaxations_does_not_make_them_cheap():
    rng, errors = np.random.default_rng(0), []
    truth = 100.0 * 0.05 * 40 * np.exp(0.4**2 / 2)  # W s of a step, steps, and the arithmetic mean of what scatters
    for _ in range(25):
        relaxed = relaxations("a", 50.0, count=40, rounds=1, noise=0.0)
        steps, most = 40 * np.exp(rng.normal(0.0, 0.4, 40)), 45
        each = (relaxed["step_ns"] / relaxed["steps"]).mean()
        made = np.minimum(steps, most)
        relaxed = relaxed.assign(
            steps=made,
            step_ns=each * made,
            wall_ns=each * made,
            harness_ns=0.0,
            step_calculator_ns=None,
            calculator_ns=None,
            status=np.where(steps > most, "censored", "converged"),
        )
        found = row_of(relaxed, [block(0)]).energy.joules_per_molecule
        errors.append(found.estimate / (truth * each / 50e6))
    assert 0.9 < np.mean(errors) < 1.05, "those that converged alone take 0.7 of it"


def test_where_nothing_converged_or_a_system_did_not_there_are_no_joules_of_a_molecule():
    relaxed = relaxations("a", 50.0, count=6, rounds=3)
    systems = relaxed.assign(system=relaxed["structure"] // 3)
    rows = [block(number) for number in range(3)]
    assert row_of(systems, rows).energy.joules_per_molecule is not None
    systems.loc[systems["system"] == 1, "status"] = "censored"
    assert row_of(systems, rows).energy.joules_per_molecule is None
    assert row_of(systems, rows).energy.joules_per_step is not None


def test_a_replayed_path_has_joules_per_call_and_the_power_of_its_own_blocks():
    blocks = [block(0, watts=70.0), block(0, part="replay", watts=100.0)]
    row = row_of(relaxations("a", 50.0, rounds=1), blocks, paths=replays("a", 20.0, rounds=1), protocol="replay")
    assert row.energy.joules_per_call.estimate == pytest.approx(2.0)
    assert row.energy.joules_per_call_net.estimate == pytest.approx(1.2)
    assert row.energy.joules_per_step is row.energy.joules_per_molecule is None
    assert row.joules.estimate == row.energy.joules_per_call.estimate


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seconds": 4.9}, SHORT),
        ({"work_s": 4.9}, OVERHEAD),
        ({"cpu_joules": 0.0}, STILL),
        ({"cpu_joules": None}, None),
    ],
)
def test_a_block_that_says_too_little_gives_no_joules_and_the_reason(changes, reason):
    row = row_of(relaxations("a", 50.0, rounds=1), [block(0, **changes)])
    assert (row.energy.joules_per_step, row.energy.joules_per_molecule_net, row.energy.watts) == (None, None, None)
    assert row.energy.no_joules == reason
    assert row.ms_per_step is not None


def test_only_rounds_with_a_power_count():
    row = row_of(relaxations("a", 50.0), [block(0, watts=80.0), block(1, seconds=1.0, watts=900.0)])
    assert row.energy.joules_per_step.estimate == pytest.approx(
        80.0 * 0.05 * np.exp(-0.01)
    )  # the first round is faster
    assert (row.energy.watts, row.energy.no_joules) == (80.0, None)


def test_the_power_is_the_mean_over_rounds_and_joules_of_a_molecule_are_those_over_systems():
    blocks = [block(0, watts=100.0, idle=30.0), block(1, watts=100.0, idle=30.0), block(2, watts=160.0, idle=60.0)]
    row = row_of(relaxations("a", 50.0, count=3, noise=0.0), blocks)
    assert (row.energy.watts, row.energy.idle_watts) == (pytest.approx(120.0), pytest.approx(40.0))
    relaxed = relaxations("a", 50.0, count=4, rounds=1).assign(system=[0, 0, 1, 2], wall_ns=[1e9, 3e9, 4e9, 30e9])
    row = row_of(relaxed.assign(harness_ns=0.0), [block(0)])
    assert row.energy.joules_per_molecule.estimate == pytest.approx(100.0 * (2 + 4 + 30) / 3)


def test_no_more_power_than_idle_gives_gross_joules_alone():
    row = row_of(relaxations("a", 50.0), [block(number, idle=100.0 + number - 1) for number in range(3)])
    assert row.energy.joules_per_step.estimate == pytest.approx(5.0)
    assert (row.energy.joules_per_step_net, row.energy.joules_per_molecule_net) == (None, None)


def test_an_accelerator_has_its_own_joules_and_those_of_the_cpu():
    of_gpu = {"device_joules": 3000.0, "device_idle_watts": 60.0}
    relaxed = relaxations("a", 20.0, "cuda")
    row = row_of(relaxed, [block(number, device="cuda", **of_gpu) for number in range(3)], device="cuda")
    assert (row.energy.watts, row.energy.idle_watts, row.energy.joules_of) == (400.0, 100.0, ("cpu", "cuda"))
    assert row.energy.joules_per_step.estimate == pytest.approx(8.0)
    assert row.energy.joules_per_step_net.estimate == pytest.approx(6.0)


def test_an_accelerator_is_taken_alone_in_all_rounds_where_one_lacks_the_cpu():
    of_gpu = {"device": "cuda", "device_joules": 3000.0, "device_idle_watts": 60.0}
    without = {"cpu_joules": None, "cpu_idle_watts": None}
    blocks = [block(0, **of_gpu), block(1, **of_gpu), block(2, **of_gpu | without)]
    row = row_of(relaxations("a", 20.0, "cuda"), blocks, device="cuda")
    assert (row.energy.watts, row.energy.idle_watts, row.energy.joules_of) == (300.0, 60.0, ("cuda",))
    assert row.energy.joules_per_step.estimate == pytest.approx(6.0)
    assert (
        row_of(relaxations("a", 20.0, "cuda"), [block(0, device="cuda")], device="cuda").energy.joules_per_step is None
    )


def test_without_records_of_joules_nothing_is_said():
    row = row_of(relaxations("a", 50.0), [])
    assert (row.energy.joules_per_step, row.energy.watts, row.energy.no_joules, row.energy.joules_of) == (
        None,
        None,
        None,
        (),
    )


def test_a_repeated_structure_has_the_power_of_the_repeat():
    relaxed = relaxations("a", 50.0, count=8, rounds=1, noise=0.0)
    again = relaxed.assign(round=1)
    watched = pd.DataFrame(
        [
            {"method": "a", "device": "cpu", "round": 0, "disturbed": ("noise",), "again": None},
            {"method": "a", "device": "cpu", "round": 1, "disturbed": (), "again": 0},
        ]
    )
    made = measurements(
        [method("a")],
        [pd.concat([relaxed, again[again["structure"] < 4]], ignore_index=True)],
        description=campaign(count=8, settings={"rounds": 1}),
        joules=pd.DataFrame([block(0, watts=400.0), block(1, watts=100.0)], columns=list(BLOCKS), dtype=object),
        watched=watched,
    )
    (row,) = summarise(made).rows
    # half of the structures at 100 W, the others still at 400 W: their geometric mean is 200 W
    assert row.energy.joules_per_step.estimate == pytest.approx(200.0 * 0.05)
    only = dataclasses.replace(made, watched=None)
    assert summarise(only).rows[0].energy.joules_per_step is not None
