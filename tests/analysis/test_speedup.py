from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from synthetic import relaxations

from bench.analysis import speedup
from bench.analysis.table import Row


def row(method: str, kind: str = "mlip", device: str = "cpu", **changes) -> Row:
    return Row(method=method, label=method, kind=kind, device=device, **({"weights": "pretrained"} | changes))


def series_of(*frames: pd.DataFrame):
    return speedup.per_round(pd.concat(frames, ignore_index=True))


def over_rounds(*frames: pd.DataFrame):
    return {key: speedup.over_rounds(times) for key, times in series_of(*frames).items()}


def test_a_structures_figure_is_its_time_over_its_steps_in_milliseconds():
    frame = relaxations("a", 10.0, count=3, rounds=1).assign(step_ns=[4e6, 9e6, 5e6], steps=[2, 3, 5])
    assert over_rounds(frame)["a", "cpu"].to_dict() == pytest.approx({0: 2.0, 1: 3.0, 2: 1.0})


def test_rounds_of_a_structure_are_combined_by_their_geometric_mean():
    frame = relaxations("a", 10.0, count=1, rounds=2).assign(step_ns=[2e6, 8e6], steps=1)
    assert over_rounds(frame)["a", "cpu"].to_dict() == pytest.approx({0: 4.0})


def test_failed_relaxations_and_those_without_a_step_do_not_count_and_censored_ones_do():
    frame = relaxations("a", 10.0, count=4, rounds=1).assign(
        status=["failed", "converged", "censored", "step-cap"], steps=[5, 0, 5, 5]
    )
    assert series_of(frame)["a", "cpu"].index.tolist() == [2, 3]


def test_a_known_ratio_comes_out_with_an_interval_around_it():
    series = series_of(relaxations("slow", 113.0), relaxations("fast", 20.0))
    found = speedup.paired_ratio(series["slow", "cpu"], series["fast", "cpu"])
    assert found.estimate == pytest.approx(113.0 / 20.0)
    assert found.low < 113.0 / 20.0 < found.high
    assert found.n == 101


def test_pairing_makes_the_interval_much_tighter_than_the_two_rows_would():
    series = series_of(relaxations("slow", 113.0, noise=0.02), relaxations("fast", 20.0, noise=0.02))
    slow, fast = series["slow", "cpu"], series["fast", "cpu"]
    paired = speedup.paired_ratio(slow, fast)
    alone = [speedup.mean_time(times) for times in (slow, fast)]
    unpaired = math.hypot(*(math.log(one.high / one.low) for one in alone))
    assert math.log(paired.high / paired.low) < unpaired / 4


def times(rounds: dict[int, dict[int, float]]) -> pd.DataFrame:
    """Return milliseconds by structure and round from a mapping of rounds to structures."""
    return pd.DataFrame(rounds).rename_axis(index="structure", columns="round")


def test_only_the_structures_that_both_relaxed_are_compared():
    slow = times({0: {0: 10.0, 1: 20.0, 2: 1000.0}})
    fast = times({0: {0: 1.0, 1: 2.0, 7: 1.0}})
    assert speedup.paired_ratio(slow, fast).estimate == pytest.approx(10.0)
    assert speedup.paired_ratio(slow, fast).n == 2
    assert speedup.paired_ratio(slow, fast.loc[[7]]) is None


def test_what_a_round_does_to_both_methods_drops_out_of_their_ratio():
    weather = {0: 1.0, 1: 1.4, 2: 0.8, 3: 1.1}
    rng = np.random.default_rng(5)
    base = {i: float(np.exp(rng.normal(0.0, 0.1))) for i in range(20)}
    slow, fast = (
        times(
            {
                r: {i: factor * w * x * float(np.exp(rng.normal(0.0, 0.01))) for i, x in base.items()}
                for r, w in weather.items()
            }
        )
        for factor in (3.0, 1.0)
    )
    beside = speedup.paired_ratio(slow, fast)
    apart = speedup.paired_ratio(slow, fast, same_rounds=False)
    assert beside.low < 3.0 < beside.high
    assert beside.high / beside.low < 1.03
    assert apart.high / apart.low > 1.8
    assert beside.estimate == apart.estimate
    assert beside.rounds == apart.rounds == 4


