"""What became of a molecule: planted events are found when they happened, and survival is censored, not averaged."""

import ase.io
import numpy as np
import pytest

from bench.analysis import events
from bench.paths import PROJECT

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
EVERY = 10
FRAMES = 401
TIMES = np.arange(EVERY * (FRAMES - 1) + 1) * 0.5e-3  # ps
MOLECULE = events.topology(NAPHTHALENE.numbers, NAPHTHALENE.positions, NAPHTHALENE.positions[None])
# C 0 bears H 10
OUTWARD = NAPHTHALENE.positions[10] - NAPHTHALENE.positions[0]
OUTWARD /= np.linalg.norm(OUTWARD)


def still():
    frames = np.repeat(NAPHTHALENE.positions[None], FRAMES, axis=0)
    return frames + np.random.default_rng(0).normal(0, 0.02, frames.shape)


def of(frames, failure=None):
    return events.outcome(frames, TIMES, MOLECULE, EVERY, failure)


def test_naphthalene_has_nineteen_bonds():
    assert len(MOLECULE.bonds) == 19
    assert len(MOLECULE.strangers) == 18 * 17 // 2 - 19


def test_a_molecule_that_vibrates_is_intact():
    found = of(still())
    assert (found.kind, found.step, found.ended, found.warned_ps) == (events.INTACT, None, False, None)
    assert found.stable_ps == found.simulated_ps == pytest.approx(2.0)
    assert found.largest < 0.15


def test_a_planted_break_is_found_within_ten_steps():
    frames = still()
    frames[173:, 10] += 0.8 * OUTWARD
    found = of(frames)
    assert (found.kind, found.step) == (events.BOND_BROKEN, 1730)
    assert found.stable_ps == pytest.approx(0.865)
    assert found.ended


def test_a_stretched_bond_is_a_warning_and_no_end():
    frames = still()
    frames[100, 10] += 0.4 * OUTWARD
    found = of(frames)
    assert (found.kind, found.ended) == (events.INTACT, False)
    assert found.warned_ps == pytest.approx(0.5)
    assert found.largest == pytest.approx(0.4, abs=0.1)


def test_the_worst_that_happened_is_what_became_of_it_and_the_break_is_when_it_was_not_stable():
    frames = still()
    frames[100:, 10] += 0.7 * OUTWARD
    frames[200:, 10] += 3.0 * OUTWARD
    found = of(frames)
    assert (found.kind, found.step) == (events.H_DETACHED, 2000)
    assert found.stable_ps == pytest.approx(0.5)


def test_two_atoms_that_come_close_have_a_new_bond():
    frames = still()
    middle = (frames[300:, 0] + frames[300:, 2]) / 2
    frames[300:, 0] += 0.45 * (middle - frames[300:, 0])
    found = of(frames)
    assert (found.kind, found.step) == (events.BOND_FORMED, 3000)


@pytest.mark.parametrize(
    ("failure", "kind", "ended"),
    [
        ("nan", events.NAN, True),
        ("explosion", events.EXPLOSION, True),
        ("calculator", events.GAVE_UP, True),
        ("crash", events.INTACT, False),
        ("out-of-memory", events.INTACT, False),
    ],
)
def test_what_the_method_did_ends_a_trajectory_and_what_the_machine_did_censors_it(failure, kind, ended):
    found = of(still(), failure)
    assert (found.kind, found.ended) == (kind, ended)
    assert found.stable_ps == pytest.approx(2.0)


def test_a_trajectory_without_a_step_is_over_at_once():
    found = events.outcome(np.empty((0, 18, 3)), np.empty(0), MOLECULE, 1, "optimizer")
    assert (found.kind, found.stable_ps, found.ended) == (events.GAVE_UP, 0.0, True)


def lived(time, ended):
    return events.Outcome("", None, time, time, ended, None, None)


def test_survival_is_kaplan_and_meiers():
    # 5 at risk, one dies: 4/5; 3 at risk after one was censored: 4/5 * 2/3; then 4/5 * 2/3 * 1/2
    found = events.survival([lived(1, True), lived(2, False), lived(3, True), lived(4, True), lived(5, False)])
    assert found.times_ps == (1, 2, 3, 4, 5)
    assert found.shares == pytest.approx((0.8, 0.8, 0.8 * 2 / 3, 0.8 / 3, 0.8 / 3))
    assert (found.median_ps, found.ended, found.count) == (4, 3, 5)


def test_a_median_that_nobody_has_lived_to_see_is_none():
    found = events.survival([lived(20, False)] * 5)
    assert (found.median_ps, found.longest_ps, found.ended) == (None, 20, 0)
    assert found.shares == (1.0,)
    assert events.survival([]) is None


def test_stretched_frames_of_a_scan_do_not_lengthen_a_bond():
    numbers, molecule = np.array([8, 1]), np.array([[0, 0, 0], [0, 0, 0.96]])
    frames = molecule * np.array([0.99, 1.01, 2.0, 4.0])[:, None, None]
    found = events.topology(numbers, molecule, frames)
    assert found.lengths == pytest.approx([0.96])
    assert events.topology(numbers, molecule, frames[2:]).lengths == pytest.approx([0.96]), "none of them has the bond"
