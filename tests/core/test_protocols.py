"""Each protocol is a folder that has all its parts."""

import pytest

from bench import protocols
from bench.analysis.summary import SUMMARIES
from bench.core.protocol import STRUCTURES
from bench.protocols import PARTS, PHASES, PROTOCOL_OF, PROTOCOLS
from bench.render.shown import SHOWN


def test_each_protocol_is_summed_up_and_shown():
    assert list(SUMMARIES) == list(SHOWN) == list(PROTOCOLS)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_each_protocol_is_measured(name):
    assert protocols.module(name, "measure").Measurer.measure


def test_a_folder_need_not_have_every_module():
    assert protocols.module("relax", "read") is None


def test_each_protocol_has_rows_in_the_table_of_times_or_a_table_of_its_own():
    assert all((one.rows is None) == (one.times is None) != (one.table is None) for one in SUMMARIES.values())


def test_what_is_measured_together_has_the_structures_as_its_items():
    assert not [one.name for one in PROTOCOLS.values() if one.phase == STRUCTURES and one.items is not None]


def test_names_and_phases_agree():
    assert all(name == one.name for name, one in PROTOCOLS.items())
    assert {one.phase for one in PROTOCOLS.values()} == set(PHASES)
    assert set(PROTOCOL_OF.values()) == set(PROTOCOLS)
    assert len({part.record for part in PARTS.values()}) == len(PARTS), "a record tells which part it is of"
