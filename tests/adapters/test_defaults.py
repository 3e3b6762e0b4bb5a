"""What the rows with a published name run is what upstream's documented calculator runs by default.

The settings that really ran, as the workers reported them, are compared with upstream's own default values, which are
read from the installed packages: the arguments of their functions, their configurations.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess

import pytest

import bench
from bench.core.compiler import without_compiler
from bench.environments.catalogue import Catalogue
from bench.environments.knobs import values
from bench.paths import PROJECT

pytestmark = pytest.mark.environment
KEPT = PROJECT / ".cache" / "tests"

PRELUDE = """
import inspect, json, warnings
warnings.simplefilter("ignore")

def defaults(function):
    return {name: one.default for name, one in inspect.signature(function).parameters.items()}

def switch(on):
    return "on" if on else "off"

def stress(on):
    return "computed with the forces" if on else "off"
"""
TORCH = """
import torch
precision = torch.get_float32_matmul_precision()  # before anything was imported that might set it
"""
# Each sets `settings`, upstream's defaults on a CPU in the words of the adapter's settings, and `on_gpu`, the knobs
# that are upstream's defaults on a GPU.
UPSTREAM = {
    "mace-mh-1": f"""{TORCH}
import mace.modules
from mace.calculators import MACECalculator, mace_mp
loader, calculator = defaults(mace_mp), defaults(MACECalculator.__init__)
kernel = "e3nn" if not calculator["enable_cueq"] and not calculator["enable_oeq"] else "accelerated"
compiled = calculator["compile_mode"] is not None
settings = {{
    "parameter_dtypes": [loader["default_dtype"]],
    "dispersion": "none added" if not loader["dispersion"] else "added",
    "kernel": kernel,
    "compiled": compiled,
    "float32_matmul_precision": torch.get_float32_matmul_precision(),
}}
on_gpu = {{"compile": switch(compiled), "kernel": kernel, "tf32": switch(precision == "high")}}
""",
    "grace-2l-oam": """
from tensorpotential.calculator import foundation_models
from tensorpotential.calculator.asecalculator import TPCalculator
loader = defaults(foundation_models.grace_fm)
told = foundation_models.MODELS_METADATA["GRACE-2L-OAM"]
settings = {
    "padding": {
        "atoms": loader["pad_atoms_number"],
        "neighbours": loader["pad_neighbors_fraction"],
        "reductions": loader["max_number_reduction_recompilation"],
    },
    "uncertainty": switch(loader["enable_uq"]),
    "engine": {"diverse": "segment_sum", "uniform": "dense"}[defaults(TPCalculator.__init__)["mode"]],
    "parameter_dtypes": [{"fp32": "float32", "fp64": "float64"}[told[foundation_models.PRECISION_KEY]]],
}
on_gpu = {}
""",
    "mattersim-v1-5m": f"""{TORCH}
from mattersim.forcefield import MatterSimCalculator, Potential
computed = defaults(MatterSimCalculator.__init__)["compute_stress"]
rounded = defaults(Potential.__init__)["allow_tf32"]
settings = {{"stress": stress(computed), "float32_matmul_precision": "high" if rounded else "highest"}}
on_gpu = {{"stress": switch(computed), "tf32": switch(rounded)}}
""",
    "eqv2-m": f"""{TORCH}
import importlib.util, sys, types
from torch_geometric.utils import scatter
sys.modules["torch_scatter"] = types.ModuleType("torch_scatter")
sys.modules["torch_scatter"].scatter = scatter
from fairchem.core.common.registry import registry
registry.register("imports_setup", True)
from fairchem.core import OCPCalculator
calculator = defaults(OCPCalculator.__init__)
settings = {{
    "amp": not calculator["disable_amp"],
    "stress": stress(calculator["only_output"] is None),
    "float32_matmul_precision": precision,
}}
on_gpu = {{"tf32": switch(precision == "high")}}
""",
    "orb-v3": f"""{TORCH}
from orb_models.forcefield import featurization_utilities, pretrained
from orb_models.forcefield.calculator import ORBCalculator
loader, calculator = defaults(pretrained.orb_v3_conservative_inf_omat), defaults(ORBCalculator.__init__)
kind, _, products = loader["precision"].partition("-")
edges = calculator["edge_method"] or featurization_utilities.get_default_edge_method(torch.device("cpu"), 3, False)
settings = {{
    "parameter_dtypes": [kind],
    "float32_matmul_precision": products,
    "compiled": pretrained._should_compile(torch.device("cpu"), loader["compile"]),
    "edge_method": edges,
    "stress": stress(True),
}}
compiled = pretrained._should_compile(torch.device("cuda"), loader["compile"])
on_gpu = {{"compile": switch(compiled), "tf32": switch(products == "high")}}
""",
    "sevennet-mf-ompa": f"""{TORCH}
