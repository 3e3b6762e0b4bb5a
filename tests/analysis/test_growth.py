"""The law of growth on planted times: its parameters, its intervals, and the size that it never saw."""

import numpy as np
import pytest
from scipy import optimize, stats
from synthetic import campaign, method

from bench.analysis.measurements import Measurements
from bench.core.failure import Failure
from bench.protocols.scaling.analyse import COMPLETE, scaling_table
from bench.protocols.scaling.crossings import crossing
from bench.protocols.scaling.growth import Law, fit
from bench.protocols.scaling.record import Size

SIZES = np.array([18 * 2**k for k in range(9)])
PLANTED = 1 + 0.002 * SIZES**1.5  # ms


def measured(times, seed, noise=0.01, rounds=3, of_round=0.02):
    """Return times of some rounds: each call scatters, and each process as a whole."""
    random = np.random.default_rng(seed)
    shape = (rounds, len(times))
    return times * np.exp(random.normal(0, noise, shape) + random.normal(0, of_round, (rounds, 1)))


def test_without_noise_the_law_is_exact():
    law = fit(SIZES, [PLANTED])
    assert law.floor == pytest.approx(1.0, rel=1e-4)
    assert law.exponent == pytest.approx(1.5, abs=1e-4)
    assert law.us_per_atom.estimate == pytest.approx(2 * SIZES[-1] ** 0.5, rel=1e-4)
    assert law.twice_floor_atoms.estimate == pytest.approx((1 / 0.002) ** (1 / 1.5), rel=1e-4)
    assert law.misfit is None


def test_planted_laws_are_found_and_their_intervals_hold():
    inside = {"floor": 0, "exponent": 0, "held out": 0}
    repeats = 60
    for seed in range(repeats):
        times = measured(PLANTED, seed)
        law = fit(SIZES[:-1], times[:, :-1])
        assert law.exponent == pytest.approx(1.5, abs=0.05)
        assert law.floor == pytest.approx(1.0, rel=0.10)
        predicted, seen = law.predict(SIZES[-1]), np.exp(np.log(times[:, -1]).mean())
        inside["held out"] += predicted.low <= seen <= predicted.high
        inside["floor"] += law.floor_ms.low <= 1.0 <= law.floor_ms.high
        inside["exponent"] += law.exponent_estimate.low <= 1.5 <= law.exponent_estimate.high
    assert all(count >= 0.9 * repeats for count in inside.values()), inside
    # and the prediction is worth something
    assert law.predict(SIZES[-1]).high / law.predict(SIZES[-1]).low < 1.2


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_a_floor_that_is_not_there_is_not_found(exponent):
    law = fit(SIZES, measured(0.5 * (SIZES / 18) ** exponent, 11))
    assert law.floor_ms.low == 0.0
    assert law.floor < 0.1
    assert law.exponent == pytest.approx(exponent, abs=0.05)


def test_a_cliff_within_the_fit_is_told():
    law = fit(SIZES, measured(np.where(SIZES >= 576, 1.8, 1.0) * PLANTED, 4))
    assert law.misfit > 0.1
    assert law.misfit_at in (288, 576)


def test_a_cliff_at_the_held_out_size_lies_outside():
    times = measured(np.where(SIZES > 2304, 1.5, 1.0) * PLANTED, 5)
    predicted = fit(SIZES[:-1], times[:, :-1]).predict(SIZES[-1])
    assert predicted.high < times[:, -1].min()


def test_too_few_sizes_give_no_law():
    assert fit(SIZES[:4], measured(PLANTED[:4], 6)) is None
    assert fit(SIZES[:5], measured(PLANTED[:5], 6)) is not None


def test_a_single_round_has_wider_intervals_from_the_misfit_alone():
    law = fit(SIZES, measured(PLANTED, 7, rounds=1))
    assert law.rounds == 1
    assert law.exponent_estimate.low < 1.5 < law.exponent_estimate.high


