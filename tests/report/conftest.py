"""One table that has everything: two devices, random weights, a failure, a censored DFT row, names to escape."""

from __future__ import annotations

import pandas as pd
import pytest
from synthetic import campaign, method, relaxations, steps_of

from bench.analysis.summary import summarise
from bench.analysis.table import Table
from bench.report import paper


def _campaign(gpus: list[str]) -> dict:
    made = campaign()
    made["machine"]["gpus"] = gpus
    made["settings"]["budget_s"] = {"7net-0": 300.0, "gfn2-xtb": 120.0}
    return made


METHODS = [
    method("uff", kind="force-field", paper="uff", label="UFF (Open Babel CG)", optimizer="native"),
    method("gfn2-xtb", kind="semi-empirical", label="GFN2-xTB 100 % & {tblite}_x"),
    method("7net-0", label="SevenNet-0"),
    method("nequix-mp-1", label="Nequix MP-1", paper="nequix-mp-1", note="50 % of A_b & #1 ~ C^2 \\ $5 <x> {y} | z"),
    method("eqv2-m", label="eqV2 M", paper="eqv2-m", weights="random"),
    method("7net-l3i5", label="SevenNet-l3i5", failure="out-of-memory", message="the memory did not suffice"),
    method("pbe0-def2-svp", kind="dft", paper="pbe0-def2-svp", label="PBE0/def2-SVP (NWChem, cold guess)"),
]
DFT = relaxations("pbe0-def2-svp", 33422.0, count=1, rounds=1, status="censored", steps=9)
FRAMES = [
    relaxations("uff", 0.1534, native=True),
    relaxations("gfn2-xtb", 24.3),
    relaxations("7net-0", 113.24, noise=0.1),
    relaxations("nequix-mp-1", 61.0),
    relaxations("eqv2-m", 812.0),
    DFT,
]


@pytest.fixture(scope="session")
def cpu_table() -> Table:
    return summarise(
        _campaign([]), pd.DataFrame(METHODS), pd.concat(FRAMES, ignore_index=True), steps_of(DFT), paper=paper.read()
    )


@pytest.fixture(scope="session")
def gpu_table() -> Table:
    methods = [
        *METHODS,
        method("7net-0", "cuda", label="SevenNet-0"),
        method("nequix-mp-1", "cuda", label="Nequix MP-1", paper="nequix-mp-1"),
        method("gfn2-xtb", "cuda", kind="semi-empirical", label="GFN2-xTB", failure="no-device", message="CPU only"),
    ]
    frames = [*FRAMES, relaxations("7net-0", 22.0, "cuda"), relaxations("nequix-mp-1", 31.0, "cuda", count=37)]
    return summarise(
        _campaign(["NVIDIA H200"]),
        pd.DataFrame(methods),
        pd.concat(frames, ignore_index=True),
        steps_of(DFT),
        paper=paper.read(),
    )
