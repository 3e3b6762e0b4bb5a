from __future__ import annotations

import dataclasses

import pytest
from synthetic import campaign, measurements, method, relaxations, replays

from bench.analysis.statistics import Estimate
from bench.analysis.summary import summarise
from bench.analysis.table import Mean, Published, Row, Table
from bench.contract.description import Description
from bench.paper.claims import claims, judged, rank_correlation


def estimate(value: float, spread: float | None = 0.02) -> Estimate:
    if spread is None:
        return Estimate(value, None, None, 1, None)
    return Estimate(value, value * (1 - spread), value * (1 + spread), 101, "structures")


def row(method: str, ms: float, kind: str = "mlip", device: str = "cpu", gain: float | None = None) -> Row:
    return Row(
        method=method,
        label=method,
        kind=kind,
        weights="pretrained",
        device=device,
        paper=method,
        ms_per_step=estimate(ms),
        speedup_over_cpu=None if gain is None else estimate(gain),
    )


def verdicts(*rows: Row, means: tuple[Mean, ...] = ()) -> dict[str, str]:
    names = ("force field", "dft", "eqv2", "grace", "nequix")
    return dict(zip(names, (claim.verdict for claim in claims(Table(Description(), rows, means))), strict=True))


def test_an_empty_table_can_judge_nothing():
    assert set(verdicts().values()) == {"not measured"}


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(210.0, 300.0, "holds"), (190.0, 300.0, "undecided"), (100.0, 199.0, "does not hold"), (None, None, "holds")],
)
def test_the_interval_decides_about_the_force_field(low, high, verdict):
    mean = Mean("force field over MLIPs", ("a",), ("uff",), 205.0, low, high, 101)
    assert verdicts(means=(mean,))["force field"] == verdict


@pytest.mark.parametrize(
    ("dft", "verdict"), [(30_000.0, "holds"), (4000.0, "does not hold"), (200_000.0, "does not hold")]
)
def test_dft_is_compared_with_the_fastest_mlip(dft, verdict):
    found = verdicts(row("pbe0-def2-svp", dft, "dft"), row("fast", 30.0), row("slow", 300.0))
    assert found["dft"] == verdict


def test_eqv2_is_compared_with_nequix_on_the_cpu_only():
    assert verdicts(row("eqv2-m", 471.0), row("nequix-mp-1", 43.0))["eqv2"] == "holds"
    assert verdicts(row("eqv2-m", 300.0), row("nequix-mp-1", 43.0))["eqv2"] == "does not hold"
    # 440 / 43 = 10.2, and four percent of doubt reach below 10
    assert verdicts(row("eqv2-m", 440.0), row("nequix-mp-1", 43.0))["eqv2"] == "undecided"
    assert verdicts(row("eqv2-m", 471.0), row("nequix-mp-1", 43.0, device="cuda"))["eqv2"] == "not measured"


def test_random_weights_say_nothing_about_a_published_model():
    random = dataclasses.replace(row("eqv2-m", 471.0), weights="random")
    assert verdicts(random, row("nequix-mp-1", 43.0))["eqv2"] == "not measured"


def test_what_the_gpu_gains_is_read_from_the_gpu_rows():
    found = verdicts(
        row("grace-2l-oam", 9.0, device="cuda", gain=5.7), row("nequix-mp-1", 36.0, device="cuda", gain=1.9)
    )
    assert (found["grace"], found["nequix"]) == ("holds", "does not hold")
    assert verdicts(row("nequix-mp-1", 36.0, device="cuda", gain=1.21))["nequix"] == "holds"


def ranked(*pairs: tuple[float, float], **changes) -> Table:
    rows = [
        dataclasses.replace(row(f"m{i}", ours), paper_ms_per_step=paper, **changes)
        for i, (ours, paper) in enumerate(pairs)
    ]
    return Table(Description(), tuple(rows))


