"""Which head of a MACE model runs, and which charges it takes; a water molecule and very small random models."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.environment

SCRIPT = """
import json, sys
from pathlib import Path
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
folder = Path(sys.argv[2])
import mace.modules  # before e3nn
import numpy as np
import torch
from ase.build import molecule
from e3nn import o3


def save(name, heads, embedding=None):
    block = mace.modules.RealAgnosticResidualInteractionBlock
    torch.manual_seed(1)
    model = mace.modules.ScaleShiftMACE(
        r_max=5.0, num_bessel=4, num_polynomial_cutoff=5, max_ell=1, interaction_cls=block,
        interaction_cls_first=block, num_interactions=2, num_elements=2, hidden_irreps=o3.Irreps("8x0e + 8x1o"),
        MLP_irreps=o3.Irreps("4x0e"), atomic_energies=np.zeros((len(heads), 2)), avg_num_neighbors=3.0,
        atomic_numbers=[1, 8], correlation=2, gate=torch.nn.functional.silu, heads=heads, embedding_specs=embedding,
        atomic_inter_scale=[1.0] * len(heads), atomic_inter_shift=[0.0] * len(heads),
    )
    torch.save(model, folder / name)


def load(method, name):
    return adapter.load(method, "cpu", "float64", 1, folder / name)


def refusal(call):
    try:
        call()
    except ValueError as error:
        return str(error)


def charged(**info):
    atoms = molecule("H2O")
    atoms.info.update(info)
    return atoms


save("two.model", ["spice", "omol"])
save("other.model", ["spice", "omat"])
save("single.model", ["Default"])
save("charges.model", ["omol"], {
    "total_spin": {"type": "categorical", "per": "graph", "in_dim": 1, "emb_dim": 8, "num_classes": 9, "offset": 0},
    "total_charge": {"type": "categorical", "per": "graph", "in_dim": 1, "emb_dim": 8, "num_classes": 9, "offset": 4},
})
seen = {"wrong_head": refusal(lambda: load("mace-mh-1", "other.model"))}
load("mace-mpa-0", "single.model")
seen["single"] = adapter.settings()
load("mace-mh-1", "two.model")
seen["omol"] = adapter.settings()
seen["ion"] = refusal(lambda: adapter.prepare(charged(charge=1)))
seen["triplet"] = refusal(lambda: adapter.prepare(charged(spin=3)))
seen["carbon"] = refusal(lambda: adapter.prepare(molecule("CH4")))
adapter.knobs = {"compile": "on"}
seen["two_threads"] = refusal(lambda: adapter.load("mace-mh-1", "cpu", "float64", 2, folder / "two.model"))
adapter.knobs = {}
calculator = load("mace-omol-0", "charges.model")
seen["charges"] = adapter.settings()
seen["energies"] = []
for info in ({}, {"charge": 0, "spin": 1}, {"charge": 1, "spin": 2}, {"charge": 0, "spin": 3}):
    atoms = adapter.prepare(charged(**info))
    seen["energies"].append(adapter.new_structure(calculator, atoms).get_potential_energy(atoms))
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def seen(in_environment, tmp_path_factory):
    done = in_environment("mace.py", SCRIPT, tmp_path_factory.mktemp("models"))
    return json.loads(done.stdout.splitlines()[-1])


def test_a_model_without_the_head_is_refused_though_mace_would_take_another(seen):
    assert seen["wrong_head"] == "other.model has no head 'omol', but spice, omat"


def test_the_head_that_was_asked_for_runs(seen):
    assert (seen["omol"]["head"], seen["omol"]["heads"]) == ("omol", ["spice", "omol"])


def test_a_single_head_needs_no_name(seen):
    assert seen["single"]["head"] == "Default"


def test_a_model_that_knows_no_charge_refuses_ions_and_triplets(seen):
    assert "neutral singlets only" in seen["ion"]
    assert "neutral singlets only" in seen["triplet"]


def test_an_element_that_the_model_does_not_know_is_refused(seen):
    assert "atomic number 6" in seen["carbon"]


def test_it_is_not_compiled_for_several_threads_of_a_cpu_because_its_forces_would_be_wrong(seen):
    assert "wrong forces; use one thread" in seen["two_threads"]


def test_a_model_that_knows_charges_gets_them_and_else_a_neutral_singlet(seen):
    unsaid, neutral, cation, triplet = seen["energies"]
    assert unsaid == neutral
    assert min(abs(cation - neutral), abs(triplet - neutral), abs(cation - triplet)) > 1e-6
    assert seen["charges"]["charge_and_spin"] != seen["omol"]["charge_and_spin"]
