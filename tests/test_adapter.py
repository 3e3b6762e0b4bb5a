"""What an adapter file imports: the interface, what torch families share, charge and spin, and files of version 0.1."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import molecule

from bench.adapter import TorchAdapter, charge_and_spin, shipped_checkpoint
from bench.core.compiler import without_compiler
from bench.environments.header import sha256
from bench.measure.conform import conform
from bench.measure.loading import load_adapter
from bench.paths import PROJECT

OLD = Path(__file__).parent / "fakes" / "from_0_1.py"


def test_importing_the_interface_imports_the_standard_library_alone():
    code = "import sys; import bench.adapter; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert not ours & {"ase", "numpy", "torch", "scipy"}
    assert "bench" in ours


@pytest.mark.parametrize(
    ("name", "info", "expected"),
    [
        ("H2O", {}, (0, 1)),
        ("CH3", {}, (0, 2)),
        ("H2O", {"charge": 1}, (1, 2)),
        ("H2O", {"charge": -2}, (-2, 1)),
        ("O2", {"spin": 3}, (0, 3)),
        ("H2O", {"charge": 1, "spin": 4}, (1, 4)),
    ],
)
def test_what_a_structure_does_not_say_is_neutral_and_of_the_lowest_multiplicity(name, info, expected):
    atoms = molecule(name)
    atoms.info = info
    assert charge_and_spin(atoms) == expected


@pytest.mark.parametrize("info", [{"spin": 2}, {"charge": 1, "spin": 1}, {"spin": 0}, {"spin": 13}])
def test_a_multiplicity_that_the_electrons_cannot_have_is_an_error(info):
    atoms = molecule("H2O")
    atoms.info = info
    with pytest.raises(ValueError, match=r"electrons cannot have the multiplicity \d"):
        charge_and_spin(atoms)


@pytest.mark.parametrize(
    ("device", "there", "variables", "expected"),
    [
        ("cpu", ["g++"], {}, ""),
        ("cpu", ["gcc"], {}, "this machine has no C++ compiler (g++)"),
        ("cpu", ["g++"], {"CXX": "icpx -O3"}, "this machine has no C++ compiler (icpx)"),
        ("cpu", ["icpx"], {"CXX": "icpx -O3"}, ""),
        ("cuda:0", ["clang"], {}, ""),
        ("cuda:0", ["g++"], {}, "this machine has no C compiler (gcc or clang)"),
    ],
)
def test_what_is_missing_for_torch_compile_is_told(monkeypatch, tmp_path, device, there, variables, expected):
    for name in there:
        (tmp_path / name).touch(mode=0o755)
    (tmp_path / "Python.h").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert without_compiler(device) == expected
    adapter = TorchAdapter()
    adapter.knobs = {"compile": "on"}
    really = adapter.compiles(device)
    assert really == (not expected)
    assert adapter.compiled(really) == (f"off: {expected}" if expected else True)
    (tmp_path / "Python.h").unlink()
    assert "Python.h" in without_compiler(device) or expected


class FakeTorch(types.ModuleType):
    """As much of torch as an adapter on it needs; it keeps what it was told."""

    float32 = "torch.float32"

    def __init__(self):
        super().__init__("torch")
        self.waited_for = []
        self.cuda = types.SimpleNamespace(
            synchronize=self.waited_for.append,
            max_memory_allocated=lambda device: 1000 * (1 + device.index),
            get_device_name=lambda device: f"NVIDIA {device.index}",
            get_device_capability=lambda device: (9, 0),
        )
        self.version = types.SimpleNamespace(cuda="13.0")
        self.backends = types.SimpleNamespace(
            cuda=types.SimpleNamespace(matmul=types.SimpleNamespace(allow_tf32=False)),
            cudnn=types.SimpleNamespace(allow_tf32=True),
        )
        self.cpu = types.SimpleNamespace()

    def device(self, text):
        kind, _, index = text.partition(":")
        return types.SimpleNamespace(type=kind, index=int(index) if index else None)

    def set_num_threads(self, threads):
        self.threads = threads

    def get_num_threads(self):
        return self.threads

    def get_float32_matmul_precision(self):
        return "highest"


class Parameter:
    """A tensor, as far as it is looked at."""

    def __init__(self, count, dtype="torch.float32", device="cpu"):
        self.count, self.dtype, self.device = count, dtype, device

    def numel(self):
        return self.count


class OnTorch(TorchAdapter):
    """What an adapter on torch has to do by itself."""

    def load(self, method, device, dtype, threads, checkpoint):
        self.set_up_torch(device, threads)
        tensors = [Parameter(10, device=device), Parameter(5, "torch.float64", device)]
        self.model = types.SimpleNamespace(parameters=lambda: iter(tensors))


@pytest.fixture
def torch(monkeypatch):
    fake = FakeTorch()
    monkeypatch.setitem(sys.modules, "torch", fake)
    return fake


def loaded(device):
    adapter = OnTorch()
    adapter.load("m", device, "float32", 3, None)
    return adapter


def test_an_adapter_on_torch_waits_for_the_device_that_it_was_loaded_on(torch):
    adapter = loaded("cuda:1")
    adapter.synchronize()
    assert [device.index for device in torch.waited_for] == [1]
    assert adapter.peak_device_memory() == 2000


def test_on_a_cpu_there_is_nothing_to_wait_for(torch):
    adapter = loaded("cpu")
    adapter.synchronize()
    assert torch.waited_for == []
    assert adapter.peak_device_memory() is None


def test_an_adapter_on_torch_tells_what_all_such_families_share(torch):
    adapter = loaded("cuda:0")
    assert adapter.count_parameters() == 15
    assert adapter.settings() == {
        "parameter_dtypes": ["float32", "float64"],
        "float32_matmul_precision": "highest",
        "device": "cuda:0",
        "threads": 3,
        "gpu": "NVIDIA 0",
        "compute_capability": "9.0",
        "cuda": "13.0",
        "tf32_matmul": False,
        "tf32_cudnn": True,
    }
    assert loaded("cpu").settings().keys() == {"parameter_dtypes", "float32_matmul_precision", "device", "threads"}


def test_a_shipped_checkpoint_has_to_be_the_one_of_the_header(tmp_path):
    path = tmp_path / "weights.txt"
    path.write_bytes(b"4.0 1.2\n")
    assert shipped_checkpoint(str(OLD), "old-springs", path) == path
    path.write_bytes(b"another")
    with pytest.raises(ValueError, match=hashlib.sha256(b"another").hexdigest()):
        shipped_checkpoint(str(OLD), "old-springs", path)


def test_a_shipped_checkpoint_may_be_a_folder_with_one_hash_over_names_and_bytes(tmp_path):
    lines = ["/// script", "[tool.pesbench]", 'family = "F"', 'kind = "mlip"', "[tool.pesbench.methods.m]"]
    folder = tmp_path / "networks"
    for name in ("0/weights", "1/weights", "sizes"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    adapter = tmp_path / "folder.py"
    lines += [f'checkpoint = {{ file = "networks", licence = "MIT", shipped = true, sha256 = "{sha256(folder)}" }}']
    adapter.write_text("".join(f"# {line}\n" for line in [*lines, "///"]))
    assert shipped_checkpoint(str(adapter), "m", folder) == folder
    (folder / "0" / "weights").write_bytes(b"another")
    with pytest.raises(ValueError, match="was not loaded"):
        shipped_checkpoint(str(adapter), "m", folder)
    (folder / "0" / "weights").write_bytes(b"0/weights")
    (folder / "1").rename(folder / "2")
    with pytest.raises(ValueError, match="was not loaded"):
        shipped_checkpoint(str(adapter), "m", folder)


def test_an_adapter_file_of_version_0_1_conforms():
    adapter = load_adapter(OLD)
    adapter.reference = molecule("CH3CH2OH")
    structures = [molecule("CH3CH2OH"), molecule("CH3CH2OH")]
    for seed, structure in enumerate(structures):
        structure.rattle(0.05, seed=seed)
    calculator = adapter.load("old-springs", "cpu", "float64", 1, None)
    facts = {"method": "old-springs", "device": "cpu", "dtype": "float64", "threads": 8, "conservative": True}
    facts |= {"parameters": 2, "native": False, "weights": "pretrained", "charge": False, "spin": False}
    assert [check for check in conform(adapter, calculator, structures, facts) if check.passed is False] == []


def test_an_adapter_file_of_version_0_1_still_refuses_ions_by_itself():
    adapter = load_adapter(OLD)
    for info, said in (
        ({"charge": 1, "spin": 2}, "charge 1, multiplicity 2"),
        ({"spin": 3}, "charge 0, multiplicity 3"),
    ):
        with pytest.raises(ValueError, match=f"old springs knows neutral singlets only, not {said}"):
            adapter.prepare(Atoms("H2O", info=info))


def test_an_adapter_file_of_version_0_1_is_measured(pesbench, tmp_path):
    done = pesbench(
        *("run", "--adapter", OLD, "--methods", "old-springs", "--structures", "naphthalene-gfn2", "--limit", "2"),
        *("--rounds", "1", "--threads", "1", "--max-steps", "5", "--no-repeats", "--output", tmp_path, "--json"),
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["failures"] == {}
    assert row["parameters"] == 2
    assert row["ms_per_step"]["estimate"] > 0
