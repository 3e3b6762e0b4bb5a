"""A small part of the study of the conditions of use, which fails where a figure is wrong."""

import conditions
import numpy as np
import pytest


@pytest.mark.parametrize("name", ["resumed", "regress", "engines", "tune", "joules"])
def test_figures_are_right_on_average_and_their_intervals_contain_the_truth(name):
    errors, inside, wrong = [], [], []
    for _, found in conditions.FIGURES[name](np.random.default_rng(1), 15):
        for one in found.values():
            errors += one.errors
            inside += one.inside
            wrong += one.wrong
    assert abs(np.mean(errors)) < 0.005 + 3 * np.std(errors) / np.sqrt(len(errors))
    assert np.mean(inside) > 0.92
    assert np.mean(wrong or [False]) < 0.05


def test_successive_releases_are_right_however_they_were_measured():
    ((_, found),) = conditions.timeline(np.random.default_rng(1), 60)
    for one in found.values():
        assert abs(np.mean(one.errors)) < 0.01
        assert np.mean(one.inside) > 0.92
    widths = {name: np.median(one.widths) for name, one in found.items()}
    assert widths["next over this"] < widths["over the newest"]
