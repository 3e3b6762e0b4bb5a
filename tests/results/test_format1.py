"""A run that version 0.1 wrote: every verb reads it, a lone surrogate in a message included.

The run is in ``format1/``: three structures, of which two were measured, with a line of which json wrote ``\\udce9``.
"""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bench.analysis.summary import summarise
from bench.core.records import FORMAT
from bench.errors import BadInput
from bench.render.shown import SHOWN
from bench.results import dataframes, history, store, tables, widths

RUN = Path(__file__).parent / "format1"
LATER = ("accuracy", "scaling", "throughput")


@pytest.fixture(scope="module")
def table():
    return tables.table_of(RUN)


def test_its_table_has_the_figures_that_version_0_1_gave(table):
    rows = {(row.method, row.protocol): row for row in table.rows}
    assert rows["uff", "relax"].ms_per_step.estimate == pytest.approx(0.18891658381000107)
    # two rounds of two structures: both parts of the variance have one degree of freedom
    logs = np.log([[24474326, 24840704], [23877066, 24298730]])  # of 129 steps each
    rounds, structures = (logs.mean(axis=axis).var(ddof=1) / 2 for axis in (0, 1))
    rest = (logs[0, 0] - logs[0, 1] - logs[1, 0] + logs[1, 1]) ** 2 / 4
    reach = stats.t.ppf(0.975, 1) * math.sqrt(rounds + structures - rest / 4)
    assert rows["uff", "relax"].ms_per_step.low == pytest.approx(0.18891658381000107 * math.exp(-reach))
    # version 0.1 counted the first call at a structure, too, and gave 0.21938517079304432 and 2.863963330203426
    assert rows["uff", "replay"].calculator_ms_per_call.estimate == pytest.approx(0.1319302244216691)
    assert rows["gfn2-xtb", "replay"].calculator_ms_per_call.estimate == pytest.approx(0.4766309383041277)
    assert (rows["uff", "relax"].done, rows["uff", "relax"].total) == (2, 2)
    assert not any(row.doubts for row in table.rows)
    assert rows["gfn2-xtb", "relax"].own["md"].verdict == "warn"


def test_a_campaign_plans_by_the_intervals_of_the_table():
    rows = summarise(dataframes.load(RUN).measurements(), relative_to="uff").rows
    found = widths.of_rows(rows)
    row = next(row for row in rows if row.method == "gfn2-xtb" and row.relative is not None)
    assert found["uff", "cpu"] == 0.0
    assert found[row.key] == pytest.approx(math.log(row.relative.high / row.relative.low) / 2)
    assert widths.half_widths(RUN) == {}, "no MLIP was measured, so there is no reference"


def test_a_message_with_a_lone_surrogate_is_read_and_can_be_printed(table):
    row = next(row for row in table.rows if (row.method, row.protocol) == ("gfn2-xtb", "relax"))
    assert row.failures == {"calculator": 1}
    assert row.message == "RuntimeError: no file caf\N{REPLACEMENT CHARACTER} here"
    assert table.damaged == ()
    SHOWN["relax"].render(table, "terminal", width=80).encode()


@pytest.mark.parametrize("protocol", ["relax", "replay", "md"])
def test_it_is_shown_and_drawn(protocol):
    shown, made = SHOWN[protocol], tables.shown_as(RUN, protocol)
    for form in shown.formats:
        assert "GFN2-xTB (tblite)" in shown.render(made, form)
    assert shown.draw(made).axes


@pytest.mark.parametrize("protocol", LATER)
def test_it_has_none_of_the_protocols_that_came_later(protocol):
    with pytest.raises(BadInput, match=f"has no records of the protocol {protocol}"):
        tables.shown_as(RUN, protocol)


def test_it_is_compared_kept_in_a_history_and_loaded(table, tmp_path):
    run = dataframes.load(RUN)
    found = tables.compared(run, dataframes.load(shutil.copytree(RUN, tmp_path / "copy")), 0.05)
    assert {one.ratio.estimate for one in found.comparisons} == {1.0}
    assert len(history.entries(run, table)) == 4
    assert run.trajectories["file"].notna().all()
    assert len(run.trajectory(run.trajectories["file"][0]).potential) > 50


def test_it_can_be_resumed(tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(RUN, copy)
    description = store.describe(copy)
    assert store.stored_dataset(copy, description).name == "three.xyz"
    before = store.read(copy).records
    writer = store.RunWriter(copy)
    writer.append(before[-1])
    writer.close()
    assert len(store.read(copy).records) == len(before)
    assert description.plain()["format"] == FORMAT
    assert store.log_of(copy, "uff", "cuda:1", 2).parent.is_dir(), "git keeps no empty folder"
