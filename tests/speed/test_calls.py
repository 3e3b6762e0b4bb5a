"""A force call of each offline method, pipe and harness included: `make speed` gives the figures."""

import pytest

from bench.core.protocol import REPLAY
from bench.core.settings import Settings
from bench.core.task import Item
from bench.core.turn import Turn
from bench.data.structures import load_dataset
from bench.engine import tasks
from bench.engine.paced import ComparedWorker
from bench.engine.plan import timeout
from bench.engine.ready import Ready
from bench.engine.start import start
from bench.environments.catalogue import Catalogue
from bench.protocols.replay.record import Replay

pytestmark = pytest.mark.environment

POINTS = 2000
ROUNDS = {"uff-ase": 500, "gfn2-xtb": 100, "7net-0": 20}


@pytest.fixture
def worker(request):
    """Return a warm worker of the method, which waits for its turn."""
    catalogue = Catalogue()
    method = catalogue.methods[request.param]
    settings = Settings(methods=(method.name,), protocols=(REPLAY,), replay_points=POINTS)
    dataset = load_dataset("naphthalene-gfn2")
    prepared = Ready(settings, catalogue, dataset, None, print).or_refuse(method, "cpu")
    task = tasks.measure(prepared, settings, dataset, [Item(REPLAY, 0)], 0, paced=True)
    limit = timeout(settings, method.kind)
    with start(task, prepared.environment, parallel=None, timeout_s=limit) as process:
        records = []
        made = ComparedWorker(method.name, process, records.append)
        made.listen()
        yield made
        made.finish()
    (replay,) = [record for record in records if isinstance(record, Replay)]
    assert replay.failure is None


@pytest.mark.parametrize("worker", ROUNDS, indirect=True)
def test_a_force_call(benchmark, worker):
    benchmark.pedantic(worker.take_turn, args=(Turn(calls=1),), rounds=ROUNDS[worker.name], warmup_rounds=2)
