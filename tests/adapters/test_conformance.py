"""The conformance kit on every family that can run here: on water, which every method is fast on.

Each worker is a fork of a process that has imported the method's libraries. What the command `conform` prints is tested
with fakes (engine/test_conform_campaign.py), and workers as users start them in test_real_methods.py.
"""

import contextlib
import os
import shutil
from pathlib import Path

import pytest
from ase import Atoms
from ase.io import write

from bench.core.description import ParallelSpeed
from bench.core.settings import Settings
from bench.data.structures import load_dataset
from bench.engine.conform import conform
from bench.environments.catalogue import Catalogue
from bench.environments.knobs import choose
from bench.paths import PROJECT

pytestmark = pytest.mark.environment

METHODS = [
    *("uff", "uff-ase", "gfn2-xtb", "7net-0", "7net-mf-0", "so3lr", "pbe0-def2-svp"),
    *("ani-1ccx", "ani-1x", "chgnet-0.3.0", "chgnet-r2scan"),
    # with random weights where their checkpoints cannot be had
    *(
        "mace-mh-1",
        "grace-2l-oam",
        "mattersim-v1-5m",
        "eqv2-m",
        "orb-v3",
        "orb-v3-direct-20-omat",
        "orb-v3-conservative-omol",
    ),
    *("sevennet-mf-ompa", "uma-s-1p2", "pet-mad-1.5-s"),
]
CATALOGUE = Catalogue()
WEIGHTS = os.environ.get("PESBENCH_WEIGHTS")
for name in ("nequix-mp-1", "mace-mp-0-small", "orb-d3-xs-v2"):
    file = CATALOGUE.methods[name].checkpoint.file
    missing = pytest.mark.skipif(
        not (WEIGHTS and list(Path(WEIGHTS).rglob(file))), reason=f"{file} is not in PESBENCH_WEIGHTS"
    )
    METHODS.append(pytest.param(name, marks=missing))
if shutil.which("nwchem"):
    METHODS += ["pbe0-def2-svp-nwchem", "pbe0-def2-svp-nwchem-as-ase"]


@pytest.fixture(scope="module")
def water(tmp_path_factory):
    path = tmp_path_factory.mktemp("water") / "water.xyz"
    images = [
        Atoms("OH2", [(0, 0, 0), (0.80, 0.60, 0), (-0.75, 0.62, 0.05)]),
        Atoms("OH2", [(0, 0, 0), (0.72, 0.58, 0.10), (-0.81, 0.55, 0)]),
    ]
    write(path, images, format="extxyz")
    return load_dataset(path)


UNCOMPILED = {"uma-s-1p2", "orb-v3", "orb-v3-direct-20-omat", "orb-v3-conservative-omol", "orb-d3-xs-v2"}
"""Compiled by default, for a minute or two; test_real_methods.py relaxes a molecule with orb-d3-xs-v2 compiled."""


@pytest.mark.parametrize("name", METHODS)
def test_every_adapter_does_what_the_interface_promises(forked, water, monkeypatch, name):
    @contextlib.contextmanager
    def start(task, environment, **_):
        yield forked(task)

    monkeypatch.setattr("bench.engine.conform.start", start)
    monkeypatch.setenv("PESBENCH_CACHE", str(PROJECT / ".cache" / "tests"))
    catalogue = Catalogue()
    (method,) = catalogue.select(name)
    knobs = {"compile": "off"} if name in UNCOMPILED else {}
    settings = Settings(methods=(method.name,), threads=1, knobs=knobs)
    choose(catalogue, settings)
    method = catalogue.methods[method.name]  # with the chosen values
    checks = conform(catalogue, method, water, settings, "cpu", ParallelSpeed(1, 1.0), print)
    wrong = [f"{check.name}: {check.figure} ({check.tolerance})" for check in checks if check.passed is False]
    assert not wrong
    assert sum(check.passed is True for check in checks) > 15
    passed = {check.name: check.passed for check in checks}
    for kind, taken in (("the charge", method.charge), ("the spin multiplicity", method.spin)):
        assert passed[f"{kind} reaches the method"] is (True if taken else None)
