"""Each protocol has its place in every registry."""

from bench.analysis.summaries import SUMMARIES
from bench.campaign.schedule import OF_ROUND
from bench.contract.protocol import PARTS, PHASES, PROTOCOL_OF, PROTOCOLS, STRUCTURES
from bench.measure.measurers import MEASURERS
from bench.report.shown import SHOWN


def test_each_protocol_is_measured_summed_up_and_shown():
    assert set(MEASURERS) == set(SUMMARIES) == set(SHOWN) == set(PROTOCOLS)


def test_each_protocol_has_rows_in_the_table_of_times_or_a_table_of_its_own():
    assert all((one.rows is None) == (one.times is None) != (one.table is None) for one in SUMMARIES.values())


def test_each_protocol_that_does_not_go_from_structure_to_structure_has_a_plan():
    assert set(OF_ROUND) == {name for name, one in PROTOCOLS.items() if one.phase != STRUCTURES}


def test_names_and_phases_agree():
    assert all(name == one.name for name, one in PROTOCOLS.items())
    assert {one.phase for one in PROTOCOLS.values()} == set(PHASES)
    assert set(PROTOCOL_OF.values()) == set(PROTOCOLS)
    assert len({part.record for part in PARTS.values()}) == len(PARTS), "a record tells which part it is of"