def test_the_crossing_of_two_laws():
    other = 10 + 0.00005 * SIZES**1.8
    first, second = fit(SIZES, measured(PLANTED, 8)), fit(SIZES, measured(other, 9))
    found = crossing(first, second)
    grid = np.geomspace(18, 4608, 100_000)
    exact = grid[np.argmax(1 + 0.002 * grid**1.5 > 10 + 0.00005 * grid**1.8)]
    assert found.atoms.low <= exact <= found.atoms.high
    assert found.atoms.estimate == pytest.approx(exact, rel=0.1)
    assert not found.first_is_faster
    assert not found.extrapolated
    turned = crossing(second, first)
    assert turned.first_is_faster
    assert turned.atoms.estimate == pytest.approx(found.atoms.estimate, rel=1e-6)


def test_one_process_has_no_interval_of_what_another_one_would_change():
    other = 10 + 0.00005 * SIZES**1.8
    first, second = (fit(SIZES, measured(times, 8, rounds=1)) for times in (PLANTED, other))
    assert (first.floor_ms.low, first.us_per_atom.low, crossing(first, second).atoms.low) == (None, None, None)
    assert first.floor_ms.lacks == "one process"
    assert first.twice_floor_atoms.low < first.twice_floor_atoms.estimate, "both parts are of the same process"


@pytest.mark.parametrize(("rounds", "of_round"), [(2, 0.05), (3, 0.2)])
def test_intervals_of_floors_and_crossings_have_the_scatter_of_processes(rounds, of_round):
    sizes = SIZES[:7]
    laws = 1 + 0.02 * sizes, 5 + 0.004 * sizes**1.1
    grid = np.geomspace(18, 4608, 100_000)
    exact = grid[np.argmax(1 + 0.02 * grid > 5 + 0.004 * grid**1.1)]
    inside = np.zeros(3)
    for seed in range(40):
        first, second = (
            fit(sizes, measured(law, 100 * k + seed, 0.01, rounds, of_round)) for k, law in enumerate(laws)
        )
        for k, (found, truth) in enumerate(
            ((first.floor_ms, 1.0), (first.us_per_atom, 20.0), (crossing(first, second).atoms, exact))
        ):
            inside[k] += found.low <= truth <= found.high
    assert (inside >= 21).all(), "without the processes it would be 5 to 15 of 25"


def test_what_a_round_does_to_both_methods_moves_no_crossing():
    random, widths = np.random.default_rng(1), []
    shared = np.exp(random.normal(0, 0.3, (4, 1)))
    for factor in (1.0, shared):
        first, second = (
            fit(SIZES, factor * measured(times, seed, rounds=4))
            for seed, times in ((8, PLANTED), (9, 10 + 0.00005 * SIZES**1.8))
        )
        atoms = crossing(first, second).atoms
        widths.append(atoms.high / atoms.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.01)


def planted(floor, scale, exponent=1.0, processes=(0.0, 0.0, 0.0), numbers=(0, 1, 2)):
    """Return a law of which everything is known but what its processes do: between 10 and 100 atoms, 50 the middle."""
    nothing = ((0.0, 0.0, 0.0),) * 3
    return Law(
        *(floor, scale, exponent, 50.0, 10, 100, 5, len(processes), 0.0, 10.0),
        *(tuple(processes), tuple(numbers), nothing, None, None),
    )


@pytest.mark.parametrize("numbers", [(0, 1, 2), (3, 4, 5)])
def test_the_ends_of_a_crossings_interval_are_those_of_students_t(numbers):
    first = planted(10.0, 0.0, processes=(-0.02, 0.03, -0.01))
    second = planted(0.0, 8.0, processes=(0.01, -0.03, 0.02), numbers=numbers)
    exact = 50.0 * 10.0 / 8.0  # 10 ms = 8 ms N / 50, and an error of the ratio is one of N
    if numbers == (0, 1, 2):
        error = np.std(np.subtract(first.processes, second.processes), ddof=1) / 3**0.5
        reach = stats.t.ppf(0.975, 2) * error
    else:  # other rounds: the errors of both add
        errors = [np.std(law.processes, ddof=1) / 3**0.5 for law in (first, second)]
        random = np.random.default_rng(1).standard_t(2, (2, 200_000))
        reach = np.percentile(errors[0] * random[0] - errors[1] * random[1], 97.5)
    for found, faster in ((crossing(first, second), True), (crossing(second, first), False)):
        assert (found.first_is_faster, found.extrapolated) == (faster, False)
        assert found.atoms.estimate == pytest.approx(exact, rel=1e-6)
        assert np.log(found.atoms.high / exact) == pytest.approx(reach, rel=0.15)
        assert np.log(exact / found.atoms.low) == pytest.approx(reach, rel=0.15)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("exact", [15.0, 300.0])
