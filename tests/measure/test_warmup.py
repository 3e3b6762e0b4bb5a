"""What counts as warm: synthetic series with a known change point, and the calls of a real calculator."""

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list

from bench.adapter import Adapter
from bench.data.naphthalene import naphthalene
from bench.measure import clock, warmup
from bench.measure.warmup import MOST, settled, warm_up, warm_up_length


def noisy(milliseconds, seed, spread=0.03):
    """Return the series with the noise of a quiet machine."""
    return np.asarray(milliseconds) * np.exp(np.random.default_rng(seed).normal(0.0, spread, len(milliseconds)))


@pytest.mark.parametrize(
    ("milliseconds", "length"),
    [
        pytest.param([10] * 30, 0, id="nothing to warm"),
        pytest.param([20_000] + [10] * 29, 1, id="XLA compiles in its first call"),
        pytest.param([30, 400] + [10] * 28, 2, id="TorchScript specialises in its second"),
        pytest.param([10, 400] + [10] * 28, 2, id="and its first is as fast as the others"),
        pytest.param([900, 1200, 400, 60] + [10] * 26, 4, id="autotuning"),
        pytest.param([22, 19, 17, 15, 13] + [10] * 25, 5, id="caches fill"),
        pytest.param([10] * 12 + [30] + [10] * 17, 13, id="a second shape is compiled in the thirteenth"),
        pytest.param([10] * 12 + [16] + [10] * 17, 0, id="a call that was disturbed a little"),
        pytest.param([10] * 40 + [300] + [10] * 20, 0, id="a disturbance long after the start"),
        pytest.param(list(10 * 0.99 ** np.arange(100)), 0, id="a machine that gets faster by 1 % a call"),
        pytest.param(list(10 * 1.01 ** np.arange(100)), 0, id="or slower"),
        pytest.param([10] * 15 + [14] * 15, 0, id="a machine that gets slower all at once"),
    ],
)
def test_warm_up_ends_where_it_was_made_to_end(milliseconds, length):
    assert warm_up_length(milliseconds) == length
    hits = sum(warm_up_length(noisy(milliseconds, seed=seed)) == length for seed in range(100))
    assert hits >= 95


def test_a_method_that_never_settles_is_warm_up_to_its_cap():
    series = [10 * 3**-i for i in range(60)]
    assert warm_up_length(series) == MOST


@pytest.mark.parametrize(
    ("milliseconds", "warm"),
    [
        ([10, 10, 10, 10], False),  # too few to tell
        ([900, 10, 10, 10, 10], True),  # a slow first call, as with XLA
        ([900, 1200, 10, 10, 10], True),  # a slow second one too, as with TorchScript
        ([900, 1200, 400, 10, 10], False),  # and a third: one more call settles it
        ([900, 1200, 400, 10, 10, 10], True),
        ([10, 10, 10, 10, 30], False),
    ],
)
def test_calls_have_settled_when_three_ordinary_ones_follow_the_last_slow_one(milliseconds, warm):
    assert settled([value * 1_000_000 for value in milliseconds]) is warm


class Counting(Calculator):
    """A calculator that counts its evaluations; evaluation i takes `seconds(i)` on a clock that only it moves."""

    implemented_properties = ("energy", "forces")
    now_ns = 0

    def __init__(self, seconds):
        super().__init__()
        self.evaluations = 0
        self.seconds = seconds

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        Counting.now_ns += int(1e9 * self.seconds(self.evaluations))
        self.evaluations += 1
        self.results = {"energy": 1.0, "forces": np.ones((len(atoms), 3))}


@pytest.fixture(autouse=True)
def planned_times(monkeypatch):
    """Let time pass in the evaluations of `Counting` alone, whatever else this machine does."""
    for module in (clock, warmup):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: Counting.now_ns)


def test_warming_up_makes_fresh_calls_and_leaves_the_atoms_as_they_were():
    inner = Counting(lambda i: 0.001)
    atoms = molecule("H2O")
    before = atoms.positions.copy()
    durations = warm_up(Adapter(), inner, atoms, seed=0)
    assert len(durations) == inner.evaluations >= 5
    assert np.array_equal(atoms.positions, before)


def test_warming_up_leaves_a_crystal_and_its_cell_as_they_were():
    atoms = bulk("Cu", cubic=True)
    before = atoms.copy()
    seen = []
    calculator = Counting(lambda i: seen.append(calculator.atoms.cell.volume) or 0.001)
    warm_up(Adapter(), calculator, atoms, seed=0)
    assert atoms == before
    assert max(seen) > 1.1 * min(seen)


@pytest.mark.parametrize("cutoff", [4.5, 5.0, 5.2, 6.0])
def test_what_is_compiled_for_each_of_the_first_numbers_of_edges_is_compiled_in_the_warm_up(cutoff):
    compiled = []

    def seconds(_):
        edges = len(neighbor_list("i", calculator.atoms, cutoff))
        if edges in compiled or len(compiled) == 3:  # as TorchScript does: twice for one number, then for any
            return 0.001
        compiled.append(edges)
        return 0.02

    calculator = Counting(seconds)
    warm_up(Adapter(), calculator, naphthalene(), seed=0)
    assert len(compiled) == 3


def test_warming_up_goes_on_while_calls_get_faster_and_is_capped():
    durations = warm_up(Adapter(), Counting(lambda i: 1.2 / 1.3**i), molecule("H2O"), seed=0)
    assert len(durations) == MOST


def test_warming_up_stops_after_a_time():
    durations = warm_up(Adapter(), Counting(lambda i: 0.02), molecule("H2O"), seed=0, most_seconds=0.01)
    assert len(durations) == 2


def test_a_first_call_that_compiles_for_long_takes_no_time_from_the_others():
    durations = warm_up(Adapter(), Counting(lambda i: 0.0 if i else 1.0), molecule("H2O"), seed=0, most_seconds=0.9)
    assert len(durations) >= 5
