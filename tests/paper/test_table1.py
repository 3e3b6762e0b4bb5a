from __future__ import annotations

import pytest

from bench.errors import BadInput
from bench.paper import table1 as paper
from bench.render.tables import render


def means() -> dict[str, float]:
    return {mean.name: mean.estimate for mean in paper.table().geometric_means}


def test_the_mean_gain_of_the_gpu_over_the_nine_mlips_is_the_published_one():
    gpu = next(mean for mean in paper.table().geometric_means if mean.name == "GPU over CPU")
    assert f"{gpu.estimate:.2f}" == "3.07"
    assert len(gpu.methods) == 9
    assert (gpu.low, gpu.high, gpu.n) == (None, None, None)


def test_the_other_means_are_those_of_the_printed_figures():
    mlips = [63.79, 52.57, 32.83, 471.18, 48.74, 134.96, 118.07, 43.55, 28.78]
    product = 1.0
    for ms in mlips:
        product *= ms
    mean = product ** (1 / 9)
    assert means()["force field over MLIPs"] == pytest.approx(mean / 0.15)
    assert means()["MLIPs over DFT"] == pytest.approx(20301.416 / mean)


def test_every_row_is_there_with_its_ratio():
    rows = {(row.method, row.device): row for row in paper.table().rows}
    assert len(rows) == 20
    gains = [rows[method, "cuda"].speedup_over_cpu.estimate for method, device in rows if device == "cuda"]
    assert " ".join(f"{gain:.2f}" for gain in gains) == "3.17 5.73 1.98 6.15 4.85 1.95 3.85 1.21 2.47"
    assert rows["uff", "cpu"].ms_per_step.estimate == 0.15


def test_both_readings_of_the_dft_figure_are_kept_and_told():
    row = paper.read()["pbe0-def2-svp"]
    assert (row.cpu_ms_per_step, row.alternative_cpu_ms_per_step) == (20301.416, 29301.416)
    text = " ".join(render(paper.table(), "terminal", width=80).split())
    assert "20301.416 [–]" in text
    assert "another transcription reads 29301.416" in text


def test_the_papers_own_figures_bear_out_its_claims():
    assert {claim.verdict for claim in paper.table().claims} == {"holds"}


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex"])
def test_every_format_shows_3_07(form):
    assert "3.07" in render(paper.table(), form)


def test_a_table_that_is_not_there_or_is_damaged_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        paper.read(tmp_path / "none.csv")
    damaged = tmp_path / "damaged.csv"
    header = "method,label,kind,cpu_ms_per_step,gpu_ms_per_step,alternative_cpu_ms_per_step,note\n"
    for line in ("a,A,mlip,fast,,,\n", "a,A,mlip,-3,,,\n", "a,A\n"):
        damaged.write_text(header + line)
        with pytest.raises(BadInput, match="row that cannot be read"):
            paper.read(damaged)
