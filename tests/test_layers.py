"""Data goes one way: structures, measure, records, analysis, report."""

import ast
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
# a package and what it may import of pesbench
ALLOWED = {
    "measure": {"bench.measure", "bench.contract.records", "bench.contract.failure", "bench.adapter", "bench"},
    "analysis": {"bench.analysis", "bench.contract.records", "bench.adapter"},
    "report": {
        "bench.report",
        "bench.analysis",
        "bench.contract.records",
        "bench.contract.failure",
        "bench.paths",
        "bench.errors",
        "bench.adapter",
    },
}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "bench":
                yield from (f"bench.{alias.name}" for alias in node.names)
            else:
                yield node.module


def package(name):
    return ".".join(name.split(".")[:2])


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_comes_before_it(layer):
    for path in (BENCH / layer).glob("*.py"):
        wrong = {name for name in imports(path) if name.startswith("bench")} - {
            name for name in imports(path) if package(name) in ALLOWED[layer]
        }
        assert not wrong, f"{path.name} imports {wrong}"


def test_what_runs_in_a_methods_environment_needs_only_the_standard_library_and_what_ase_brings():
    import sys

    known = {*sys.stdlib_module_names, "numpy", "ase", "scipy", "bench", "threadpoolctl"}
    alone = ("adapter.py", "failure.py", "records.py", "__init__.py")
    files = [*(BENCH / "measure").glob("*.py"), *(BENCH / name for name in alone)]
    for path in files:
        wrong = {name.split(".")[0] for name in imports(path)} - known
        assert not wrong, f"{path.name} imports {wrong}"


def test_analysis_touches_no_clock_no_file_and_no_process():
    for path in (BENCH / "analysis").glob("*.py"):
        wrong = {name.split(".")[0] for name in imports(path)} & {"time", "os", "pathlib", "subprocess", "io", "sys"}
        assert not wrong, f"{path.name} imports {wrong}"


def test_a_module_has_one_job():
    for path in BENCH.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path
