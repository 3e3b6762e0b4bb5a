"""bench.data.selection: which structures are measured, in which order, and along which paths."""

from __future__ import annotations

import numpy as np
import pytest

from bench.data.selection import measuring_order, select_evenly


def test_the_selection_takes_the_nearest_available_index_and_the_lower_of_a_tie():
    assert select_evenly([9, 1, 14, 21, 27, 33], count=4, spacing=10) == [1, 9, 21, 27]


def test_the_selection_from_a_complete_trajectory_is_the_exact_grid():
    assert select_evenly(range(326_250)) == [3250 * k for k in range(101)]


def test_the_selection_does_not_depend_on_the_order_of_the_files_or_on_repeated_frames():
    assert select_evenly([21, 1, 1, 9, 21], count=3, spacing=10) == [1, 9, 21]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 64, 101, 300])
def test_the_measuring_order_is_a_permutation(n):
    assert sorted(measuring_order(n)) == list(range(n))


def test_the_measuring_order_starts_with_structures_far_apart():
    assert measuring_order(101)[:5] == [0, 50, 25, 75, 12]


@pytest.mark.parametrize("n", [7, 101, 300])
def test_every_prefix_of_the_measuring_order_covers_the_trajectory_evenly(n):
    order = measuring_order(n)
    for length in range(1, n + 1):
        # the trajectory's end counts as a border too
        gaps = np.diff([*sorted(order[:length]), n])
        assert gaps.max() <= 2 * n / length + 1, length
