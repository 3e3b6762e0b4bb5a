"""How long it takes to read and tabulate a long run: `pytest --benchmark-enable tests/speed` gives the figures."""

import random

import pytest

from bench.core.description import DataSetFacts, Description, MethodFacts
from bench.core.settings import Settings
from bench.data.structures import load_dataset
from bench.protocols.relax.record import Relaxation
from bench.render.tables import render
from bench.results import dataframes, store
from bench.results.tables import table_of

METHODS, STRUCTURES, STEPS = 10, 101, 20


@pytest.fixture(scope="module")
def rounds(request):
    """Return how many rounds the run has: with fifty it has about a million steps; without figures, two will do."""
    return 2 if request.config.getoption("benchmark_disable") else 50


@pytest.fixture(scope="module")
def million_steps(tmp_path_factory, rounds):
    dataset = load_dataset("naphthalene-gfn2")
    names = [f"method-{number}" for number in range(METHODS)]
    description = Description(
        settings=Settings(tuple(names)),
        dataset=DataSetFacts(name=dataset.name, count=STRUCTURES),
        methods={name: MethodFacts(name, "synthetic", "mlip") for name in names},
    )
    writer = store.create(tmp_path_factory.mktemp("run") / "million", description, dataset)
    draw = random.Random(1)
    positions = tuple(map(tuple, dataset.reference.positions.tolist()))
    lines = []
    for name in names:
        for round_number in range(rounds):
            for structure in range(STRUCTURES):
                ones = (1,) * (STEPS + 1)
                trace = {
                    "calculator_ns": tuple(draw.randrange(10**8, 2 * 10**8) for _ in ones),
                    "optimizer_ns": tuple(draw.randrange(10**6, 2 * 10**6) for _ in ones),
                    "harness_ns": tuple(draw.randrange(10**3, 2 * 10**4) for _ in ones),
                    "force_calls": ones,
                    "energy": tuple(draw.uniform(-120, -118) for _ in ones),
                    "fmax": tuple(draw.uniform(0, 5) for _ in ones),
                }
                record = Relaxation(
                    method=name,
                    device="cpu",
                    round=round_number,
                    structure=structure,
                    optimizer="BFGS",
                    status="converged",
                    steps=STEPS,
                    force_calls=STEPS + 1,
                    energy=-119.0,
                    fmax=0.04,
                    positions=positions,
                    wall_ns=10**9,
                    trace=trace,
                )
                lines.append(store.to_json(record))
    (writer.directory / "records.jsonl").write_text("\n".join(lines) + "\n")
    return writer.directory


def test_a_million_steps_are_read_and_tabulated(benchmark, million_steps, rounds):
    def tabulate():
        return render(table_of(million_steps), "json")

    table = benchmark.pedantic(tabulate, rounds=3)
    assert table.count('"ms_per_step"') == METHODS
    assert len(dataframes.load(million_steps).steps) == METHODS * STRUCTURES * rounds * (STEPS + 1)
