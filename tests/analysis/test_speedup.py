from __future__ import annotations

import math

import pandas as pd
import pytest
from synthetic import relaxations

from bench.analysis import speedup
from bench.analysis.table import Row
from bench.analysis.times import per_round


def row(method: str, kind: str = "mlip", device: str = "cpu", **changes) -> Row:
    return Row(method=method, label=method, kind=kind, device=device, **({"weights": "pretrained"} | changes))


def series_of(*relaxed: pd.DataFrame):
    return per_round(pd.concat(relaxed, ignore_index=True))


def test_the_means_over_methods_have_the_values_that_were_put_in():
    series = series_of(
        relaxations("ff", 0.2, native=True),
        relaxations("a", 50.0),
        relaxations("b", 200.0),
        relaxations("a", 10.0, device="cuda"),
        relaxations("b", 20.0, device="cuda"),
        relaxations("scf", 20_000.0),
    )
    rows = [
        row("ff", "force-field", paper="uff"),
        row("a"),
        row("b"),
        row("a", device="cuda"),
        row("b", device="cuda"),
        row("scf", "dft"),
    ]
    found = {mean.name: mean for mean in speedup.means(rows, series)}
    assert found["GPU over CPU"].estimate == pytest.approx(math.sqrt(5.0 * 10.0))
    assert found["force field over MLIPs"].estimate == pytest.approx(100.0 / 0.2)
    assert found["MLIPs over DFT"].estimate == pytest.approx(20_000.0 / 100.0)
    for mean in found.values():
        assert mean.methods == ("a", "b")
        assert mean.low < mean.estimate < mean.high
        assert mean.n == 101
    assert found["force field over MLIPs"].reference == ("ff",)


def test_a_mean_is_over_the_structures_common_to_all_of_its_methods():
    series = series_of(
        relaxations("ff", 0.2), relaxations("a", 50.0), relaxations("scf", 9000.0, count=1, status="censored")
    )
    rows = [row("ff", "force-field"), row("a"), row("scf", "dft")]
    found = {mean.name: mean for mean in speedup.means(rows, series)}
    dft = found["MLIPs over DFT"]
    assert (dft.n, dft.low) == (1, None)  # one structure says nothing of others
    assert dft.estimate == pytest.approx((series["scf", "cpu"] / series["a", "cpu"]).loc[0].mean())
    assert found["force field over MLIPs"].n == 101


def test_random_weights_enter_no_mean():
    series = series_of(relaxations("ff", 0.2), relaxations("a", 50.0), relaxations("r", 5000.0))
    rows = [row("ff", "force-field"), row("a"), row("r", weights="random")]
    (mean,) = speedup.means(rows, series)
    assert mean.methods == ("a",)


def test_the_published_force_field_row_is_preferred_and_any_other_will_do_without_it():
    series = series_of(relaxations("uff", 0.2), relaxations("uff-ase", 2.0), relaxations("a", 50.0))
    rows = [row("uff", "force-field", paper="uff"), row("uff-ase", "force-field"), row("a")]
    (mean,) = speedup.means(rows, series)
    assert mean.reference == ("uff",)
    (mean,) = speedup.means(rows[1:], series)
    assert mean.reference == ("uff-ase",)
    assert mean.estimate == pytest.approx(25.0)


def test_methods_without_a_common_structure_have_no_mean():
    early, late = relaxations("ff", 0.2, count=3), relaxations("a", 50.0, count=6)
    series = series_of(early, late[late["structure"] >= 3])
    assert speedup.means([row("ff", "force-field"), row("a")], series) == ()


def test_programs_are_not_averaged_with_each_other_and_the_default_comes_first():
    series = series_of(
        relaxations("a", 50.0),
        relaxations("nwchem", 50_000.0, count=4),
        relaxations("nwchem-warm", 20_000.0, count=4),
        relaxations("pbe0-def2-svp", 5_000.0, count=4),
    )
    rows = [row("a"), *(row(name, "dft") for name in ("nwchem", "nwchem-warm", "pbe0-def2-svp"))]
    found = speedup.means(rows, series)
    assert [mean.reference for mean in found] == [("pbe0-def2-svp",), ("nwchem",), ("nwchem-warm",)]
    alone = [speedup.means([row("a"), row(mean.reference[0], "dft")], series)[0].estimate for mean in found]
    assert [mean.estimate for mean in found] == alone


def test_a_ratio_to_dft_is_paired_by_round():
    times = {
        ("mlip", "cpu"): pd.DataFrame({0: [10.0], 1: [17.0], 2: [17.0]}),
        ("pbe0-def2-svp", "cpu"): pd.DataFrame({0: [20.0]}),
    }
    (mean,) = speedup.means([row("mlip"), row("pbe0-def2-svp", "dft")], times)
    assert mean.estimate == pytest.approx(2.0)