from sevenn.calculator import SevenNetCalculator
calculator = defaults(SevenNetCalculator.__init__)
kernel = "accelerated" if any(calculator[f"enable_{{name}}"] for name in ("cueq", "flash", "oeq")) else "e3nn"
settings = {{"kernel": kernel, "stress": stress(True), "float32_matmul_precision": precision}}
on_gpu = {{"kernel": kernel, "tf32": switch(precision == "high")}}
""",
    "uma-s-1p2": """
from fairchem.core.calculate.pretrained_mlip import get_predict_unit
from fairchem.core.models.uma.nn.execution_backends import get_execution_backend
from fairchem.core.units.mlip_unit.api import inference
preset = inference.NAME_TO_INFERENCE_SETTING[defaults(get_predict_unit)["inference_settings"]]
assert inference.NITRO_CHECKPOINT != "uma-s-1p2"  # fairchem goes on without nitro where it cannot serve
assert preset.execution_mode is None  # the general one, but on a GPU its Triton kernels
settings = {
    "compiled": preset.compile,
    "merge_mole": preset.merge_mole,
    "tf32": preset.tf32,
    "nitro": False,
    "activation_checkpointing": preset.activation_checkpointing,
    "parameter_dtypes": [str(preset.base_precision_dtype).removeprefix("torch.")],
    "kernel": type(get_execution_backend("general")).__name__,
    "graph": f"version {preset.internal_graph_gen_version}",
    "stress": stress(preset.auto_add_default_untrained_tasks),
}
on_gpu = {
    "compile": switch(preset.compile),
    "merge-mole": switch(preset.merge_mole),
    "stress": switch(preset.auto_add_default_untrained_tasks),
    "tf32": switch(preset.tf32),
}
""",
    "nequix-mp-1": """
import jax
from nequix.calculator import NequixCalculator
calculator = defaults(NequixCalculator.__init__)
settings = {
    "backend": calculator["backend"],
    "capacity_multiplier": calculator["capacity_multiplier"],
    "kernel": "e3nn-jax",  # the README: the kernels are for a GPU
    "matmul_precision": jax.config.jax_default_matmul_precision,
}
on_gpu = {
    "kernel": "openequivariance" if calculator["use_kernel"] else "e3nn-jax",
    "capacity-multiplier": str(calculator["capacity_multiplier"]),
    "tf32": switch(jax.config.jax_default_matmul_precision != "highest"),
}
""",
    "pet-mad-1.5-s": f"""{TORCH}
from metatomic_ase import MetatomicCalculator
from upet.ase import UPETCalculator
calculator, inner = defaults(UPETCalculator.__init__), defaults(MetatomicCalculator.__init__)
threshold = calculator["uncertainty_threshold"]
settings = {{
    "uncertainty": switch(threshold is not None),
    "uncertainty_threshold": threshold,
    "stress": stress(inner["do_gradients_with_energy"]),
    "neighbour_skin": inner["neighbor_skin"],
    "forces": "gradient of the energy" if calculator["non_conservative"] is False else "direct head",
    "rotational_average": switch(calculator["rotational_average_order"] is not None),
    "float32_matmul_precision": precision,
}}
assert calculator["dtype"] is None  # the checkpoint's
on_gpu = {{
    "uncertainty": settings["uncertainty"],
    "stress": switch(inner["do_gradients_with_energy"]),
    "tf32": switch(precision == "high"),
}}
""",
}
UNPUBLISHED = {
    "so3lr": """
import importlib.resources, torch
from so3krates_torch.calculator.so3 import SO3LRCalculator
calculator = defaults(SO3LRCalculator.__init__)
file = importlib.resources.files("so3krates_torch.pretrained.so3lr") / "so3lr.model"
model = torch.load(file, map_location="cpu", weights_only=False)
settings = {
    "parameter_dtypes": [calculator["default_dtype"] or str(next(model.parameters()).dtype).removeprefix("torch.")],
    "long_range_cutoff": calculator["r_max_lr"],
    "stress": stress(calculator["compute_stress"]),
}
""",
    "gfn2-xtb": """
