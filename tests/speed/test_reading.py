"""How long it takes to read and tabulate a long run: `pytest --benchmark-enable tests/speed` gives the figures."""

import random

import pytest

from bench.analysis.summary import summarise
from bench.contract.records import Relaxation
from bench.data.structures import load_dataset
from bench.paper import table1 as paper
from bench.report.tables import render
from bench.runs import frames, store

METHODS, STRUCTURES, ROUNDS, STEPS = 10, 101, 50, 20  # about a million steps
FACTS = {
    "family": "synthetic",
    "kind": "mlip",
    "paper": None,
    "note": "",
    "native": False,
    "weights": "none",
    "dtype": "float64",
    "parameters": None,
}


@pytest.fixture(scope="module")
def million_steps(tmp_path_factory):
    dataset = load_dataset("naphthalene-gfn2")
    names = [f"method-{number}" for number in range(METHODS)]
    campaign = {
        "pesbench": "0",
        "settings": {"devices": ["cpu"], "optimizer": "BFGS", "threads": 1},
        "dataset": {"name": dataset.name, "count": STRUCTURES},
        "methods": {name: {"label": name, **FACTS} for name in names},
    }
    writer = store.create(tmp_path_factory.mktemp("run") / "million", campaign, dataset)
    draw = random.Random(1)
    positions = tuple(map(tuple, dataset.reference.positions.tolist()))
    lines = []
    for name in names:
        for round_number in range(ROUNDS):
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


def test_a_million_steps_are_read_and_tabulated(benchmark, million_steps):
    def tabulate():
        run = frames.load(million_steps)
        return render(summarise(run.campaign, run.methods, run.structures, run.steps, paper=paper.read()), "json")

    table = benchmark.pedantic(tabulate, rounds=3)
    assert table.count('"ms_per_step"') == METHODS
    assert len(frames.load(million_steps).steps) == METHODS * STRUCTURES * ROUNDS * (STEPS + 1)