def test_the_order_of_the_times_is_held_against_the_papers():
    assert rank_correlation(ranked((1, 10), (2, 20), (3, 30), (4, 40), (50, 41))) == (pytest.approx(1.0), 5)
    assert rank_correlation(ranked((5, 10), (4, 20), (3, 30), (2, 40), (1, 50))) == (pytest.approx(-1.0), 5)
    # two neighbours that change places among five: 1 - 6 * 2 / (5 * 24)
    assert rank_correlation(ranked((2, 10), (1, 20), (3, 30), (4, 40), (5, 50)))[0] == pytest.approx(0.9)


def test_an_order_of_few_methods_or_of_other_devices_is_none():
    assert rank_correlation(ranked((1, 10), (2, 20), (3, 30), (4, 40))) is None
    assert rank_correlation(ranked(*((i, i) for i in range(1, 9)), device="cuda")) is None


def test_a_published_method_counts_once():
    table = ranked((1, 10), (2, 20), (3, 30), (4, 40), (5, 50))
    again = dataclasses.replace(table.rows[0], method="m0-warm", ms_per_step=estimate(99.0))
    assert rank_correlation(dataclasses.replace(table, rows=(*table.rows, again))) == (pytest.approx(1.0), 5)


PUBLISHED = {
    "eqv2-m": Published("eqv2-m", "eqV2 M", "mlip", 471.18, 76.56, None, ""),
    "nequix-mp-1": Published("nequix-mp-1", "Nequix", "mlip", 43.55, 35.95, None, ""),
}
BOTH = ("relax", "replay")


def table_of(methods, paths, relaxed=(), protocols=BOTH):
    made = campaign(settings={"protocols": protocols})
    return judged(summarise(measurements(methods, relaxed, paths, made), paper=PUBLISHED), PUBLISHED)


def claim(table, text):
    (found,) = (claim for claim in table.claims if text in claim.text)
    return found


def test_claims_are_judged_by_relaxations_where_there_are_some():
    methods = [method("eqv2-m", paper="eqv2-m"), method("nequix-mp-1", paper="nequix-mp-1")]
    paths = [replays("eqv2-m", 100.0), replays("nequix-mp-1", 40.0)]
    relaxed = [relaxations("eqv2-m", 800.0), relaxations("nequix-mp-1", 40.0)]
    found = claim(table_of(methods, paths, relaxed), "Nequix on the CPU")
    assert (found.verdict, found.protocol, found.random) == ("holds", "relax", ())
    assert found.figure == pytest.approx(20.0)


def test_claims_are_else_judged_by_replays_with_random_weights_and_say_so():
    methods = [
        method("eqv2-m", label="eqV2 M", paper="eqv2-m", weights="random"),
        method("nequix-mp-1", paper="nequix-mp-1"),
    ]
    paths = [replays("eqv2-m", 800.0), replays("nequix-mp-1", 40.0)]
    table = table_of(methods, paths, [relaxations("nequix-mp-1", 8.0)])
    found = claim(table, "Nequix on the CPU")
    assert (found.verdict, found.protocol, found.random) == ("holds", "replay", ("eqv2-m",))
    assert found.figure == pytest.approx(20.0)


def test_no_claim_is_judged_by_a_call_over_a_step():
    methods = [method("eqv2-m", paper="eqv2-m", weights="random"), method("nequix-mp-1", paper="nequix-mp-1")]
    table = table_of(methods, [replays("eqv2-m", 800.0)], [relaxations("nequix-mp-1", 8.0)], protocols=("relax",))
    assert claim(table, "Nequix on the CPU").verdict == "not measured"


def test_the_other_claims_fall_back_on_replays_too():
    methods = [
        method("uff", kind="force-field", paper="uff"),
        method("grace", paper="grace-2l-oam", weights="random"),
        method("grace", "cuda", paper="grace-2l-oam", weights="random"),
        method("dft", kind="dft"),
    ]
    paths = [replays("uff", 0.1), replays("grace", 50.0), replays("grace", 8.0, "cuda"), replays("dft", 50_000.0)]
    table = table_of(methods, paths, protocols=("replay",))
    for text, figure in (("a force field", 500.0), ("DFT", 1000.0), ("GRACE", 6.25)):
        found = claim(table, text)
        assert (found.verdict, found.protocol, found.random) == ("holds", "replay", ("grace",))
        assert found.figure == pytest.approx(figure)
