"""A force call of each offline method, pipe and harness included: `make speed` gives the figures."""

import pytest

from bench.campaign import launch
from bench.campaign.local import LocalWorker
from bench.campaign.paced import PacedWorker
from bench.campaign.plan import timeout
from bench.contract.settings import Settings
from bench.data.selection import replay_path
from bench.data.structures import load_dataset
from bench.methods import weights
from bench.methods.catalogue import Catalogue

pytestmark = pytest.mark.environment

POINTS = 2000
ROUNDS = {"uff-ase": 500, "gfn2-xtb": 100, "7net-0": 20}


@pytest.fixture
def worker(request, tmp_path):
    """Return a warm worker of the method, which waits for its turn."""
    catalogue = Catalogue()
    method = catalogue.methods[request.param]
    header = catalogue.header(method)
    settings = Settings(methods=(method.name,), protocols=("replay",), replay_points=POINTS)
    dataset = load_dataset("naphthalene-gfn2")
    environment, chosen = weights.ready(method, header, settings, "cpu")
    path = replay_path(dataset.atoms[0], dataset.reference, POINTS)
    structure = launch.Structure(0, dataset.atoms[0], ("replay",), path)
    task = launch.task(
        method, header, "cpu", 0, settings, environment, chosen, [structure], dataset.reference, paced=True
    )
    process = LocalWorker(
        launch.command(environment),
        launch.variables(settings, "cpu"),
        task,
        tmp_path / "log",
        timeout(settings, method.kind),
    )
    records = []
    made = PacedWorker(method.name, process, records.append)
    try:
        made.listen()
        yield made
        made.finish()
        (replay,) = [record for record in records if record.record == "replay"]
        assert replay.failure is None
    finally:
        process.stop()


@pytest.mark.parametrize("worker", ROUNDS, indirect=True)
def test_a_force_call(benchmark, worker):
    benchmark.pedantic(worker.take_turn, args=(1,), rounds=ROUNDS[worker.name], warmup_rounds=2)
