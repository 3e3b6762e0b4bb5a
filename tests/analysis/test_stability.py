"""From trajectories to a method's stability and its verdict."""

import dataclasses

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.data import atomic_masses
from synthetic import campaign

from bench.analysis import events
from bench.analysis.methods import MeasuredMethod
from bench.analysis.statistics import Estimate
from bench.analysis.vibrations import external_motions
from bench.paths import PROJECT
from bench.protocols.md import verdict
from bench.protocols.md.analyse import budgets, stability
from bench.protocols.md.body import Body
from bench.protocols.md.distributions import Reference
from bench.protocols.md.figure import draw
from bench.protocols.md.page import _h, drift, pictured
from bench.protocols.md.seeds import Mean
from bench.protocols.md.table import Simulated, Simulations, Stability, StabilityTable
from bench.protocols.md.trajectory_file import Content
from bench.protocols.md.verdict import DRIFT, FAIL, PASS, WARN, judge

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS, POSITIONS = NAPHTHALENE.numbers, NAPHTHALENE.positions
METHOD = MeasuredMethod(method="m", label="M", kind="mlip")
SYMMETRY = ["method", "device", "round", "structure", "wall_ns", "force_rms", "net_force", "net_torque"]
SYMMETRY += ["rotation_error", "loop_work", "loop_absolute", "jacobian_symmetric", "jacobian_antisymmetric"]
SYMMETRY += ["failure", "message"]
STEPS = 20_000


