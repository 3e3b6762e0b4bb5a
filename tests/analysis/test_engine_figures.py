"""How far engines are from their reference, and which is recommended: planted answers and times."""

import math
import types

import numpy as np
import pandas as pd
import pytest

from bench.analysis.engines import (
    Apart,
    AtSystem,
    Engine,
    Limits,
    apart,
    at_system,
    derivative,
    driver_ms,
    lists_per_call,
    ordered,
    recommended,
)
from bench.analysis.statistics import Estimate
from bench.core.description import SystemFacts
from bench.core.records import Driven
from bench.render.engines import sentence

SAME, OTHER = Apart(1e-6, 1e-5, 1e-5, 1e-3), Apart(1e-6, 1e-2, 1e-5, 1e-3)


def facts(method, dtype="float32", tf32=False):
    return types.SimpleNamespace(method=method, dtype=dtype, kind="mlip", tf32=tf32)


def answers(**energies):
    rows = [(name, "cpu", 0, energy, np.full((4, 3), energy / 1000), ()) for name, energy in energies.items()]
    return pd.DataFrame(rows, columns=["method", "device", "structure", "energy", "forces", "changed"])


def engine(name, speed, low, differs=SAME, failure=""):
    times = Estimate(speed, low, speed + 1, 2, "structures", 3)
    return Engine(f"m@{name}", name, name, (AtSystem("18 atoms", 18, times, times, differs),), failure=failure)


def test_a_difference_is_for_each_atom_and_each_component():
    found = apart(answers(a=-10.0, b=-10.002), facts("b"), facts("a"), [0], Limits())
    assert found.energy == pytest.approx(0.002 / 4)
    assert found.force == pytest.approx(0.002 / 1000)
    assert found.energy_allowed == pytest.approx((1e-3 + 4 * 1.2e-7 * 10) / 4)
    assert not found.same


def test_a_header_may_widen_a_limit_but_not_narrow_it():
    both = answers(a=-10.0, b=-10.002)
    wide = apart(both, facts("b"), facts("a"), [0], Limits(energy=1e-3))
    assert wide.same
    narrow = apart(both, facts("b"), facts("a"), [0], Limits(energy=1e-9, force=1e-9))
    assert narrow.energy_allowed > 1e-5
    assert narrow.force_allowed == 2e-3


def test_the_coarser_dtype_sets_the_limit():
    both = answers(a=-10.0, b=-10.0)
    assert apart(both, facts("b", "float64"), facts("a", "float64"), [0], Limits()).force_allowed == 1e-4
    assert apart(both, facts("b", "float64"), facts("a", "float32"), [0], Limits()).force_allowed == 2e-3


def test_what_is_no_number_is_never_the_same():
    found = apart(answers(a=-10.0, b=math.nan), facts("b"), facts("a"), [0], Limits(energy=1.0, force=1.0))
    assert not found.same
    assert found.energy == math.inf


def test_without_a_common_answer_nothing_is_known():
    assert apart(answers(a=-10.0), facts("b"), facts("a"), [0], Limits()) is None
    assert apart(answers(a=-10.0, b=-10.0), facts("b"), facts("a"), [1], Limits()) is None


def test_the_answers_of_two_methods_among_others_are_apart_by_the_largest_of_all_structures():
    both = pd.concat([answers(a=-10.0, b=-10.002, c=-99.0), answers(a=-20.0, b=-20.008, c=-99.0).assign(structure=1)])
    found = apart(both, facts("b"), facts("a"), [0, 1], Limits())
    assert (found.energy, found.force) == (pytest.approx(0.008 / 4), pytest.approx(0.008 / 1000))
    assert found.energy_allowed == pytest.approx((1e-3 + 4 * 1.2e-7 * 20) / 4), "rounding of the larger energy"


def test_tf32_of_either_side_widens_the_limit():
    limits = [
        apart(answers(a=-10.0, b=-10.0), facts("b", tf32=one), facts("a", tf32=other), [0], Limits()).force_allowed
        for one, other in ((False, False), (True, False), (False, True))
    ]
    assert limits[0] < limits[1] == limits[2]


def test_the_difference_from_the_derivative_is_the_root_mean_square_over_directions():
    middle, component = np.random.default_rng(3).normal(size=(2, 3)), 4
    lines = [
        {1 + 4 * k + i: middle + 0.01 * factor * np.eye(6)[k].reshape(2, 3) for i, factor in enumerate((-2, -1, 1, 2))}
        for k in range(6)
    ]
    places = {0: middle} | {index: place for line in lines for index, place in line.items()}
    wrong = 0.3 * np.eye(6)[component].reshape(2, 3)
    rows = [("a", "cpu", index, float((x**3).sum()), wrong - 3 * x**2, ()) for index, x in places.items()]
    table = pd.DataFrame(rows, columns=["method", "device", "structure", "energy", "forces", "changed"])
    assert derivative(table, "a", 0, lines) == pytest.approx(0.3 / math.sqrt(6), rel=1e-6)


