"""Every adapter file that comes with pesbench: what its header must say, and what the file may import."""

import ast
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from bench.adapter import read_header

ADAPTERS = sorted((Path(__file__).parents[2] / "adapters").glob("*.py"))
PAPER_IDS = {
    *("mace-mh-1", "grace-2l-oam", "mattersim-v1-5m", "eqv2-m", "orb-v3", "sevennet-mf-ompa", "uma-s-1p2"),
    *("nequix-mp-1", "pet-mad-1.5-s", "uff", "pbe0-def2-svp"),
}
EXACT_PIN = re.compile(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9,._-]+\])?==[0-9][A-Za-z0-9.!+_-]*( *;.*)?")

each_adapter = pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)


def uv_table(path):
    block = re.search(r"(?ms)^# /// script$\n(.*?)^# ///$", path.read_text(encoding="utf-8"))
    toml = "".join(line.removeprefix("#").removeprefix(" ") for line in block[1].splitlines(True))
    return tomllib.loads(toml)["tool"]["uv"]


def imported(tree, nodes):
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an adapter file is in no package, so it cannot import relatively"
            yield node.module


def at_import(tree):
    """Walk what runs when the module is imported: everything but the bodies of functions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from at_import(node)


CHECKPOINTS = {
    method.name: method.checkpoint
    for path in ADAPTERS
    for method in read_header(path).methods.values()
    if method.checkpoint is not None
}
each_checkpoint = pytest.mark.parametrize("checkpoint", CHECKPOINTS.values(), ids=CHECKPOINTS)


def test_there_are_adapters_to_look_at():
    assert ADAPTERS


@each_adapter
def test_a_header_reads_and_names_a_method(path):
    header = read_header(path)
    assert header.family
    assert header.methods


@each_adapter
def test_every_direct_dependency_has_an_exact_pin(path):
    header = read_header(path)
    loose = [name for name in header.dependencies + header.cuda_dependencies if not EXACT_PIN.fullmatch(name)]
    assert not loose


@each_adapter
def test_the_indirect_dependencies_are_those_of_a_fixed_day(path):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", uv_table(path)["exclude-newer"])


@each_adapter
def test_a_torch_wheel_without_an_upload_date_is_not_excluded(path):
    if any(name.startswith("torch==") for name in read_header(path).dependencies):
        assert uv_table(path)["exclude-newer-package"]["torch"] is False


def test_all_adapters_fix_the_same_day():
    assert len({uv_table(path)["exclude-newer"] for path in ADAPTERS}) == 1


def test_no_two_methods_have_the_same_name():
    names = Counter(name for path in ADAPTERS for name in read_header(path).methods)
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_methods_have_the_same_label():
    labels = Counter(method.label for path in ADAPTERS for method in read_header(path).methods.values())
    assert [label for label, count in labels.items() if count > 1] == []


def test_a_method_is_compared_only_with_a_row_of_the_papers_table():
    rows = {method.paper for path in ADAPTERS for method in read_header(path).methods.values()} - {None}
    assert rows <= PAPER_IDS


@each_adapter
def test_an_mlip_has_a_checkpoint_and_nothing_else_has_one(path):
    for method in read_header(path).methods.values():
        assert (method.checkpoint is not None) == (method.kind == "mlip"), method.name


@each_checkpoint
def test_a_checkpoint_says_its_licence(checkpoint):
    assert checkpoint.licence.strip()


@each_checkpoint
def test_a_checkpoint_can_be_found_or_says_how_to_get_it(checkpoint):
    assert checkpoint.shipped or checkpoint.url or checkpoint.gated
    assert checkpoint.url is None or checkpoint.url.startswith("https://")


@each_checkpoint
def test_a_hash_is_whole_comes_with_the_size_and_is_unknown_only_of_a_file_that_has_to_be_fetched(checkpoint):
    if checkpoint.sha256 is None:
        assert not checkpoint.shipped
    else:
        assert re.fullmatch(r"[0-9a-f]{64}", checkpoint.sha256)
        assert checkpoint.bytes


@each_adapter
def test_of_pesbench_an_adapter_imports_only_the_interface(path):
    names = set(imported(ast.parse(path.read_text(encoding="utf-8")), ast.walk))
    assert {name for name in names if name.partition(".")[0] == "bench"} == {"bench.adapter"}


@each_adapter
def test_importing_an_adapter_imports_nothing_upstream(path):
    names = set(imported(ast.parse(path.read_text(encoding="utf-8")), at_import))
    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "bench"}