def test_rounds_that_only_one_of_two_methods_has_are_not_paired():
    slow = times({r: {i: 10.0 + i + 0.1 * r for i in range(6)} for r in (0, 1, 2)})
    fast = times({r: {i: 1.0 + 0.1 * i + 0.01 * (r - 3) for i in range(6)} for r in (3, 4, 5)})
    ratio = speedup.paired_ratio(slow, fast)
    assert ratio.rounds == 3
    assert ratio.low < 10.0 < ratio.high


def test_the_means_over_methods_have_the_values_that_were_put_in():
    series = series_of(
        relaxations("ff", 0.2, native=True),
        relaxations("a", 50.0),
        relaxations("b", 200.0),
        relaxations("a", 10.0, device="cuda"),
        relaxations("b", 20.0, device="cuda"),
        relaxations("scf", 20_000.0),
    )
    rows = [
        row("ff", "force-field", paper="uff"),
        row("a"),
        row("b"),
        row("a", device="cuda"),
        row("b", device="cuda"),
        row("scf", "dft"),
    ]
    found = {mean.name: mean for mean in speedup.means(rows, series)}
    assert found["GPU over CPU"].estimate == pytest.approx(math.sqrt(5.0 * 10.0))
    assert found["force field over MLIPs"].estimate == pytest.approx(100.0 / 0.2)
    assert found["MLIPs over DFT"].estimate == pytest.approx(20_000.0 / 100.0)
    for mean in found.values():
        assert mean.methods == ("a", "b")
        assert mean.low < mean.estimate < mean.high
        assert mean.n == 101
    assert found["force field over MLIPs"].reference == ("ff",)


def test_a_mean_is_over_the_structures_common_to_all_of_its_methods():
    series = series_of(
        relaxations("ff", 0.2), relaxations("a", 50.0), relaxations("scf", 9000.0, count=1, status="censored")
    )
    rows = [row("ff", "force-field"), row("a"), row("scf", "dft")]
    found = {mean.name: mean for mean in speedup.means(rows, series)}
    dft = found["MLIPs over DFT"]
    assert dft.n == 1
    assert dft.low <= dft.estimate <= dft.high  # over its rounds
    assert dft.estimate == pytest.approx((series["scf", "cpu"] / series["a", "cpu"]).loc[0].mean())
    assert found["force field over MLIPs"].n == 101


def test_random_weights_enter_no_mean():
    series = series_of(relaxations("ff", 0.2), relaxations("a", 50.0), relaxations("r", 5000.0))
    rows = [row("ff", "force-field"), row("a"), row("r", weights="random")]
    (mean,) = speedup.means(rows, series)
    assert mean.methods == ("a",)


def test_the_published_force_field_row_is_preferred_and_any_other_will_do_without_it():
    series = series_of(relaxations("uff", 0.2), relaxations("uff-ase", 2.0), relaxations("a", 50.0))
    rows = [row("uff", "force-field", paper="uff"), row("uff-ase", "force-field"), row("a")]
    (mean,) = speedup.means(rows, series)
    assert mean.reference == ("uff",)
    (mean,) = speedup.means(rows[1:], series)
    assert mean.reference == ("uff-ase",)
    assert mean.estimate == pytest.approx(25.0)


def test_methods_without_a_common_structure_have_no_mean():
    early, late = relaxations("ff", 0.2, count=3), relaxations("a", 50.0, count=6)
    series = series_of(early, late[late["structure"] >= 3])
    assert speedup.means([row("ff", "force-field"), row("a")], series) == ()


def test_rounds_that_lie_apart_show_in_the_spread():
    frame = relaxations("a", 10.0, rounds=3)
    frame.loc[frame["round"] == 2, "step_ns"] *= 1.25
    (found,) = series_of(frame).values()
    assert found.shape == (101, 3)
    assert speedup.round_spread(found) == pytest.approx(1.25 * np.exp(0.02))
    (single,) = series_of(relaxations("a", 10.0, rounds=1)).values()
    assert speedup.round_spread(single) is None


def test_the_scatter_of_the_rounds_is_inside_the_interval():
    frame = relaxations("a", 10.0, rounds=3, noise=0.0)
    (quiet,) = series_of(frame).values()
    frame.loc[frame["round"] == 2, "step_ns"] *= 1.25
    (restless,) = series_of(frame).values()
    narrow, wide = speedup.mean_time(quiet), speedup.mean_time(restless)
    assert math.log(wide.high / wide.low) > 4 * math.log(narrow.high / narrow.low)
