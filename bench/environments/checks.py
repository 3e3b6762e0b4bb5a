"""Checks of an adapter file and its header, so that its rows still mean something next year.

Nothing is imported: the header is read, and the code is parsed. Each check is a function from a header to a list of
complaints, which is empty if all is well.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from collections.abc import Callable, Iterator

from bench.core.device import DEVICES
from bench.core.message import Check
from bench.environments.header import Checkpoint, Header

EXACT_PIN = re.compile(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9,._-]+\])?==[0-9][A-Za-z0-9.!+_-]*( *;.*)?")
DAY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DTYPES = ("float32", "float64")
INHERITED = {"Adapter": (), "TorchAdapter": ("count_parameters", "peak_device_memory")}
"""The functions a header may require that the classes of bench.adapter have already."""


def loose_pins(header: Header) -> list[str]:
    """Return the direct dependencies without an exact version."""
    names = itertools.chain(header.dependencies, *header.device_dependencies.values())
    return [name for name in names if not EXACT_PIN.fullmatch(name)]


def open_date(header: Header) -> list[str]:
    """Complain where the indirect dependencies are not pinned to a day."""
    if header.exclude_newer is None:
        return ["there is no exclude-newer"]
    return [] if DAY.fullmatch(header.exclude_newer) else [f"exclude-newer is {header.exclude_newer!r}"]


def undated_torch(header: Header) -> list[str]:
    """Complain where a torch wheel of another index, without upload date, would be excluded."""
    wanted = any(name.startswith("torch==") for name in header.dependencies)
    fine = not wanted or header.exclude_newer_package.get("torch") is False
    return [] if fine else ["exclude-newer leaves out torch's own wheels"]


def missing_labels(header: Header) -> list[str]:
    """Return the methods without a label, or with one that a table cannot show."""
    return [name for name, method in header.methods.items() if not method.label.strip() or method.label == name]


def misplaced_checkpoints(header: Header) -> list[str]:
    """Return the MLIPs without a checkpoint, and other methods with one."""
    found = []
    for name, method in header.methods.items():
        if (method.checkpoint is not None) != (method.kind == "mlip") and not method.engine_of:
            found.append(f"{name} is {method.kind} {'without' if method.checkpoint is None else 'with'} checkpoint")
    return found


def vague_checkpoints(header: Header) -> list[str]:
    """Complain about checkpoints of unknown licence or origin, and about a hash that cannot be checked."""
    found = []
    for name, method in header.methods.items():
        if method.checkpoint is not None:
            found += [f"{name}: {complaint}" for complaint in _vague(method.checkpoint)]
    return found


def _vague(checkpoint: Checkpoint) -> Iterator[str]:
    if not checkpoint.licence.strip():
        yield "no licence"
    if not (checkpoint.shipped or checkpoint.url or checkpoint.gated):
        yield "neither shipped, nor with a url, nor gated"
    if checkpoint.url is not None and not checkpoint.url.startswith("https://"):
        yield "its url is not https"
    if checkpoint.sha256 is None:
        if checkpoint.shipped:
            yield "shipped, but without sha256"
    elif not re.fullmatch(r"[0-9a-f]{64}", checkpoint.sha256):
        yield "its sha256 has not 64 hexadecimal digits"
    elif not checkpoint.bytes:
        yield "a sha256 without bytes"


def wrong_types(header: Header) -> list[str]:
    """Complain about facts of the wrong type, and about dtypes without a known tolerance."""
    found = []
    for name, method in header.methods.items():
        flags = ("conservative", "native", "default", "random_weights", "charge", "spin", "periodic", "stress")
        found += [f"{name}: {flag} is not a boolean" for flag in flags if not isinstance(getattr(method, flag), bool)]
        found += [f"{name}: dtype {dtype}" for dtype in method.dtypes if dtype not in DTYPES]
        found += [f"{name}: no {what}" for what in ("devices", "dtypes") if not getattr(method, what)]
        if method.parameters is not None and not isinstance(method.parameters, int):
            found.append(f"{name}: parameters is not a whole number")
    return found


def pesbench_imports(header: Header) -> list[str]:
    """Return what the file imports from pesbench besides the interface."""
    names = set(_imported(_tree(header), ast.walk))
    return sorted(
        name for name in names if name.startswith(".") or (_package(name) == "bench" and name != "bench.adapter")
    )


def upstream_imports(header: Header) -> list[str]:
    """Return the imports at module level, which run before the harness has set threads and devices."""
    names = set(_imported(_tree(header), _at_import))
    return sorted(name for name in names if _package(name) not in {*sys.stdlib_module_names, "bench", ""})


def contradictions(header: Header) -> list[str]:
    """Complain where the class lacks what the header promises."""
    classes = [node for node in ast.walk(_tree(header)) if isinstance(node, ast.ClassDef)]
    bases = {node: {_last_name(base) for base in node.bases} & set(INHERITED) for node in classes}
    adapters = [node for node in classes if bases[node]]
    if len(adapters) != 1:
        return [f"{len(adapters)} subclasses of Adapter instead of one"]
    has = {node.name for node in adapters[0].body if isinstance(node, ast.FunctionDef)}
    has.update(*(INHERITED[base] for base in bases[adapters[0]]))
    methods = header.methods.values()
    needed = {
        "load": True,
        "native_relax": any(method.native for method in methods),
        "make_random": any(method.random_weights and not method.engine_of for method in methods),
        "count_parameters": any(method.parameters is not None for method in methods),
        "peak_device_memory": any(DEVICES[name].accelerator for method in methods for name in method.devices),
    }
    return [f"{adapters[0].name} has no {name}()" for name, wanted in needed.items() if wanted and name not in has]


def _tree(header: Header) -> ast.Module:
    return ast.parse(header.path.read_text(encoding="utf-8"))


def _package(name: str) -> str:
    return name.partition(".")[0]


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _imported(tree: ast.AST, nodes: Callable[[ast.AST], Iterator[ast.AST]]) -> Iterator[str]:
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk the code that runs on import: everything except the bodies of functions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from _at_import(node)


CHECKS: tuple[tuple[str, Callable[[Header], list[str]], str], ...] = (
    ("dependencies have exact pins", loose_pins, "write name==version for each of them"),
    (
        "indirect dependencies are pinned to a day",
        open_date,
        'set exclude-newer = "YYYY-MM-DDTHH:MM:SSZ" under [tool.uv]',
    ),
    ("torch's own wheels are allowed", undated_torch, "set exclude-newer-package = { torch = false } under [tool.uv]"),
    ("methods have labels", missing_labels, "set label to what a table shows: name, version, level"),
    (
        "MLIPs have a checkpoint, others none",
        misplaced_checkpoints,
        "describe the checkpoint under [tool.pesbench.methods.NAME.checkpoint], or correct kind",
    ),
    ("checkpoints have licence and origin", vague_checkpoints, "set licence, and shipped, url or gated; hash and size"),
    ("facts have their types", wrong_types, "booleans are true or false; dtypes are float32 and float64"),
    ("only the interface of pesbench is imported", pesbench_imports, "import nothing but bench.adapter"),
    ("nothing upstream is imported with the file", upstream_imports, "import it in the methods that need it"),
    ("the class has what the header promises", contradictions, "write the missing function, or correct the header"),
)


def checks(header: Header) -> list[Check]:
    """Return the results of the checks of a header."""
    found = []
    for name, complaints_about, advice in CHECKS:
        try:
            complaints = complaints_about(header)
        except SyntaxError as error:
            complaints, advice = [f"line {error.lineno}: {error.msg}"], "correct the file's syntax"
        found.append(Check(name, not complaints, "; ".join(complaints), advice=advice if complaints else ""))
    return found
