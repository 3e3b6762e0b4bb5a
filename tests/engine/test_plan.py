"""What is measured, in which order, and how a budget is shared."""

from pathlib import Path

import pytest

from bench.commands.run import Options, settings_of
from bench.engine.plan import DEFAULT_SECONDS, default_budgets, longest_seconds, order, share
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method

METHODS = ["a", "b", "c", "d", "e", "f"]


def method(name, kind):
    return Method(name, name, Path("x.py"), "family", kind, ("cpu",), ("float64",))


def test_the_first_round_takes_light_methods_first_and_the_others_are_shuffled():
    assert order(METHODS, 0, seed=1) == METHODS
    later = [order(METHODS, round_number, seed=1) for round_number in range(1, 6)]
    assert all(sorted(names) == METHODS for names in later)
    assert len({tuple(names) for names in later}) > 1


def test_a_seed_gives_the_same_order_again():
    assert order(METHODS, 3, seed=7) == order(METHODS, 3, seed=7)
    assert any(order(METHODS, k, seed=7) != order(METHODS, k, seed=8) for k in range(1, 6))


def test_the_default_budget_ends_a_bench_in_half_an_hour_and_gives_dft_three_shares():
    methods = [method("uff", "force-field"), *(method(f"mlip-{k}", "mlip") for k in range(10)), method("dft", "dft")]
    budgets = default_budgets(methods, ["cpu"], rounds=3)
    assert budgets["dft"] == pytest.approx(3 * budgets["mlip-1"], rel=1e-2)
    assert budgets["mlip-1"] > 60
    assert sum(budgets.values()) + 3 * 10 * 12 < 28 * 60


def test_more_methods_than_half_an_hour_holds_get_at_least_twenty_seconds_each():
    budgets = default_budgets([method(f"mlip-{k}", "mlip") for k in range(100)], ["cpu", "cuda"], rounds=3)
    assert set(budgets.values()) == {20.0}


def test_what_is_left_of_a_budget_is_shared_by_the_rounds_that_are_left():
    assert share(90, 0, 0, 3) == 30
    assert share(90, 40, 1, 3) == 25
    assert share(90, 100, 2, 3) == 0
    assert share(None, 100, 0, 3) is None


def test_a_run_that_names_nothing_asks_for_errors_beside_times_and_takes_no_longer():
    catalogue = Catalogue()
    usual = settings_of(Options(device=("cpu",)), catalogue)
    assert usual.protocols == ("relax", "accuracy")
    assert not usual.vibrations
    assert usual.phase_s["accuracy"] <= 10
    assert longest_seconds(usual, catalogue.methods) == usual.total_s == DEFAULT_SECONDS
    alone = settings_of(Options(device=("cpu",), protocols=("relax",)), catalogue)
    assert usual.budget_s == alone.budget_s


@pytest.mark.parametrize(
    "named", [{"protocols": ("relax",)}, {"structures": ("mine.xyz",)}, {"cluster": "slurm"}, {"weights": "random"}]
)
def test_a_run_that_names_protocols_or_structures_measures_nothing_besides(named):
    settings = settings_of(Options(device=("cpu",), **named), Catalogue())
    assert (settings.protocols, settings.phase_s, settings.vibrations) == (("relax",), {}, True)
