"""What is kept of methods on a reference set."""

import numpy as np
import pytest

from bench.data.references import labels_of
from bench.results import reference_set
from bench.results.baselines import read_baseline

MD17 = "1514011801cbf66b7a73ffada380c2153ad0ddce709e91551d03a4ecaa6584a7"


def test_a_method_with_a_baseline_has_an_error_and_another_one_has_none():
    found = reference_set.errors(["gfn2-xtb", "uff", "no-such-method"])
    assert found.keys() == {"gfn2-xtb", "uff"}
    assert found["uff"] > 5 * found["gfn2-xtb"] > 500


def test_it_is_the_median_over_structures_of_the_rms_of_a_component():
    labels = labels_of("naphthalene-md17", MD17)["wb97m-v-def2-tzvp"].forces
    forces = read_baseline("gfn2-xtb", MD17).forces
    each = [np.sqrt(((forces[i] - labels[i]) ** 2).mean()) for i in forces if i in labels]
    assert reference_set.errors(["gfn2-xtb"])["gfn2-xtb"] == pytest.approx(1e3 * np.median(each))
