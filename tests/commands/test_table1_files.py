"""``table1``: the published table and a run beside it, as files for a paper."""

from __future__ import annotations

import re
from pathlib import Path

from bench.paper import table1
from bench.render import like_table1


def test_without_a_run_the_published_table_stands_alone():
    text = like_table1.markdown(table1.table(), None)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 12  # the heading and eleven methods
    assert "| MACE-MH-1 | 63.79 | 20.14 |" in text
    assert "There is no run yet" in text


def test_a_run_stands_beside_it_and_what_the_paper_lacks_below(pesbench, fake_run, tmp_path):
    done = pesbench("table1", fake_run, "--output", tmp_path / "files")
    assert done.returncode == 0, done.stderr
    written = {Path(line).name for line in done.stdout.split()}
    assert written == {"table1.md", "table1.tex", "table1.svg", "table1.png", "table1.pdf"}
    text = (tmp_path / "files" / "table1.md").read_text()
    assert re.search(r"(?m)^\| springs between all atoms \|.*\[", text)
    assert (tmp_path / "files" / "table1.pdf").read_bytes().startswith(b"%PDF")
    latex = (tmp_path / "files" / "table1.tex").read_text()
    for begin in re.findall(r"\\begin\{(\w+)\}", latex):
        assert latex.count(f"\\begin{{{begin}}}") == latex.count(f"\\end{{{begin}}}")
    (columns,) = re.findall(r"\\begin\{tabular\}\{(\w+)\}", latex)
    body = latex[latex.index("toprule") : latex.index("bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith("\\\\")]
    assert {line.count("&") for line in rows} == {len(columns) - 1}


def test_a_folder_that_cannot_be_made_is_refused(pesbench, fake_run, tmp_path):
    (tmp_path / "file").write_text("")
    done = pesbench("table1", fake_run, "--output", tmp_path / "file" / "folder")
    assert done.returncode == 2
    assert "cannot write to" in done.stderr and "Traceback" not in done.stderr
