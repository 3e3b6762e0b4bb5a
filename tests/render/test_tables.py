from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import shutil
import subprocess

import pytest

from bench.errors import BadInput
from bench.paper import table1 as paper
from bench.render.latex import escape
from bench.render.tables import FORMATS, render

CONTRACT = {
    "method": str,
    "weights": str,
    "protocol": str,
    "device": str,
    "dtype": str,
    "threads": int,
    "structures": dict,
    "converged": int,
    "steps_per_structure": float,
    "force_calls_per_step": float,
    "ms_per_step": dict,
    "calculator_ms_per_call": dict,
    "failures": dict,
    "paper_ms_per_step": float,
}


def test_an_unknown_format_is_bad_input(cpu_table):
    with pytest.raises(BadInput, match=r"'html'.*markdown"):
        render(cpu_table, "html")


def test_json_has_what_scripts_rely_on(gpu_table):
    document = json.loads(render(gpu_table, "json"))
    rows = {(row["method"], row["device"]): row for row in document["rows"]}
    assert len(rows) == len(document["rows"]) == 11
    row = rows["nequix-mp-1", "cuda"]
    assert {name: type(row[name]) for name in CONTRACT} == CONTRACT
    assert row["structures"] == {"done": 37, "total": 101}
    assert row["ms_per_step"]["estimate"] == pytest.approx(31.0)
    assert row["ms_per_step"]["low"] < 31.0 < row["ms_per_step"]["high"]
    assert set(row["ms_per_step"]) == set(row["calculator_ms_per_call"]) == {"estimate", "low", "high"}
    assert row["paper_ms_per_step"] == 35.95
    names = [mean["name"] for mean in document["geometric_means"] if mean["protocol"] == "relax"]
    assert names == ["GPU over CPU", "force field over MLIPs", "MLIPs over DFT"]
    for mean in document["geometric_means"]:
        assert {"name", "methods", "estimate", "low", "high"} <= set(mean)
    assert document["geometric_means"][2]["low"] is None
    assert document["head"]["run_id"] == "20261122-105712"
    assert document["notes"]


def test_json_of_what_was_not_measured_has_the_same_keys_with_nulls(cpu_table):
    rows = {row["method"]: row for row in json.loads(render(cpu_table, "json"))["rows"]}
    row = rows["7net-l3i5"]
    assert set(CONTRACT) <= set(row)
    assert row["ms_per_step"] == {"estimate": None, "low": None, "high": None}
    assert row["failures"] == {"out-of-memory": 1}
    assert (rows["pbe0-def2-svp"]["interval_over"], rows["pbe0-def2-svp"]["first_steps"]) == (None, 9)


def test_json_of_the_paper_has_the_same_shape():
    document = json.loads(render(paper.table(), "json"))
    assert f"{document['geometric_means'][0]['estimate']:.2f}" == "3.07"
    assert all(set(CONTRACT) <= set(row) for row in document["rows"])


def test_csv_has_one_line_a_method_and_device_and_tells_where_it_is_from(gpu_table):
    rows = list(csv.DictReader(io.StringIO(render(gpu_table, "csv"))))
    assert len(rows) == 11
    row = next(row for row in rows if (row["method"], row["device"]) == ("nequix-mp-1", "cuda"))
    assert float(row["ms_per_step_low"]) < float(row["ms_per_step_estimate"]) < float(row["ms_per_step_high"])
    assert (row["structures_done"], row["structures_total"]) == ("37", "101")
    assert (row["dataset"], row["run_id"], row["gpus"]) == ("naphthalene-md17", "20261122-105712", "NVIDIA H200")
    failed = next(row for row in rows if row["method"] == "7net-l3i5")
    assert failed["failures"] == "out-of-memory: 1"
    assert failed["ms_per_step_estimate"] == ""
    assert all(None not in row and None not in row.values() for row in rows)


def test_markdown_rows_have_as_many_cells_as_the_header(gpu_table):
    labelled = dataclasses.replace(gpu_table.rows[0], label="a|b")
    text = render(dataclasses.replace(gpu_table, rows=(labelled, *gpu_table.rows[1:])), "markdown")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 7
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert "a\\|b" in text
    assert "**Data set:** naphthalene-md17" in text


def test_latex_escapes_every_character_that_means_something_to_it():
    assert escape("a_b & 50 % #1 $x$ {y} ~ ^ \\") == (
        r"a\_b \& 50 \% \#1 \$x\$ \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    # a bracket after the end of a row would be read as the row's extra height
    assert escape("[1.0, 2.0]") == "{[}1.0, 2.0{]}"


def latex_rows(text: str) -> list[str]:
    return text[text.index(r"\toprule") : text.index(r"\bottomrule")].splitlines()


def test_latex_has_nothing_unescaped_in_it(gpu_table):
    text = render(gpu_table, "latex")
    assert text.isascii()
    bare = re.sub(r"\\[&%$#_{}]", "", text)
    assert not set("#_^~") & set(bare)
    assert "%" not in bare
    assert bare.count("{") == bare.count("}")
    columns = {line.count("&") for line in re.sub(r"\\&", "", "\n".join(latex_rows(text))).splitlines() if "&" in line}
    assert len(columns) == 1
    assert r"GFN2-xTB 100 \% \& \{tblite\}\_x" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("which", ["cpu_table", "gpu_table", "both_gpu_table", "paper"])
def test_latex_compiles_with_booktabs_and_nothing_else(which, request, tmp_path):
    table = paper.table() if which == "paper" else request.getfixturevalue(which)
    (tmp_path / "t.tex").write_text(
        "\\documentclass[twocolumn]{article}\\usepackage{booktabs}\\begin{document}\n"
        + render(table, "latex")
        + "\\end{document}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_names_the_weights_and_the_data_set(form, gpu_table):
    text = render(gpu_table, form, width=120)
    assert "naphthalene-md17" in text
    assert "random" in text
    assert "pretrained" in text or form == "terminal"  # a narrow one says only what is not


def test_csv_has_rows_with_a_theory_beside_rows_without(cpu_table):
    theory = {"functional": "PBE", "basis": "-", "dispersion": "none", "source": "here", "added": None}
    rows = [dataclasses.replace(row, theory=theory if row.method == "7net-0" else None) for row in cpu_table.rows]
    lines = list(csv.DictReader(io.StringIO(render(dataclasses.replace(cpu_table, rows=tuple(rows)), "csv"))))
    assert "theory" not in lines[0]
    assert {line["method"] for line in lines if line["theory_functional"] == "PBE"} == {"7net-0"}
