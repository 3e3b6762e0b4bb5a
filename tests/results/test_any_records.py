"""Whatever the records of a run hold, its tables and its page are made, or one sentence says what is wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
import types
import typing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bench import cli
from bench.core.failure import FAILURES, Failure
from bench.core.lines import from_json
from bench.core.records import KINDS, Record
from bench.protocols import PROTOCOLS

EXAMPLE = Path(__file__).parent / "format1"
ATOMS = 18
FORMATS = ("terminal", "markdown", "latex", "csv", "json")

SAME = settings(
    deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
)
"""The same examples each time, and no search for a smaller one, which takes minutes."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
INTEGERS = st.sampled_from([0, 1, 2, 3, 5, 10, 1_000, 10**6, 10**9, 2**62]) | st.integers(-5, 10**12)
FLOATS = st.sampled_from([0.0, -0.0, 1e-300, 0.01, 0.05, 1.0, -15.0, 1e308]) | st.floats(-1e4, 1e4)
VECTORS = st.lists(st.tuples(*[st.floats(-5, 5)] * 3), min_size=ATOMS, max_size=ATOMS)
WORDS = {
    "method": ("uff", "gfn2-xtb"),
    "device": ("cpu",),
    "status": ("converged", "step-cap", "censored", "failed", "done"),
    "optimizer": ("BFGS", "LBFGS", "native"),
    "ensemble": ("nve", "nvt"),
    "way": ("single", "batch", "processes"),
    "weights": ("none", "pretrained", "random"),
    "temperature_of": ("velocities", "internal"),
    "source": ("analytic", "differences"),
    "file": ("trajectories/gfn2-xtb-cpu-0-0.nc", "nowhere.nc"),
    "ended_by": ("time", "memory"),
}
"""What fields of text usually hold; other fields have any text."""
TRACE = ("calculator_ns", "optimizer_ns", "harness_ns", "force_calls", "energy", "fmax")


def of(hint: object, name: str) -> st.SearchStrategy:
    """Return values of a field's type, plausible ones and others."""
    if isinstance(hint, types.UnionType):
        return st.one_of(*(of(one, name) for one in hint.__args__))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if name in ("round", "structure", "trajectory", "molecule", "attempt", "point", "size"):
        return st.integers(0, 3)
    if name == "trace":
        return traces()
    if name in ("forces", "positions"):
        return VECTORS
    if name == "hessian":
        return st.sampled_from([[[1.0] * 3 * ATOMS] * 3 * ATOMS, [[0.0] * 3 * ATOMS] * 3 * ATOMS, [], [[0.0]]])
    if hint is str:
        return st.sampled_from(WORDS[name]) if name in WORDS else st.text(max_size=8)
    if hint is Failure:
        return st.builds(dict, kind=st.sampled_from(sorted(FAILURES)), message=st.text(max_size=20))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(of(arguments[0], name), max_size=4)
    if origin is tuple:
        return st.tuples(*(of(one, name) for one in arguments))
    if origin is dict:
        return st.dictionaries(st.text(max_size=5), of(arguments[1], ""), max_size=2)
    simple = {int: INTEGERS, float: FLOATS, bool: st.booleans(), types.NoneType: st.none(), typing.Any: JSON}
    return simple[typing.cast(type, hint)]


@st.composite
def traces(draw: st.DrawFn) -> dict[str, list]:
    """Return the columns of a relaxation's steps, of one length."""
    length = draw(st.integers(0, 3))
    return {
        name: draw(st.lists(FLOATS if name in ("energy", "fmax") else INTEGERS, min_size=length, max_size=length))
        for name in TRACE
    }


def lines_of(kind: type[Record]) -> st.SearchStrategy[dict]:
    """Return the fields of a record of a kind."""
    hints = typing.get_type_hints(kind)
    fields = {field.name: of(hints[field.name], field.name) for field in dataclasses.fields(kind)}
    return st.fixed_dictionaries({"record": st.just(kind.record), **fields})


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@settings(SAME, max_examples=20)
@given(data=st.data())
def test_a_line_is_a_record_or_damaged(kind, data):
    fields = data.draw(lines_of(kind))
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(JSON)
    with contextlib.suppress(ValueError):
        assert isinstance(from_json(json.dumps(fields)), Record)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run directory of which only the records are still to be written."""
    folder = tmp_path_factory.mktemp("any") / "run"
    shutil.copytree(EXAMPLE, folder)
    described = json.loads((folder / "campaign.json").read_text())
    described["settings"] |= {"protocols": list(PROTOCOLS), "optimizers": ["BFGS", "LBFGS"]}
    (folder / "campaign.json").write_text(json.dumps(described))
    return folder


@settings(SAME, max_examples=12)
@given(lines=st.lists(st.one_of([lines_of(kind) for kind in KINDS.values()]), max_size=12), data=st.data())
def test_every_table_and_the_page_are_made(run, lines, data):
    (run / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = data.draw(st.sampled_from(["speed", *PROTOCOLS]))
    form = data.draw(st.sampled_from(FORMATS))
    for words in (
        ["table", str(run), "--protocols", shown, "--format", form],
        ["report", str(run), "--output", str(run.parent / "page.html")],
    ):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            assert cli.main(words) in (0, 1, 2), said.getvalue()[-2000:]
        assert "Traceback" not in said.getvalue()
