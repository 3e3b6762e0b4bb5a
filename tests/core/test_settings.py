"""Settings that make no sense are refused by name, and come back from a run directory as they were."""

import math

import pytest

from bench.core.plain import from_plain, to_plain
from bench.core.settings import MdSettings, Settings
from bench.errors import BadInput


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"protocols": ("relax", "dance")}, "no protocol 'dance'"),
        ({"devices": ("tpu",)}, "no device 'tpu'; use cpu, cuda or cuda:N"),
        ({"devices": ("cuda:one",)}, "no device 'cuda:one'"),
        ({"devices": ("cpu:1",)}, "no device 'cpu:1'"),
        ({"fmax": 0.0}, "--fmax is 0; it must be a number above zero"),
        ({"fmax": math.nan}, "--fmax is nan"),
        ({"max_steps": -1}, "--max-steps is -1"),
        ({"threads": 0}, "--threads is 0"),
        ({"rounds": 0}, "--rounds is 0"),
        ({"limit": 0}, "--limit is 0"),
        ({"budget_s": {"a": -5.0}}, "--budget is -5"),
        ({"timeout_s": math.inf}, "--timeout is inf"),
    ],
)
def test_settings_that_make_no_sense_are_named(changed, says):
    with pytest.raises(BadInput) as caught:
        Settings(methods=("a",), **changed)
    assert says in str(caught.value)


def test_settings_come_back_from_a_run_directory_as_they_were():
    settings = Settings(
        methods=("a", "b"),
        budget_s={"a": 1.0, "b": None},
        seed=5,
        md=MdSettings(ensembles=("nve",), seeds=2),
        pythons={"a": "python"},
    )
    assert from_plain(Settings, to_plain(settings)) == settings
