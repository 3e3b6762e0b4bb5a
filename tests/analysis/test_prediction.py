"""Predicted times: the arithmetic, and whether the interval covers a planted truth that was held out."""

import numpy as np
import pytest
from scipy import stats

from bench.analysis import prediction
from bench.analysis.prediction import PROCESSES, Prior, Relaxed


def pair(random, structures, seconds, scatter, others=6):
    """Measure one process of a planted method until its time is up; return the prediction and a later measurement.

    The other process relaxes all structures to their end. `scatter` is that of processes, `seconds` a number of steps.
    """
    ms = float(np.exp(random.normal(3.0, 1.0)))
    usual = np.exp(random.normal(3.6, 0.4))
    count = np.maximum(np.rint(usual * np.exp(random.normal(0.0, 0.25, structures))), 1).astype(int)
    # the other methods have other minima, at the same structures
    of_others = [float(count.mean() * np.exp(random.normal(0.0, 0.3))) for _ in range(others)]
    here, later = (ms * np.exp(random.normal(0.0, scatter)) for _ in range(2))
    left, relaxed = int(seconds), {}
    for structure, steps in enumerate(count):
        made = min(int(steps), left)
        if made < 1:
            break
        relaxed[structure] = Relaxed(made, made == steps)
        left -= made
    found = prediction.steps(relaxed, of_others, structures)
    assert found is not None
    # a step of a measured process is an average of many, which scatter by 4 %
    noise = np.exp(random.normal(0.0, 0.04 / np.sqrt(sum(one.steps for one in relaxed.values()))))
    predicted = prediction.relaxation([here * noise], found, here, len(relaxed))
    return predicted, (later * count.mean() + later) / 1e3


@pytest.mark.parametrize(
    ("structures", "seconds"),
    [(1, 1000), (1, 10), (8, 1000), (8, 60), (30, 200)],
    ids=["one structure", "one cut structure", "all of eight", "two of eight", "some of thirty"],
)
@pytest.mark.parametrize("scatter", [0.0, 0.05, 0.12], ids=["alike", "5 %", "12 %"])
def test_the_interval_covers_what_another_process_needs_in_27_of_30_pairs(structures, seconds, scatter):
    random = np.random.default_rng(structures + seconds)
    covered = []
    for _ in range(20):
        pairs = [pair(random, structures, seconds, scatter) for _ in range(30)]
        covered.append(sum(found.low <= truth <= found.high for found, truth in pairs))
    assert np.mean(covered) >= 28.0  # 93 %; the target is 27 of 30
    assert np.mean(np.array(covered) >= 27) >= 0.8


def test_a_scatter_beyond_what_is_assumed_is_not_covered():
    random = np.random.default_rng(0)
    pairs = [pair(random, 1, 1000, 0.5) for _ in range(200)]
    assert np.mean([found.low <= truth <= found.high for found, truth in pairs]) < 0.8


def test_cut_relaxations_do_not_make_the_molecules_look_easy():
    random, ratios = np.random.default_rng(1), []
    for _ in range(300):
        count = np.rint(40 * np.exp(random.normal(0.0, 0.25, 8))).astype(int)
        relaxed, left = {}, 130
        for structure, steps in enumerate(count):
            if left > 0:
                relaxed[structure] = Relaxed(min(int(steps), left), steps <= left)
                left -= steps
        ratios.append(prediction.steps(relaxed, [], 8).mean / count.mean())
    assert 0.97 < np.mean(ratios) < 1.03


def test_one_that_relaxed_nothing_takes_the_steps_of_the_others_and_at_least_its_own():
    guessed = prediction.steps({0: Relaxed(5, False)}, [40.0, 50.0], 1)
    assert not guessed.measured
    assert 40 < guessed.mean < 60
    longer = prediction.steps({0: Relaxed(400, False)}, [40.0, 50.0], 1)
    assert longer.mean * np.exp(-longer.reach[0]) >= 399
    assert prediction.steps({0: Relaxed(5, False)}, [], 1) is None


def test_a_relaxed_structure_leaves_nothing_to_guess_but_the_process():
    found = prediction.steps({0: Relaxed(40, True)}, [90.0], 1)
    assert found.mean == 40
    assert found.reach == (0.0, 0.0)
    seconds = prediction.relaxation([10.0], found, 10.0, 1)
    assert seconds.estimate == pytest.approx(0.41)
    # Student's factor for four degrees of freedom, and two processes
    assert seconds.high / seconds.estimate == pytest.approx(np.exp(2.776 * PROCESSES.sd * 2**0.5), rel=1e-3)


def test_more_processes_count_beside_what_is_assumed():
    alike, unlike = [0.0, 0.0, 0.0], [-0.5, 0.0, 0.5]
    one = prediction.of_one_more([0.0])[0]
    assert prediction.of_one_more(alike)[0] < one < prediction.of_one_more(unlike)[0]
    assert prediction.pooled(unlike, Prior(0.1, 4)) == (pytest.approx((4 * 0.01 + 0.5) / 6), 6)


def test_a_nanosecond_is_two_million_force_calls():
    found = prediction.hours_per_ns([3.6], 1)
    assert found.estimate == pytest.approx(2.0)
    assert found.low < 2.0 < found.high


def test_many_molecules_take_their_share_of_the_processes_and_one_start():
    each = prediction.relaxation([10.0], prediction.steps({0: Relaxed(99, True)}, [], 1), 10.0, 1)
    alone = prediction.for_molecules(each, 1000, 1, 1.0, 5.0)
    both = prediction.for_molecules(each, 1000, 2, 1.8, 5.0)
    assert alone.estimate == pytest.approx(1005.0)
    assert both.estimate == pytest.approx(1000 / 1.8 + 5.0)
    # how well they share the machine is not known
    assert both.high / both.estimate > alone.high / alone.estimate


def test_the_steps_of_some_structures_say_less_of_all():
    """A mean over eight of which four were relaxed: half of the variance of a mean of four is of those not seen."""
    relaxed = {number: Relaxed(steps, True) for number, steps in enumerate((20, 30, 45, 60))}
    logs = np.log([20, 30, 45, 60])
    variance = (4 * 0.25**2 + ((logs - logs.mean()) ** 2).sum()) / 7
    found = prediction.steps(relaxed, [], 8)
    assert found.mean == pytest.approx(38.75)
    assert found.reach == pytest.approx((stats.t.ppf(0.975, 7) * np.sqrt(variance / 4 * 0.5),) * 2)
    assert prediction.steps(relaxed, [], 4).reach == (0.0, 0.0), "of those that were relaxed it is no guess"