from tblite.ase import TBLite
names = ("accuracy", "electronic_temperature", "max_iterations", "mixer", "mixer_damping")
settings = {name: TBLite.default_parameters[name] for name in names}
""",
}
"""Of other methods, which carry no published name."""
NAMES = [*UPSTREAM]


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue()


@pytest.fixture(scope="module")
def upstream(method_python, catalogue, tmp_path_factory):
    """Return a function from a method to upstream's defaults, read in the method's environment.

    They are kept between tests, until the environment is made anew or other code reads them: to import a library only
    to look at its signatures takes seconds.
    """
    home = str(tmp_path_factory.mktemp("home"))  # some make folders there when they are imported

    @functools.cache
    def read(name):
        (method,) = catalogue.select(name)
        python = method_python(method.adapter.name)
        code = f"{PRELUDE}{(UPSTREAM | UNPUBLISHED)[name]}\nprint(json.dumps([settings, vars().get('on_gpu')]))"
        environment = python.parents[1].resolve()
        key = f"{environment.name} {environment.stat().st_mtime_ns} {code}"
        kept = KEPT / "defaults" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(asked(python, code))
        return json.loads(kept.read_text())

    def asked(python, code):
        done = subprocess.run(
            [python, "-c", code],
            env={**os.environ, "HOME": home, "XDG_CACHE_HOME": home, "JAX_PLATFORMS": "cpu"},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    return read


def differing(ran, default):
    return {name: (ran.get(name), value) for name, value in default.items() if ran.get(name) != value}


@pytest.mark.parametrize("name", NAMES)
def test_what_ran_is_upstreams_default(upstream, random_run, name):
    (record,) = random_run(name).contents.started
    found = differing(record.settings, upstream(name)[0])
    if missing := without_compiler("cpu"):
        found = {setting: pair for setting, pair in found.items() if pair != (f"off: {missing}", True)}
    assert found == {}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_gpu_would_run_is_upstreams_default(upstream, catalogue, name):
    (method,) = catalogue.select(name)
    chosen = {knob: each[0] for knob, each in values(method, "cuda").items()}
    on_gpu = upstream(name)[1]
    assert {knob: chosen[knob] for knob in on_gpu} == on_gpu


@pytest.mark.parametrize("name", UNPUBLISHED)
def test_other_methods_run_upstreams_defaults_too(upstream, real_run, name):
    (record,) = (one for one in real_run.contents.started if one.method == name)
    assert differing(record.settings, upstream(name)[0]) == {}


OPEN_BABEL = """
import sys
from ase.build import molecule
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
adapter.reference = molecule("C6H6")
calculator = adapter.load("uff", "cpu", "float64", 1, None)
distorted = adapter.reference.copy()
distorted.rattle(0.1, seed=1)
ours = adapter.native_relax(calculator, distorted, 5000)
steps = 0
while not ours.step():
    steps += 1
relaxed = distorted.copy()
ours.finish(relaxed)

own = adapter.native_relax(calculator, distorted, 5000)  # the molecule as it was, then with no argument but a limit
own._force_field.instance.ConjugateGradientsInitialize()
while own._force_field.instance.ConjugateGradientsTakeNSteps(1):
    pass
again = distorted.copy()
own.finish(again)
print(steps, abs(relaxed.positions - again.positions).max())
"""


def test_open_babels_conjugate_gradients_end_where_its_defaults_end(method_python, catalogue):
    (method,) = catalogue.select("uff")
    done = subprocess.run(
        [method_python("uff.py"), "-c", OPEN_BABEL, method.adapter],
        env={**os.environ, "PYTHONPATH": str(method.adapter.parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    steps, difference = done.stdout.split()
    assert int(steps) > 20
    assert float(difference) == 0


def test_a_machine_without_a_compiler_runs_eagerly_and_the_row_says_so(pesbench, tmp_path):
    done = pesbench(
        *("run", "--methods", "orb-v3", "--weights", "random", "--limit", "1", "--rounds", "1"),
        *("--structures", "naphthalene-gfn2", "--replay-points", "3", "--threads", "1", "--budget", "none"),
        *("--no-repeats", "--output", tmp_path / "results", "--json"),
        PATH=str(tmp_path),
        PESBENCH_CACHE=str(KEPT),  # with the checkpoint of the other tests
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = bench.load(tmp_path / "results").contents.started
    assert record.settings["compiled"] == "off: this machine has no C++ compiler (g++)"
    (note,) = (one for one in json.loads(done.stdout)["notes"] if one.startswith("Measured uncompiled"))
    assert "Orb-v3 conservative inf OMat: this machine has no C++ compiler (g++)" in note
