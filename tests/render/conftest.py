"""Tables that have everything: two devices, random weights, a failure, a censored DFT row, names to escape."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations, replays, steps_of

from bench.analysis.methods import MeasuredMethod
from bench.analysis.summary import summarise
from bench.analysis.table import Table
from bench.paper import table1 as paper
from bench.paper.claims import judged

METHODS = [
    method("uff", kind="force-field", paper="uff", label="UFF (Open Babel CG)", optimizer="native"),
    method("gfn2-xtb", kind="semi-empirical", label="GFN2-xTB 100 % & {tblite}_x"),
    method("7net-0", label="SevenNet-0"),
    method("nequix-mp-1", label="Nequix MP-1", paper="nequix-mp-1", note="50 % of A_b & #1 ~ C^2 \\ $5 <x> {y} | z"),
    method("eqv2-m", label="eqV2 M", paper="eqv2-m", weights="random"),
    method("7net-l3i5", label="SevenNet-l3i5", failure="out-of-memory", message="memory ran out"),
    method("pbe0-def2-svp", kind="dft", paper="pbe0-def2-svp", label="PBE0/def2-SVP (NWChem, cold guess)"),
]
ON_GPU = [
    method("7net-0", "cuda", label="SevenNet-0"),
    method("nequix-mp-1", "cuda", label="Nequix MP-1", paper="nequix-mp-1"),
    method("eqv2-m", "cuda", label="eqV2 M", paper="eqv2-m", weights="random"),
    method("gfn2-xtb", "cuda", kind="semi-empirical", label="GFN2-xTB", failure="no-device", message="CPU only"),
]
DFT = relaxations("pbe0-def2-svp", 33422.0, count=1, rounds=1, status="censored", steps=9)
RELAXED = [
    relaxations("uff", 0.1534, native=True),
    relaxations("gfn2-xtb", 24.3),
    relaxations("7net-0", 113.24, noise=0.1),
    relaxations("nequix-mp-1", 61.0),
    DFT,
]
ON_GPU_RELAXED = [relaxations("7net-0", 22.0, "cuda"), relaxations("nequix-mp-1", 31.0, "cuda", count=37)]
RANDOM = [replays("eqv2-m", 812.0)]
RANDOM_ON_GPU = [replays("eqv2-m", 80.0, "cuda")]
PATHS = [
    replays("uff", 0.04),
    replays("gfn2-xtb", 24.0),
    replays("7net-0", 110.0, noise=0.1),
    replays("nequix-mp-1", 58.0),
    replays("pbe0-def2-svp", 31000.0, count=1, rounds=1),
]
PATHS_ON_GPU = [replays("7net-0", 21.0, "cuda"), replays("nequix-mp-1", 29.0, "cuda", count=37)]


def table_of(
    methods: list[MeasuredMethod],
    relaxed: list[pd.DataFrame],
    paths: list[pd.DataFrame],
    protocols: tuple[str, ...],
    gpus: tuple[str, ...],
) -> Table:
    made = campaign(
        settings={
            "budget_s": {"7net-0": 300.0, "gfn2-xtb": 120.0},
            "protocols": protocols,
            "replay_points": 10,
        }
    )
    made = dataclasses.replace(made, machine=dataclasses.replace(made.machine, gpus=gpus))
    measured = measurements(methods, relaxed, paths, made, steps=steps_of(pd.concat(relaxed)) if relaxed else None)
    figures = paper.read()
    return judged(summarise(measured, paper=figures), figures)


@pytest.fixture(scope="session")
def cpu_table() -> Table:
    return table_of(METHODS, RELAXED, RANDOM, ("relax",), ())


@pytest.fixture(scope="session")
def gpu_table() -> Table:
    methods = [*METHODS, *ON_GPU]
    return table_of(methods, RELAXED + ON_GPU_RELAXED, RANDOM + RANDOM_ON_GPU, ("relax",), ("NVIDIA H200",))


@pytest.fixture(scope="session")
def both_table() -> Table:
    """Return a table of relaxations and replays on the CPU."""
    return table_of(METHODS, RELAXED, RANDOM + PATHS, ("relax", "replay"), ())


@pytest.fixture(scope="session")
def stepped_table() -> Table:
    """Return the first table as a run has it since an optimiser works along replayed paths."""
    return table_of(METHODS, RELAXED, [replays("eqv2-m", 812.0, update=0.1)], ("relax",), ())


@pytest.fixture(scope="session")
def stepped_both_table() -> Table:
    """Return such a table of relaxations and replays on the CPU; UFF, whose optimiser is its own, has only calls."""
    paths = [replays("uff", 0.04), replays("eqv2-m", 812.0, update=0.1)]
    paths += [replays("gfn2-xtb", 24.0, update=0.1), replays("7net-0", 110.0, noise=0.1, update=0.1)]
    paths += [replays("nequix-mp-1", 58.0, update=0.1)]
    paths += [replays("pbe0-def2-svp", 31000.0, count=1, rounds=1, update=0.0)]
    return table_of(METHODS, RELAXED, paths, ("relax", "replay"), ())


@pytest.fixture(scope="session")
def both_gpu_table() -> Table:
    """Return a table of relaxations and replays on both devices."""
    paths = RANDOM + RANDOM_ON_GPU + PATHS + PATHS_ON_GPU
    return table_of([*METHODS, *ON_GPU], RELAXED + ON_GPU_RELAXED, paths, ("relax", "replay"), ("NVIDIA H200",))


@pytest.fixture(scope="session")
def replay_table() -> Table:
    """Return a table of replays alone, on both devices."""
    paths = RANDOM + RANDOM_ON_GPU + PATHS + PATHS_ON_GPU
    return table_of([*METHODS, *ON_GPU], [], paths, ("replay",), ("NVIDIA H200",))
