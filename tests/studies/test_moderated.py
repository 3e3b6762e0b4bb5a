"""The moderated variances of the study are those of limma."""

import numpy as np
import pytest
from moderated import alike, moderate, prior, trigamma_inverse
from scipy import special, stats


def test_the_inverse_of_trigamma_is_exact():
    assert trigamma_inverse(np.array([np.pi**2 / 6, np.pi**2 / 2])) == pytest.approx([1.0, 0.5], rel=1e-12)
    known = np.geomspace(0.01, 1e5, 60)
    assert trigamma_inverse(special.polygamma(1, known)) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize(("d0", "typical", "freedom"), [(4.0, 0.04, 2.0), (12.0, 9.0, 4.0)])
def test_the_prior_that_was_put_in_is_found(d0, typical, freedom):
    # a sample variance over the typical one follows F
    drawn = typical * stats.f.rvs(freedom, d0, size=(1, 200_000), random_state=np.random.default_rng(1))
    found, scale = prior(drawn, freedom, np.ones(drawn.shape, dtype=bool))
    assert found[0] == pytest.approx(d0, rel=0.05)
    assert scale[0] == pytest.approx(typical, rel=0.02)


def test_variances_mix_by_degrees_of_freedom():
    variances = np.array([[0.3, 0.6, 1.0, 1.8, 3.0, 0.2]])
    assert alike(variances, 8.0).all()
    (d0,), (typical,) = prior(variances, 8.0, np.ones((1, 6), dtype=bool))
    found, freedom = moderate(variances, 8.0)
    assert 1.0 < d0 < 40.0
    assert found[0] == pytest.approx((d0 * typical + 8.0 * variances[0]) / (d0 + 8.0))
    assert freedom[0] == pytest.approx(d0 + 8.0)


def test_equal_variances_are_pooled_with_all_degrees_of_freedom():
    found, freedom = moderate(np.full((1, 12), 0.7), 2.0)
    assert found[0] == pytest.approx(0.7)
    assert (freedom == 24.0).all()


@pytest.mark.parametrize("methods", [2, 3, 4])
def test_few_methods_keep_their_own_variances(methods):
    variances = np.random.default_rng(2).chisquare(2, (50, methods))
    found, freedom = moderate(variances, 2.0)
    assert (found == variances).all()
    assert (freedom == 2.0).all()


def test_a_wild_method_is_kept_apart_and_does_not_touch_the_others():
    usual = np.random.default_rng(3).chisquare(2, (1, 11)) / 2
    wild = np.concatenate([usual, [[400.0]]], axis=1)
    assert alike(wild, 2.0)[0].tolist() == [True] * 11 + [False]
    (found, freedom), (without, less) = moderate(wild, 2.0), moderate(usual, 2.0)
    assert (found[0, -1], freedom[0, -1]) == (400.0, 2.0)
    assert found[0, :-1] == pytest.approx(without[0])
    assert freedom[0, :-1] == pytest.approx(less[0])


def test_where_wanted_no_variance_becomes_smaller():
    variances = np.random.default_rng(4).chisquare(2, (20, 12)) / 2
    never, usual = moderate(variances, 2.0, never_smaller=True)[0], moderate(variances, 2.0)[0]
    assert (never >= variances).all()
    assert (never == np.maximum(usual, variances)).all()
    assert (usual < variances).any()
