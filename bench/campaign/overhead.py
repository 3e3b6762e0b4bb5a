"""Measures what the harness adds to a step: the same relaxations bare and through the harness, alternating."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.campaign import tasks
from bench.campaign.plan import timeout
from bench.campaign.ready import Ready
from bench.campaign.start import start
from bench.contract.description import ParallelSpeed
from bench.contract.message import Pair, Result
from bench.contract.records import NotMeasured
from bench.contract.settings import Settings
from bench.data.selection import measuring_order
from bench.data.structures import DataSet
from bench.errors import BadInput
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method

REPEATS = 3  # per structure; the order within a pair alternates, so that a drift favours neither


def measure(
    catalogue: Catalogue,
    methods: Sequence[Method],
    dataset: DataSet,
    limit: int,
    threads: int,
    parallel: ParallelSpeed,
    say: Callable[[str], None],
) -> dict[str, list[Pair]]:
    """Return the pairs of each method; raises BadInput where one cannot run."""
    settings = Settings(methods=tuple(method.name for method in methods), threads=threads, limit=limit)
    ready = Ready(settings, catalogue, dataset, parallel, say)
    return {method.name: _pairs(ready, method) for method in methods}


def _pairs(ready: Ready, method: Method) -> list[Pair]:
    if method.native:
        raise BadInput(f"{method.name} is relaxed by its own optimiser; the harness has no part in its steps.")
    settings, dataset = ready.settings, ready.dataset
    assert dataset is not None
    prepared = ready.or_refuse(method, "cpu")
    task = tasks.overhead(
        prepared, settings, dataset, measuring_order(len(dataset.atoms))[: settings.limit], repeats=REPEATS
    )
    limit = timeout(settings, method.kind)
    with start(task, prepared.environment, parallel=ready.parallel, timeout_s=limit) as worker:
        said = list(worker.messages())
        records = [one.record for one in said if isinstance(one, Result)]
        failures = [record.failure for record in records if isinstance(record, NotMeasured)]
        failure = failures[0] if failures else worker.failure()
    if failure is not None:
        raise BadInput(f"{method.name} cannot run here: {failure.message}")
    pairs = [one for one in said if isinstance(one, Pair)]
    if not any(pair.bare_steps and pair.harness_steps for pair in pairs):
        raise BadInput(f"{method.name} made no step; there is nothing to compare.")
    return pairs
