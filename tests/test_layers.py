"""The walls of the house: who may import whom, what runs where, and what things are called.

Imports inside functions and for type checking count as any other.
"""

import ast
import functools
import graphlib
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
# what each layer may import of pesbench, besides itself; docs/extending.md follows the same table
ALLOWED = {
    "errors": set(),
    "paths": {"errors"},
    "core": {"errors"},
    "protocols": {"core"},  # the registry, and what both sides of the pipe know of a protocol: record, plan
    "environments.header": {"core"},
    "adapter": {"core", "environments.header"},
    "measure": {"adapter", "core", "protocols"},
    "protocols.measure": {"adapter", "core", "measure", "protocols"},
    "data": {"core", "protocols", "errors", "paths"},
    "machine": {"core", "errors", "paths"},
    "environments": {"core", "errors", "paths", "machine", "environments.header"},
    "analysis": {"core", "protocols"},
    "protocols.analyse": {"analysis", "core", "protocols"},
    "paper": {"analysis", "core", "errors", "paths"},
    "results": {"core", "protocols", "data", "analysis", "paper", "errors", "paths"},
    "protocols.read": {"results", "data", "analysis", "protocols.analyse", "protocols", "core", "errors", "paths"},
    "engine": {
        *("bench", "core", "protocols", "data", "environments", "environments.header", "machine"),
        *("results", "errors", "paths"),
    },
    "render": {"analysis", "paper", "core", "protocols", "errors", "paths"},  # paths: commands as they can be typed
    "protocols.view": {"render", "analysis", "protocols.analyse", "protocols", "core", "errors"},
    "cli": {"bench", "commands", "core", "errors", "paths"},
    "bench": {"protocols", "results"},  # registers the former, and has bench.load of the latter
}
ALLOWED["commands"] = {*ALLOWED, "commands"} - {"cli"}
FILES = {
    **dict.fromkeys(("record", "plan", "trajectory_file"), "protocols"),
    **dict.fromkeys(("measure", "symmetry", "symmetric", "thermal"), "protocols.measure"),
    "read": "protocols.read",
    **dict.fromkeys(("view", "page", "formats", "figure", "notes", "words", "by_system"), "protocols.view"),
}
"""The layers of a protocol's modules, by their names; any other one is part of the analysis."""
IN_ENVIRONMENTS = (
    "core",
    "protocols",
    "measure",
    "protocols.measure",
    "adapter",
    "errors",
    "environments.header",
    "bench",
)
"""What is imported inside a method's own environment, where nothing of pesbench's own is installed."""
THERE = {"numpy", "ase", "scipy", "threadpoolctl"}
ONLY_IN = {"bench.adapter": {"torch"}}
"""What a module imports inside functions that are called only where it is there."""


def name_of(path):
    parts = path.relative_to(BENCH.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in BENCH.rglob("*.py")}


@functools.cache
def tree(module):
    return ast.parse(MODULES[module].read_text())


@functools.cache
def imports(module):
    """Return all modules that a module imports, anywhere in it, with those that it takes out of packages."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relative to itself"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & MODULES.keys()) or {node.module}
    return found


def own(module):
    return {name for name in imports(module) if name == "bench" or name.startswith("bench.")}


def layer(module):
    parts = module.split(".")
    if module == "bench.environments.header":
        return "environments.header"
    if parts[1:2] == ["protocols"]:
        return FILES.get(parts[3], "protocols.analyse") if len(parts) > 3 else "protocols"
    return parts[1] if len(parts) > 1 else "bench"


def test_a_layer_imports_only_what_the_table_allows():
    wrong = {
        module: {name for name in own(module) if layer(name) not in {*ALLOWED[layer(module)], layer(module)}}
        for module in MODULES
    }
    assert not {module: found for module, found in wrong.items() if found}


def test_the_table_names_each_layer_there_is_and_no_other():
    assert {layer(module) for module in MODULES} == set(ALLOWED)


@pytest.mark.parametrize("of", [str, layer], ids=["modules", "layers"])
def test_no_imports_go_in_a_circle(of):
    graph = {}
    for module in MODULES:
        graph.setdefault(of(module), set()).update(of(name) for name in own(module) if of(name) != of(module))
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def packages(module):
    return {name.split(".")[0] for name in imports(module)}


def test_what_runs_in_a_methods_environment_needs_only_the_standard_library_and_what_ase_brings():
    there = {*sys.stdlib_module_names, *THERE, "bench"}
    needed = {
        module: packages(module) - there - ONLY_IN.get(module, set())
        for module in MODULES
        if layer(module) in IN_ENVIRONMENTS
    }
    assert not {module: found for module, found in needed.items() if found}


def test_analysis_touches_no_clock_no_file_and_no_process():
    touching = {"time", "datetime", "os", "io", "sys", "pathlib", "shutil", "tempfile", "subprocess", "threading"}
    for module in (module for module in MODULES if layer(module) in ("analysis", "protocols.analyse")):
        used = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
        assert not packages(module) & touching, module
        assert not used & {"open", "print", "input"}, module


def test_a_module_has_one_job():
    lengths = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert not {module: length for module, length in lengths.items() if length > 400}, "which two jobs does it have?"


def names(module):
    """Return what a module calls its functions, classes, arguments and variables."""
    for node in ast.walk(tree(module)):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def data_frames(module):
    """Return the names of what is annotated as a data frame, or assigned one."""
    for node in ast.walk(tree(module)):
        match node:
            case ast.arg(arg=name, annotation=annotation) if annotation is not None:
                if "DataFrame" in ast.unparse(annotation):
                    yield name
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=called)):
                if ast.unparse(called) in ("pd.DataFrame", "pd.concat"):
                    yield name


@pytest.mark.parametrize(
    ("of", "word", "instead"),
    [
        (names, "dynamics", "it is called md"),
        (names, "in_place", "what returns a copy changes nothing in place"),
        (data_frames, "frame", "a frame is a geometry"),
    ],
)
def test_one_idea_has_one_word(of, word, instead):
    found = {(module, name) for module in MODULES for name in of(module) if word in name.lower()}
    assert not found, instead


def test_a_module_of_data_frames_is_not_called_one_of_geometries():
    assert not {module for module in MODULES if module.rpartition(".")[2] in ("frame", "frames")}