def content(seed=0, drift=0.0, noise=0.001, step_fs=0.5, broken_at=None, ms=10.0):
    """Return a trajectory of known figures: 10 ps, with thermal velocities and no motion as a whole."""
    random = np.random.default_rng(seed)
    times = np.arange(STEPS + 1) * step_fs / 1000
    kinetic = 2.3 + 0.1 * np.sin(2 * np.pi * times / 0.05 + seed)
    total = 5.0 + drift * times + noise * np.sin(2 * np.pi * times / 0.01 + seed)
    frames = STEPS // 10 + 1
    velocities = random.normal(size=(frames, 54))
    basis = external_motions(atomic_masses[NUMBERS], POSITIONS)
    velocities = (velocities - velocities @ basis @ basis.T).reshape(frames, 18, 3)
    positions = POSITIONS + random.normal(0, 0.03, (frames, 18, 3))
    if broken_at is not None:
        outward = POSITIONS[10] - POSITIONS[0]
        positions[broken_at // 10 :, 10] += 0.9 * outward / np.linalg.norm(outward)
    each = np.full(STEPS + 1, ms * 1e6)
    return Content(
        numbers=NUMBERS,
        time_step_fs=step_fs,
        frame_every=10,
        positions=positions,
        velocities=velocities / np.sqrt(atomic_masses[NUMBERS])[:, None] * np.sqrt(0.04847),  # 562.5 K
        potential=total - kinetic,
        kinetic=kinetic,
        calculator_ns=0.9 * each,
        integrator_ns=0.1 * each,
    )


def simulated(content, seed=0, ensemble="nve", **changes):
    fields = {
        "ensemble": ensemble,
        "seed": seed,
        "round": seed,
        "time_step_fs": content.time_step_fs if content else 0.5,
        "duration_ps": 10.0,
        "temperature_k": 500.0,
        "status": "done",
        "failure": None,
        "content": content,
    }
    return Simulated(**{**fields, **changes})


FULL = {"force_rms": 2.0, "rotation_error": 0.0, "loop_work": 0.0, "loop_absolute": 0.1, "net_force": 0.0}
FULL |= {"jacobian_symmetric": 50.0, "jacobian_antisymmetric": 0.0, "net_torque": 0.0}


def simulations(system, trajectories):
    """Return the simulations of a system, as far as times go."""
    return Simulations(system, trajectories, pd.DataFrame(), Body.of(NAPHTHALENE), None, "")


def of(trajectories, symmetries=(FULL,), budget_s=None):
    random = np.random.default_rng(9)
    reference = Reference("", NUMBERS, POSITIONS + random.normal(0, 0.03, (500, 18, 3)))
    rows = pd.DataFrame([dict(dict.fromkeys(SYMMETRY), **one) for one in symmetries], columns=SYMMETRY)
    return stability(METHOD, trajectories, rows, Body.of(NAPHTHALENE), reference, budget_s=budget_s)


def seeds(count=3, **planted):
    """Return trajectories of several seeds, each with its short one at half the time step."""
    whole = [simulated(content(seed, noise=0.004, **planted), seed) for seed in range(count)]
    half = [content(seed, noise=0.001 * (1 + 0.01 * (seed % 2)), step_fs=0.25) for seed in range(count)]
    return whole + [simulated(shortened(one, 0.5), seed) for seed, one in enumerate(half)]


def shortened(whole, duration_ps):
    """Return the first part of a trajectory."""
    steps = round(1000 * duration_ps / whole.time_step_fs)
    series, frames = ("potential", "kinetic", "calculator_ns", "integrator_ns"), ("positions", "velocities")
    return dataclasses.replace(
        whole,
        **{name: getattr(whole, name)[: steps + 1] for name in series},
        **{name: getattr(whole, name)[: steps // 10 + 1] for name in frames},
    )


def test_a_planted_drift_fails_and_its_figure_is_right():
    found = of(seeds(drift=0.05))
    assert found.drift.value == pytest.approx(1000 * 0.05 / 18, rel=0.01)
    assert (found.verdict, found.reasons) == (FAIL, ("drift",))


def test_what_keeps_its_energy_and_its_bonds_passes():
    found = of(seeds())
    assert (found.verdict, found.reasons) == (PASS, ())
    assert found.ensembles[0].kinds == {"intact": 3}
    assert found.rigid_share < 0.001
    assert found.light_ratio.value == pytest.approx(found.expected_light_ratio, rel=0.02)
    assert found.temperature == pytest.approx(562.5, rel=0.02)
    assert found.temperatures["H"] / found.temperatures["C"] == pytest.approx(1.18, rel=0.03)


def test_a_broken_bond_fails_and_says_how_often():
    found = of([simulated(content(0, broken_at=4000), 0), simulated(content(1), 1)])
    assert found.verdict == FAIL
    assert found.reasons == ("bond broken in 1 of 2 NVE trajectories, first at step 4000",)
    survival = found.ensembles[0].survival
    assert (survival.median_ps, survival.ended, survival.count) == (pytest.approx(2.0), 1, 2)


def test_what_was_simulated_too_short_does_not_pass():
    short = [simulated(shortened(content(seed, noise=0.004), 2.0), seed, status="censored") for seed in range(3)]
    found = of([*short, *seeds()[3:]], budget_s=811.0)
    assert found.verdict == WARN
    assert found.reasons == ("not long enough: 3 of 3 NVE trajectories did not reach 5 ps; --budget 820 would do",)


def test_the_budget_that_would_do_is_for_all_trajectories_of_all_systems():
    """Half a picosecond at half the time step takes as many steps as a whole one, and all systems share a budget."""
    whole = simulated(shortened(content(), 2.0), duration_ps=10.0, wall_ns=48 * 10**9)  # 4,000 steps of 12 ms
    half = simulated(shortened(content(step_fs=0.25), 0.25), duration_ps=0.5, wall_ns=12 * 10**9)  # 1,000 of 12 ms
    small = simulated(shortened(content(), 1.0), duration_ps=5.0, wall_ns=4 * 10**9)  # 2,000 of 2 ms
    key, no_step = ("m", "cpu"), simulated(None, wall_ns=10**9)
    systems = [simulations("one", {key: [whole, half]}), simulations("other", {key: [small]}), simulations("third", {})]
    # of 20,000 + 2,000 and 10,000 steps; the examination of forces may take a fifth of the time
    assert budgets(systems) == {key: pytest.approx((22_000 * 0.012 + 10_000 * 0.002) / 0.8)}
    assert budgets([*systems, simulations("fourth", {key: [no_step]})]) == {}


def test_five_short_runs_do_not_make_a_long_one_so_a_molecule_that_breaks_later_does_not_pass():
    long = seeds(5, broken_at=6000)
    assert of(long).verdict == FAIL, "it breaks after 3 ps"
    short = [dataclasses.replace(one, content=shortened(one.content, 1.01)) for one in long[:5]]
    found = of([*short, *long[5:]])
    assert sum(one.simulated_ps for one in found.ensembles[0].outcomes) > 5
    assert found.verdict == WARN
    assert any("not long enough: 5 of 5 NVE trajectories did not reach 5 ps" in reason for reason in found.reasons)
    exactly = [dataclasses.replace(one, content=shortened(one.content, 5.0)) for one in seeds(3)[:3]]
    assert of([*exactly, *seeds(3)[3:]]).verdict == PASS, "one of exactly 5 ps is long enough"


def test_a_single_short_trajectory_has_a_drift_that_is_not_known():
    found = of([simulated(shortened(content(0), 5.0))])
    assert found.drift.error is None
    assert drift(found).endswith(" ± ?")
    assert set(found.reasons) == {"drift not known", "power of the noise not known"}


def test_a_run_of_which_nothing_is_left_after_settling_has_no_drift_and_no_temperature():
    found = of([simulated(shortened(content(seed), 0.28), seed) for seed in range(3)])
    assert (found.drift, found.temperature, found.distribution) == (None, None, None)
    assert found.rigid_share < 0.001
    assert found.expected_temperature == pytest.approx(562.5)


def test_the_target_is_of_the_motions_that_the_record_says():
    internal = [dataclasses.replace(one, temperature_of="internal") for one in seeds()]
    assert of(internal).expected_temperature == pytest.approx(500.0)
    assert of(seeds()).expected_temperature == pytest.approx(562.5), "a record without the field is an old one"


def test_the_noise_at_half_the_step_gives_its_exponent():
    found = of(seeds(4))
    assert found.noise_exponent.value == pytest.approx(2 - np.log2(1.01) / 2, abs=0.002)
    assert found.noise_exponent.error == pytest.approx(np.log2(1.01) / np.sqrt(12), rel=0.2)  # two of each
    assert found.noise_exponent.freedom == 3
    assert len(found.ensembles[0].outcomes) == 4, "the runs at half the step are no other seeds"


def test_an_exponent_from_one_pair_does_not_pass():
    one_pair = of(seeds()[:4])
    assert one_pair.noise_exponent.value == pytest.approx(2.0, abs=0.01)
    assert (one_pair.verdict, one_pair.reasons) == (WARN, ("power of the noise not known",))


@pytest.mark.parametrize(
    ("value", "error", "verdict", "words"),
    [
        (2.0, 0.1, PASS, None),
        (1.5, 0.01, WARN, "power of the noise not known well enough"),
        (0.1, 0.1, WARN, "noise does not shrink with the square of the time step"),
    ],
)
def test_an_exponent_is_judged_with_its_error(value, error, verdict, words):
    found = dataclasses.replace(of(seeds()), noise_exponent=Mean(value, error, 4))
    assert judge(found) == (verdict, (words,) if words else ())


def test_a_step_costs_what_the_clock_said_and_a_day_has_so_many():
    found = of([simulated(content(seed, ms=20.0), seed) for seed in range(3)])
    assert found.ms_per_step.estimate == pytest.approx(20.0)
    assert found.ns_per_day == pytest.approx(86_400_000 / 20 * 0.5e-6)
    unlike = [
        simulated(content(seed, ms=ms), seed, round=seed // 3) for seed, ms in enumerate((10.0, 10.0, 80.0, 40.0))
    ]
    assert of(unlike).ms_per_step.estimate == pytest.approx(np.sqrt(20.0 * 40.0)), "rounds count alike, by their means"


def test_distances_are_compared_in_the_reference_s_ensemble_where_there_is_one():
    found = of([simulated(content(0)), *(simulated(content(s), s, ensemble="nvt") for s in (1, 2))]).distribution
    assert (found.ensemble, found.frames, found.trajectories, found.lower_bound) == ("nvt", 180, 2, False)
    assert found.h_error == pytest.approx(found.h_floor, rel=0.2)


def test_a_single_trajectory_shows_only_a_lower_bound_of_the_floor():
    found = of([simulated(content(0)), simulated(content(1), ensemble="nvt")])
    assert (found.distribution.frames, found.distribution.lower_bound) == (90, True)
    assert _h(found).split(" / ")[1].startswith("≥ 0.")


def test_symmetries_are_ratios_and_what_the_time_did_not_suffice_for_is_left_out():
    full = {"force_rms": 2.0, "rotation_error": 0.5, "loop_work": -0.01, "loop_absolute": 0.1}
    full |= {"jacobian_symmetric": 50.0, "jacobian_antisymmetric": 10.0, "net_force": 0.1, "net_torque": 0.2}
    part = {"force_rms": 2.0, "rotation_error": 0.1, "net_force": 0.3, "net_torque": 0.1, "failure": "calculator"}
    found = of([simulated(content(seed), seed) for seed in range(3)], [full, part])
    assert found.asymmetry == pytest.approx(0.2)
    assert found.loop == pytest.approx(0.1)
    assert found.rotation == pytest.approx(0.15)
    assert (found.net_force, found.net_torque) == (0.3, 0.2)
    assert found.verdict == FAIL
    assert set(found.reasons) == {
        "forces are not a derivative (Jacobian)",
        "work around a closed loop",
        "forces do not rotate with the molecule",
    }


def test_of_several_structures_ratios_have_the_median_the_loop_its_mean_square_and_nets_the_largest():
    rows = [
        {**FULL, "jacobian_antisymmetric": 50.0 * one, "loop_work": 0.1 * one, "rotation_error": 2.0 * one}
        | {"net_force": one, "net_torque": 3 * one}
        for one in (0.1, 0.2, 0.9)
    ]
    found = of([], rows)
    assert (found.asymmetry, found.rotation, found.examined) == (pytest.approx(0.2), pytest.approx(0.2), 3)
    assert found.loop == pytest.approx(np.sqrt((0.01 + 0.04 + 0.81) / 3))
    assert (found.net_force, found.net_torque) == (pytest.approx(0.9), pytest.approx(2.7))


@pytest.mark.parametrize(("value", "words"), [(1.2, "noise does not"), (2.8, "noise does not"), (2.3, None)])
def test_the_power_of_the_noise_may_be_too_small_or_too_large(value, words):
    _, reasons = judge(dataclasses.replace(of(seeds()), noise_exponent=Mean(value, 0.01, 4)))
    assert [one[:14] for one in reasons] == ([words] if words else [])


@pytest.mark.parametrize(("ratio", "verdict"), [(0.9, WARN), (1.18, PASS), (1.5, WARN)])
def test_light_atoms_may_be_too_hot_or_too_cold(ratio, verdict):
    found = dataclasses.replace(of(seeds()), light_ratio=Mean(ratio, 0.01, 2))
    assert judge(found) == (verdict, ("no equipartition",) if verdict == WARN else ())


def test_a_failure_names_the_first_step_of_all_trajectories():
    found = of([simulated(content(0, broken_at=4000), 0), simulated(content(1, broken_at=2000), 1)])
    assert found.reasons[0] == "bond broken in 2 of 2 NVE trajectories, first at step 2000"


def test_nothing_simulated_has_no_verdict_however_good_the_forces():
    assert judge(Stability("m", "M", "mlip", "cpu")) == (None, ())
    assert of([simulated(None, status="censored")]).verdict is None


def test_an_ensemble_that_the_time_did_not_reach_is_a_warning():
    found = of([*seeds(), simulated(None, ensemble="nvt", status="censored")])
    (reason,) = found.reasons
    assert found.verdict == WARN
    assert reason.startswith("not long enough: 1 of 1 NVT trajectories did not reach 5 ps")


def test_trajectories_that_the_machine_ended_are_a_warning():
    found = of([*seeds(), simulated(None, 3, status="failed", failure="crash")])
    assert (found.verdict, found.reasons) == (WARN, ("1 NVE trajectories were lost (crash)",))


def test_forces_that_could_not_be_examined_are_a_warning():
    found = of(seeds(), [])
    assert (found.verdict, found.reasons) == (WARN, ("forces not examined",))


def test_the_forces_of_a_relaxed_structure_are_no_measure_of_a_rotation():
    found = of([], [{**FULL, "force_rms": 1e-3, "rotation_error": 1e-4}])
    assert found.rotation == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("slope", "error", "text"),
    [(0.0043, 0.0004, "0.00430 ± 0.00040"), (2676.3, 351.0, "2676 ± 351"), (0.012, 0.023, "0.012 ± 0.023")],
)
def test_a_drift_has_the_digits_that_its_error_bears(slope, error, text):
    assert drift(dataclasses.replace(Stability("m", "M", "mlip", "cpu"), drift=Mean(slope, error, 2))) == text


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [(0.01, 0.01, PASS), (0.01, 0.5, WARN), (0.3, 0.01, WARN), (0.9, 0.5, WARN), (2.0, 0.1, FAIL)],
)
def test_a_limit_is_judged_with_the_error_of_the_value(value, error, verdict):
    assert DRIFT.judge(value, error) == verdict


def test_a_drift_whose_error_is_large_is_not_called_one():
    found = dataclasses.replace(of(seeds()), drift=Mean(0.01, 1.0, 2))
    assert judge(found) == (WARN, ("drift not known well enough",))


def test_a_drift_of_few_seeds_is_judged_by_students_t():
    found = of(seeds())
    readme = dataclasses.replace(found, drift=Mean(0.031, 0.019, 4))  # UFF with five seeds
    assert judge(readme) == (WARN, ("drift not known well enough",)), "0.031 + 1.96 x 0.019 would be within 0.07"
    two, many = (judge(dataclasses.replace(found, drift=Mean(0.01, 0.01, freedom)))[0] for freedom in (1, 30))
    assert (two, many) == (WARN, PASS)
    certain = dataclasses.replace(found, drift=Mean(2676.0, 351.0, 2))
    assert judge(certain) == (FAIL, ("drift",))


def test_the_documented_limits_are_the_ones_that_judge():
    page = (PROJECT / "docs" / "stability.md").read_text()
    for words, limit in (
        ("drift", verdict.DRIFT),
        ("rigid share", verdict.RIGID),
        ("asymmetry |", verdict.ASYMMETRY),
        ("loop |", verdict.LOOP),
        ("rotation |", verdict.ROTATION),
    ):
        line = next(line for line in page.splitlines() if line.startswith("| ") and words in line)
        assert f"≤ {limit.passes:g} | ≤ {limit.warns:g} | > {limit.warns:g}" in line


def test_the_documented_time_and_temperature_are_the_ones_that_judge():
    page = (PROJECT / "docs" / "stability.md").read_text()
    assert f"≥ {events.LEAST_PS:g} ps each" in page
    assert f"{verdict.LIMITS_K:g} K" in page


def test_a_reference_of_one_structure_has_no_distribution():
    found = stability(
        METHOD,
        seeds(),
        pd.DataFrame([dict(dict.fromkeys(SYMMETRY), **FULL)]),
        Body.of(NAPHTHALENE),
        Reference("", NUMBERS, POSITIONS[None]),
    )
    assert found.distribution is None
    assert found.verdict == PASS


def test_simulations_too_short_for_a_drift_have_no_panel_for_it_and_ticks_are_plain_numbers():
    row = Stability(method="m", label="M", kind="mlip", device="cpu")
    short = StabilityTable(campaign(), (row,), reference="", reference_planarity=None)
    assert [axes.get_xlabel() for axes in draw(short).axes] == ["time at constant energy (NVE), ps"]
    assert "drift" not in pictured(short), "what is not drawn is not described"
    time = Estimate(20.0, 18.0, 22.0, 3, "rounds")
    long = dataclasses.replace(row, ms_per_step=time, drift=Mean(0.02, 0.001, 2))
    drifts, _ = draw(dataclasses.replace(short, rows=(long,))).axes
    assert "Left: the drift" in pictured(dataclasses.replace(short, rows=(long,)))
    drifts.figure.canvas.draw()
    labels = [label.get_text() for axis in (drifts.xaxis, drifts.yaxis) for label in axis.get_ticklabels(which="both")]
    assert {"20", "0.02", "0.05"} <= set(labels)
    assert not any("$" in label for label in labels)
