"""Joules through real workers: a small campaign on a machine whose counters advance at a known power."""

import dataclasses
import io
import json

import pytest
from powercap import Powered, cpuinfo, server
from rich.console import Console

from bench.core.description import ParallelSpeed
from bench.core.joules import Joules
from bench.core.records import Answer
from bench.core.settings import Settings
from bench.data.structures import load_dataset
from bench.engine.display import PlainProgress
from bench.engine.metering import Metering, together
from bench.engine.runner import Campaign
from bench.environments.catalogue import Catalogue
from bench.machine.energy import Meter
from bench.protocols.replay.record import Replay
from bench.render.tables import render
from bench.results import store
from bench.results.dataframes import load
from bench.results.tables import table_of

IDLE, BUSY = 30.0, 90.0
"""Watts of each package."""
CLOSE = 0.08
"""Counters that a thread of this process advances are late on a busy machine; what must not count is a third."""
RANGE_UJ = 80_000_000
ADAPTER = '''# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "steady"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.steady]
# [tool.pesbench.methods.quick]
# ///
"""A spring from each atom to its place in the reference: with a pause in each force call, or without."""

import time

from bench.adapter import Adapter


class Steady(Adapter):
    """Both methods."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator."""
        import numpy as np
        from ase.calculators.calculator import Calculator, all_changes

        adapter, pause = self, 0.05 if method == "steady" else 0.0
        stiffness = np.linspace(1.0, 20.0, 18)[:, None]  # unlike, so that a relaxation has more than a few steps

        class Springs(Calculator):
            implemented_properties = ("energy", "forces")

            def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
                super().calculate(atoms, properties, system_changes)
                time.sleep(pause)
                away = atoms.positions - adapter.reference.positions
                forces = -stiffness * away
                self.results = {"energy": -0.5 * (forces * away).sum(), "forces": forces}

        return Springs()
'''


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    path = tmp_path_factory.mktemp("adapter") / "steady.py"
    path.write_text(ADAPTER)
    return path


def measure(directory, adapter, root, protocols=("relax", "replay"), limit=12):
    """Run a campaign on the machine in `root`; returns what was said."""
    methods = ("steady", "quick")
    settings = Settings(
        methods,
        protocols=protocols,
        rounds=1,
        repeats=False,
        limit=limit,
        replay_points=12,
        budget_s=dict.fromkeys(methods),
    )
    said = io.StringIO()
    campaign = Campaign(
        directory,
        settings,
        Catalogue([adapter]),
        load_dataset("naphthalene-gfn2"),
        PlainProgress(settings, Console(file=said, width=200)),
        ParallelSpeed(1, 1.0),
        Meter(settings.devices, root, sample_s=0.5),
    )
    campaign.begin()
    campaign.run()
    return said.getvalue()


