"""Every adapter's environment for a GPU can be resolved; nothing is installed, and no GPU is needed."""

from pathlib import Path

import pytest

from bench.environments import resolution, uv
from bench.environments.header import read_header
from bench.environments.uv import EnvironmentFailed

ADAPTERS = [
    path
    for path in sorted((Path(__file__).parents[2] / "adapters").glob("*.py"))
    if any("cuda" in method.devices for method in read_header(path).methods.values())
]
LINUX = "x86_64-unknown-linux-gnu"
ON_A_GPU = {
    "torch": "nvidia-cudnn",
    "jax": "jax-cuda12-plugin",
    "tensorflow": "nvidia-cudnn",
    "pyscf": "gpu4pyscf-cuda12x",
}
"""What a build for a GPU brings along, by the library that a method computes with."""


@pytest.fixture(scope="module")
def index():
    trouble = uv.index_trouble()
    if trouble is not None:
        pytest.skip(trouble)


def names(resolved):
    return {line.partition("==")[0].partition("[")[0] for line in resolved}


@pytest.mark.environment
@pytest.mark.parametrize("python", ["3.11", "3.12"])
@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_environment_for_a_gpu_resolves_with_builds_for_a_gpu(index, path, python, tmp_path, monkeypatch):
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):  # a CPU wheel in a folder would be taken before the index's torch
        monkeypatch.delenv(name, raising=False)
    found = names(resolution.resolve(read_header(path), "cuda", python, tmp_path, LINUX))
    brought = [needed for library, needed in ON_A_GPU.items() if library in found]
    assert brought, f"{path.name} has none of {', '.join(ON_A_GPU)}"
    for needed in brought:
        assert any(name.startswith(needed) for name in found), needed


@pytest.mark.environment
def test_what_cannot_be_resolved_is_told(index, tmp_path):
    path = tmp_path / "impossible.py"
    path.write_text(
        '# /// script\n# dependencies = ["six==1.16.0"]\n# [tool.pesbench]\n# family = "Six"\n# kind = "mlip"\n'
        '# devices = ["cpu", "cuda"]\n# cuda-dependencies = ["six==99.0"]\n# [tool.pesbench.methods.six]\n# ///\n'
    )
    header = read_header(path)
    assert "six==1.16.0" in resolution.resolve(header, "cpu", "3.12", tmp_path, LINUX)
    with pytest.raises(EnvironmentFailed, match=r"six==99\.0"):
        resolution.resolve(header, "cuda", "3.12", tmp_path, LINUX)


def test_triton_of_pytorchs_index_has_no_date_and_is_taken_all_the_same():
    assert resolution.torch_options("cu128")[2:] == ["--exclude-newer-package", "triton=false"]
    assert resolution.torch_options(None) == []
