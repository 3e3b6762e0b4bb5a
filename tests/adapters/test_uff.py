"""UFF takes several molecules as they are, and refuses a molecule that only its bond perception took apart."""

import json
import subprocess

import pytest

from bench.paths import PROJECT

pytestmark = pytest.mark.environment

SCRIPT = """
import importlib.util, json, sys
import numpy as np
from ase import Atoms
from ase.build import molecule

sys.path.insert(0, {project!r})
spec = importlib.util.spec_from_file_location("uff", {project!r} + "/adapters/uff.py")
uff = importlib.util.module_from_spec(spec)
spec.loader.exec_module(uff)

water, argon = molecule("H2O"), Atoms("Ar")
far = water.copy()
far.translate([0, 0, 3.0])
noble = argon.copy()
noble.translate([0, 0, 4.0])
pulled = molecule("C2H6")
pulled.positions[[1, 5, 6, 7]] += (pulled.positions[1] - pulled.positions[0]) * 0.4
# a hydrogen atom near two others: Open Babel takes one of its bonds away again
crowded = molecule("CH3CH2OH")
crowded.positions[3] = 0.5 * (crowded.positions[1] + crowded.positions[2]) + [0.0, 0.0, 0.9]
blown_up = water.copy()
blown_up.positions *= 3
found = {{}}
cases = dict(cluster=water + far, noble=water + noble, pulled=pulled, blown_up=blown_up, crowded=crowded)
for name, atoms in cases.items():
    try:
        found[name] = uff._ForceField(atoms).bonds
    except ValueError as error:
        found[name] = str(error)
print(json.dumps(found))
"""


def test_molecules_that_are_clearly_apart_are_taken_and_torn_ones_are_not(method_python):
    code = SCRIPT.format(project=str(PROJECT))
    done = subprocess.run([method_python("uff.py"), "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["cluster"] == 4
    assert found["noble"] == 2
    assert "atoms 0 and 1 are too far apart" in found["crowded"]
    assert "atoms 0 and 1 are too far apart for a bond, and too near for none, in the reference C2H6" in found["pulled"]
    assert "no bond is perceived at atom 0, O, in the reference H2O" in found["blown_up"]