@pytest.fixture(scope="module")
def measured(tmp_path_factory, adapter):
    root, directory = tmp_path_factory.mktemp("machine"), tmp_path_factory.mktemp("results") / "run"
    # the idle power is measured before the run directory is made
    power = dict.fromkeys(server(root), lambda: BUSY if directory.exists() else IDLE)
    # each counter wraps within three seconds: without the thread, some of the idle energy would be missing
    for counter in power:
        (counter.parent / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    with Powered(power, RANGE_UJ):
        said = measure(directory, adapter, root)
    return directory, said


def rows(directory):
    table = table_of(directory)
    return table, {(row.method, row.protocol): row for row in table.rows}


def test_joules_are_the_machines_power_times_the_clocks_time(measured):
    _, found = rows(measured[0])
    row = found["steady", "relax"]
    assert row.energy.watts == pytest.approx(2 * BUSY, rel=CLOSE)
    assert row.energy.idle_watts == pytest.approx(2 * IDLE, rel=CLOSE)
    seconds = row.ms_per_step.estimate / 1e3
    assert row.energy.joules_per_step.estimate == pytest.approx(2 * BUSY * seconds, rel=CLOSE)
    assert row.energy.joules_per_step_net.estimate == pytest.approx(2 * (BUSY - IDLE) * seconds, rel=CLOSE)
    relaxed = load(measured[0]).structures.query("method == 'steady' and status == 'converged'")
    assert len(relaxed) == 12
    assert row.energy.joules_per_molecule.estimate == pytest.approx(
        2 * BUSY * relaxed["wall_ns"].mean() / 1e9, rel=CLOSE
    )
    replay = found["steady", "replay"]
    assert replay.energy.joules_per_call.estimate == pytest.approx(
        2 * BUSY * replay.calculator_ms_per_call.estimate / 1e3, rel=CLOSE
    )
    assert replay.joules is replay.energy.joules_per_step, "an optimiser works along the paths"
    assert replay.energy.joules_per_step.estimate == pytest.approx(
        2 * BUSY * replay.ms_per_step.estimate / 1e3, rel=CLOSE
    )


def test_each_part_has_its_own_block_without_start_loading_and_answers(measured):
    contents = store.read(measured[0])
    blocks = {(one.method, one.part): one for one in contents.of(Joules)}
    assert blocks.keys() == {(method, part) for method in ("steady", "quick") for part in ("relax", "replay")}
    block = blocks["steady", "replay"]
    walls = sum(one.wall_ns for one in contents.of(Replay) if one.method == "steady") / 1e9
    assert block.work_s == pytest.approx(walls)
    assert walls <= block.seconds < 1.5 * walls + 1
    assert block.cpu_joules == pytest.approx(2 * BUSY * block.seconds, rel=CLOSE)
    assert contents.of(Answer), "there is something that must not count"
    assert (block.device_joules, block.device_idle_watts) == (None, None)


def test_too_little_work_gives_no_joules_and_a_note(measured):
    table, found = rows(measured[0])
    quick = found["quick", "relax"]
    assert quick.ms_per_step is not None
    assert (quick.energy.joules_per_step, quick.energy.no_joules) == (None, "short")
    document = json.loads(render(table, "json"))
    assert "No joules where every round has less than 5 s of work: quick." in document["notes"]
    (note,) = [note for note in document["notes"] if note.startswith("Joules are")]
    assert "Net: less the idle power before the campaign (CPU 60 W)." in note


def test_the_table_has_the_columns_and_the_machine_its_counters(measured):
    directory, said = measured
    assert "measuring the idle power for 5 s" in said
    (counter,) = store.describe(directory).machine.energy.values()
    assert counter.names == ("package-0", "package-1")
    table, _ = rows(directory)
    document = json.loads(render(table, "json"))
    (steady,) = [row for row in document["rows"] if (row["method"], row["protocol"]) == ("steady", "relax")]
    assert steady["joules_per_step"]["estimate"] > steady["joules_per_step_net"]["estimate"] > 0
    head = render(table, "markdown")
    assert "joules CPU, per step" in head
    assert "net joules CPU, per molecule" in head


def test_where_there_is_no_powercap_the_cells_are_empty_and_the_notes_say_why(tmp_path, adapter):
    cpuinfo(tmp_path, "sse2 hypervisor")
    said = measure(tmp_path / "run", adapter, tmp_path, protocols=("replay",), limit=2)
    assert "idle power" not in said
    table, found = rows(tmp_path / "run")
    assert found["steady", "replay"].energy.joules_per_call is None
    document = json.loads(render(table, "json"))
    assert "No joules on the CPU (no powercap here: a virtual machine)." in document["notes"]
    assert document["rows"][0]["joules_per_call"] == {"estimate": None, "low": None, "high": None}
    assert "joules" not in render(table, "terminal", width=400).split("No joules")[0]
    assert store.read(tmp_path / "run").of(Joules) == []


BLOCK = Joules("a", "cpu", 0, "relax", 4.0, 3.0, 400.0, 40.0, None, None)


def test_the_energy_of_a_resumed_round_is_added_to_what_was_counted_before(tmp_path):
    after = dataclasses.replace(BLOCK, seconds=1.0, work_s=1.0, cpu_joules=200.0, cpu_idle_watts=60.0)
    both = together(BLOCK, after)
    assert (both.seconds, both.work_s, both.cpu_joules, both.cpu_idle_watts) == (5.0, 4.0, 600.0, 44.0)
    without = dataclasses.replace(BLOCK, cpu_joules=None, cpu_idle_watts=None, device_joules=1.0)
    assert together(without, after) == after, "only what the same counters counted can be added"


def test_a_resumed_metering_goes_on_from_the_records(tmp_path):
    server(tmp_path)
    written = []
    metering = Metering(Meter(["cpu"], tmp_path), written.append)
    metering.take_up([BLOCK])
    path = Replay("a", "cpu", 0, 0, "converged", (1,), (0.0,), (0.0,), 2_000_000_000)
    with metering.worker({"method": "a", "device": "cpu", "round": 0}) as worker:
        worker.reported(path)  # before a phase begins, nothing counts
        worker.begins()
        worker.reported(path)
    assert [(one.part, one.work_s) for one in written] == [("replay", 2.0)]
    assert metering.blocks["a", "cpu", 0, "relax"] == BLOCK