def test_laws_that_cross_nowhere_in_the_range_count_as_the_end_beyond_which_they_would(exact, turned):
    processes = (-0.4, 0.0, 0.4)
    laws = planted(10.0, 0.0, processes=processes), planted(0.0, 10.0 * 50.0 / exact)
    found = crossing(*(reversed(laws) if turned else laws))
    reach = stats.t.ppf(0.975, 2) * np.std(processes, ddof=1) / 3**0.5
    assert found.first_is_faster is not turned
    # looked for from the smallest size to four times the largest
    assert found.atoms.low == pytest.approx(max(exact * np.exp(-reach), 10.0), rel=0.15)
    assert found.atoms.high == pytest.approx(min(exact * np.exp(reach), 400.0), rel=0.15)


def test_laws_that_do_not_cross():
    first, second = fit(SIZES, measured(PLANTED, 8)), fit(SIZES, measured(5 * PLANTED, 9))
    assert crossing(first, second) is None


def test_a_crossing_beyond_the_sizes_is_marked():
    law, slower_later = fit(SIZES, [PLANTED]), fit(SIZES, [1.5 * PLANTED[-1] * (SIZES / SIZES[-1]) ** 0.9])
    found = crossing(law, slower_later)
    assert found.extrapolated
    assert SIZES[-1] < found.atoms.estimate < 4 * SIZES[-1]


@pytest.mark.parametrize(("rounds", "noise"), [(3, 0.03), (1, 0.03), (4, 0.001)])
def test_the_law_its_error_and_its_prediction_are_those_of_plain_least_squares(rounds, noise):
    """Of three rounds the scatter is the larger part, of four quiet ones the misfit of a law that does not hold."""
    truth = PLANTED * np.where(np.arange(9) % 2, 1.03, 1.0) if noise < 0.01 else PLANTED
    logs = np.log(measured(truth, 12, noise, rounds))
    means, freedom = logs.mean(axis=0), 9 - 3

    def time(at, atoms):
        return np.exp(at[0]) + np.exp(at[1]) * atoms ** at[2]

    found = optimize.least_squares(lambda at: np.log(time(at, SIZES)) - means, (0.0, -6.0, 1.4), xtol=1e-15, ftol=1e-15)
    at, variance = found.x, 2 * found.cost / freedom
    if rounds > 1:
        scatter = logs - logs.mean(axis=1, keepdims=True) - means + means.mean()
        within = (scatter**2).sum() / ((rounds - 1) * 8) / rounds
        variance, freedom = max((within, (rounds - 1) * 8), (variance, freedom))

    def slopes(atoms):
        moves = 1e-6 * np.eye(3)
        return np.array([np.log(time(at + one, atoms) / time(at - one, atoms)) for one in moves]).T / 2e-6

    law = fit(SIZES, np.exp(logs))
    assert (law.floor, law.exponent) == pytest.approx((np.exp(at[0]), at[2]), rel=1e-4)
    assert law.us_per_atom.estimate == pytest.approx(1000 * np.exp(at[1]) * 4608 ** (at[2] - 1), rel=1e-4)
    assert (law.error, law.freedom) == pytest.approx((np.sqrt(variance), freedom), rel=1e-4)
    design, here = slopes(SIZES), slopes(np.array([9216]))[0]
    spread = np.sqrt(variance * (1 + here @ np.linalg.inv(design.T @ design) @ here))
    predicted = law.predict(9216)
    assert predicted.estimate == pytest.approx(time(at, 9216), rel=1e-4)
    assert np.log(predicted.high / predicted.estimate) == pytest.approx(stats.t.ppf(0.975, freedom) * spread, rel=1e-3)
    assert np.log(predicted.estimate / predicted.low) == pytest.approx(stats.t.ppf(0.975, freedom) * spread, rel=1e-3)
    # the drawn laws scatter as the covariance says, as far as a few thousand of them tell
    two = np.array([72, 1152])
    drawn = np.log(law.drawn_times(two))
    errors = np.sqrt(np.diag(variance * slopes(two) @ np.linalg.inv(design.T @ design) @ slopes(two).T))
    assert np.median(drawn, axis=0) == pytest.approx(np.log(time(at, two)), abs=0.2 * errors.max())
    inner = np.percentile(drawn, [25, 75], axis=0)
    assert (inner[1] - inner[0]) / 2 == pytest.approx(stats.t.ppf(0.75, freedom) * errors, rel=0.15)