def test_lists_for_each_call_are_those_of_one_method_at_the_structures_of_a_system():
    def replay(method, structure, rebuilds, calls=10):
        return types.SimpleNamespace(method=method, structure=structure, rebuilds=rebuilds, calculator_ns=(1,) * calls)

    replays = [replay("m", 0, 1), replay("m", 1, 4), replay("m", 1, None), replay("m", 7, 10), replay("n", 0, 10)]
    assert lists_per_call(replays, "m", [0, 1]) == pytest.approx(5 / 20)
    assert lists_per_call(replays, "o", [0, 1]) is None


@pytest.mark.parametrize("wrong", [0.0, 0.02])
def test_forces_are_compared_with_the_derivative_of_a_known_surface(wrong):
    random = np.random.default_rng(1)
    middle = random.normal(size=(6, 3))
    lines, places = [], {0: middle}
    for k in range(40):
        way = random.normal(size=middle.shape) * 0.01
        line = {1 + 4 * k + i: middle + factor * way for i, factor in enumerate((-2, -1, 1, 2))}
        places |= line
        lines.append(line)
    rows = [("a", "cpu", index, float((x**4).sum()), -4 * x**3 + wrong, ()) for index, x in places.items()]
    table = pd.DataFrame(rows, columns=["method", "device", "structure", "energy", "forces", "changed"])
    found = derivative(table, "a", 0, lines)
    assert found == pytest.approx(wrong, rel=0.5, abs=1e-4)
    assert derivative(table[table["structure"] != 3], "a", 0, lines) is None


def test_the_planted_ratio_comes_out_and_is_the_references_time_over_ones_own():
    random = np.random.default_rng(2)
    reference = pd.DataFrame(np.exp(random.normal(3.0, 0.2, (5, 3))))
    mine = reference / 4 * np.exp(random.normal(0, 0.01, (5, 3)))
    found = at_system(SystemFacts("18 atoms", "C10H8", 18), mine, reference, SAME)
    assert found.speedup.low < 4 < found.speedup.high
    assert found.ms.estimate == pytest.approx(np.exp(3.0) / 4, rel=0.3)
    assert at_system(SystemFacts("18 atoms", "C10H8", 18), None, reference, None, "why").ms is None


def test_the_fastest_with_the_same_answers_is_recommended():
    every = [engine("slow", 1.5, 1.2), engine("other", 9.0, 8.0, OTHER), engine("fast", 3.0, 2.5)]
    assert [one.engine for one in ordered(every)] == ["fast", "slow", "other"]
    assert recommended(every).engine == "fast"
    assert recommended(every[:1]).engine == "slow", "it is certainly faster, if not by much"


def test_other_answers_at_one_system_are_other_answers():
    at = (AtSystem("18 atoms", 18, apart=SAME), AtSystem("36 atoms", 36, apart=OTHER), AtSystem("72 atoms", 72))
    found = Engine("m@e", "e", "E", at)
    assert found.same_answers is False
    assert (found.energy_difference, found.force_difference) == (1e-6, 1e-2)
    assert Engine("m@e", "e", "E", at[2:]).same_answers is None


def test_nothing_is_recommended_that_failed_or_that_may_be_slower():
    assert recommended([engine("other", 9.0, 8.0, OTHER)]) is None
    assert recommended([engine("failed", 9.0, 8.0, failure="crash")]) is None
    assert recommended([engine("unclear", 1.5, 0.9)]) is None
    assert recommended([engine("unknown", 9.0, 8.0, None)]) is None


def test_the_sentence_names_sizes_and_forces():
    assert sentence(engine("fast", 3.0, 2.5)).startswith("fast is 3.00 [2.50, 4.00] times as fast at 18 atoms; forces")
    assert "gives other answers" in sentence(engine("other", 9.0, 8.0, OTHER))
    gone = Engine("m@e", "e", "E", (), failure="load", message="it has no library.")
    assert sentence(gone) == "e was not measured (load): it has no library."


def test_the_share_of_a_driver_is_the_median_of_what_lies_beside_the_force_calls_over_rounds():
    def driven(number, method="m", structure=3):
        calls = (50_000_000, 51_000_000, 300_000_000)  # a model of 50 ms, and a call that was disturbed
        steps = tuple(call + int(own * 1e6) for call, own in zip(calls, (0.3, 0.3, 40.0), strict=True))
        return Driven(method, "cpu", number, structure, "ASE", steps, calls)

    rounds = [driven(0), driven(1), driven(2), driven(0, structure=9), driven(0, method="other")]
    driver, own = driver_ms(rounds, "m", [3, 4])
    assert driver == "ASE"
    assert (own.estimate, own.low, own.high) == pytest.approx((0.3, 0.3, 0.3))
    assert own.rounds == 3
    assert driver_ms(rounds, "m", [5]) == ("", None)
