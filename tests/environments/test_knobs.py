"""Knobs that a user chooses for a method: what is refused, and where the choice shows."""

import dataclasses
from pathlib import Path

import pytest

from bench.core.settings import Settings
from bench.environments.catalogue import Catalogue
from bench.environments.header import Knob
from bench.environments.knobs import choose, values, with_knobs
from bench.errors import BadInput

TUNABLE = Path(__file__).parents[1] / "fakes" / "tunable.py"


@pytest.fixture
def catalogue():
    return Catalogue([TUNABLE])


def test_the_precision_is_chosen_like_a_knob(catalogue):
    assert values(catalogue.methods["tunable"], "cpu") == {
        "speed": ("plain", "fast"),
        "kernel": ("right", "wrong", "broken"),
        "dtype": ("float64", "float32"),
    }
    chosen = with_knobs(catalogue.methods["tunable"], {"dtype": "float32", "speed": "plain"}, ["cpu"])
    assert chosen.dtypes == ("float32",)
    assert chosen.chosen == {"speed": "plain"}


def test_the_label_says_what_differs_from_the_default_and_nothing_else(catalogue):
    method = catalogue.methods["tunable"]
    assert with_knobs(method, {"speed": "fast", "dtype": "float32"}, ["cpu"]).label == (
        "a pause per call [speed=fast, dtype=float32]"
    )
    assert with_knobs(method, {"speed": "plain", "dtype": "float64"}, ["cpu"]).label == "a pause per call"


def test_a_default_is_that_of_the_device(catalogue):
    method = dataclasses.replace(
        catalogue.methods["tunable"], knobs={"speed": Knob(("fast", "plain"), (), {"cpu": "plain"})}
    )
    assert [values(method, device)["speed"][0] for device in ("cpu", "cuda")] == ["plain", "fast"]
    assert with_knobs(method, {"speed": "plain"}, ["cpu"]).label == "a pause per call"
    assert with_knobs(method, {"speed": "plain"}, ["cpu", "cuda:1"]).label == "a pause per call [speed=plain]"


@pytest.mark.parametrize(
    ("method", "chosen", "says"),
    [
        ("tunable", {"colour": "red"}, "tunable has no knob 'colour' on cpu; it has speed, kernel, dtype."),
        ("tunable", {"speed": "red"}, "the knob speed of tunable cannot be 'red'; it can be plain or fast."),
        ("tunable", {"dtype": "float16"}, "the knob dtype of tunable cannot be 'float16'; it can be float64 or"),
        ("untunable", {"speed": "fast"}, "untunable has no knob 'speed' on cpu; it exists only on cuda."),
    ],
)
def test_a_choice_that_does_not_exist_is_refused_by_name(catalogue, method, chosen, says):
    with pytest.raises(BadInput) as caught:
        choose(catalogue, Settings(methods=(method,), knobs=chosen))
    assert says in str(caught.value)


def test_a_knob_belongs_to_one_method():
    with pytest.raises(BadInput, match="--knob belongs to one method; name that one"):
        Settings(methods=("a", "b"), knobs={"compile": "on"})