def sizes_of(name, times, rounds=3, **ends):
    """Return records of a series, each of three calls; `ends` are the fields of one more that was not measured."""
    made = [
        Size(
            *(name, "cpu", number, size, int(SIZES[size]), "done", 0, 10**9),
            tuple(int(1e6 * ms * share) for share in (0.5, 0.9, 1.6)),
            *(1000 + size + number, None, 0),
            edges=int(SIZES[size] * 20),
        )
        for number in range(rounds)
        for size, ms in enumerate(times)
    ]
    if not ends:
        return made
    size = len(times)
    ended = Size(name, "cpu", 0, size, int(SIZES[size]), "censored", None, None, (), None, None, 0, **ends)
    return [*made, ended]


def growth_of(*records, sizes=SIZES):
    described = campaign(settings={"protocols": ("scaling",), "sizes": tuple(map(int, sizes))})
    names = dict.fromkeys(one.method for one in records)
    return scaling_table(Measurements(described, tuple(map(method, names)), records=records))


def test_the_largest_size_of_all_rounds_is_held_out_and_the_mean_call_of_a_round_is_its_time():
    (row,) = growth_of(*sizes_of("a", PLANTED[:8]), sizes=SIZES[:8]).rows
    assert [one.ms_per_call.estimate for one in row.points] == pytest.approx(PLANTED[:8], rel=1e-6)
    assert (row.law.largest, row.held_out.atoms, row.largest_atoms) == (SIZES[6], SIZES[7], SIZES[7])
    assert row.held_out.measured_ms == pytest.approx(PLANTED[7], rel=1e-6)
    assert row.held_out.predicted.estimate == pytest.approx(PLANTED[7], rel=1e-3)
    assert row.points[3].edges_per_atom == pytest.approx(20)
    assert row.points[3].peak_memory_bytes == 1000 + 3 + 2
    assert row.ended_by == COMPLETE


def test_a_size_that_one_round_did_not_reach_is_neither_fitted_nor_held_out():
    records = sizes_of("a", PLANTED[:7])
    (row,) = growth_of(*records, sizes_of("a", PLANTED[:8], rounds=1)[-1]).rows
    assert (row.held_out.atoms, row.largest_atoms, row.ended_by) == (SIZES[6], SIZES[7], "time")
    (five,) = growth_of(*sizes_of("a", PLANTED[:5])).rows
    assert (five.law.largest, five.held_out) == (SIZES[4], None)
    (four,) = growth_of(*sizes_of("a", PLANTED[:4])).rows
    assert four.law is None


def test_what_ended_a_series_is_said():
    (row,) = growth_of(*sizes_of("a", PLANTED[:6], ended_by="memory")).rows
    assert (row.ended_by, row.message) == ("memory", "")
    (row,) = growth_of(*sizes_of("a", PLANTED[:6], failure=Failure("nan", "no number"))).rows
    assert (row.ended_by, row.message) == ("nan", "no number")


def test_crossings_are_named_by_the_method_that_is_faster_for_large_systems():
    steep = 0.2 + 0.0005 * SIZES**1.9
    found = growth_of(*sizes_of("steep", steep), *sizes_of("flat", PLANTED))
    (one,) = found.crossings
    assert (one.faster, one.slower) == ("flat", "steep")
    grid = np.geomspace(18, 4608, 100_000)
    exact = grid[np.argmax(0.2 + 0.0005 * grid**1.9 > 1 + 0.002 * grid**1.5)]
    assert one.at.atoms.estimate == pytest.approx(exact, rel=0.01)
