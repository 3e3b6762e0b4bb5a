from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from synthetic import campaign, measurements, method, relaxations, replays

from bench.analysis.model import mean_of
from bench.analysis.statistics import Estimate
from bench.analysis.summary import summarise
from bench.analysis.table import Mean, Published, Row, Table
from bench.core.description import Description
from bench.paper import table1
from bench.paper.claims import claims, judged, rank_correlation
from bench.render.columns import columns
from bench.render.notes import notes


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
    table = Table(Description(), rows, published_means=means)
    return dict(zip(names, (claim.verdict for claim in claims(table)), strict=True))


def test_an_empty_table_can_judge_nothing():
    assert set(verdicts().values()) == {"not measured"}


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(210.0, 300.0, "holds"), (190.0, 300.0, "undecided"), (100.0, 199.0, "does not hold"), (None, None, "undecided")],
)
def test_the_interval_decides_about_the_force_field(low, high, verdict):
    mean = Mean("force field over MLIPs", ("a",), ("uff",), 205.0, low, high, 101)
    assert verdicts(means=(mean,))["force field"] == verdict


@pytest.mark.parametrize(
    ("figure", "verdict"), [(2634.0, "holds"), (250.0, "undecided"), (150.0, "undecided"), (90.0, "does not hold")]
)
def test_a_figure_without_an_interval_decides_only_far_from_the_limit(figure, verdict):
    mean = Mean("force field over MLIPs", ("a",), ("uff",), figure, None, None, 101)
    assert verdicts(means=(mean,))["force field"] == verdict


def test_a_figure_at_the_limit_is_seldom_said_to_be_beyond_it():
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        uff, mlip = rng.normal((0.0, math.log(200.0)), 0.05, (5, 2)).T
        ratio = mean_of(np.exp(mlip - uff), "rounds")
        mean = Mean("force field over MLIPs", ("a",), ("uff",), ratio.estimate, ratio.low, ratio.high, 101)
        found.append(verdicts(means=(mean,))["force field"])
    assert found.count("undecided") >= 0.92 * len(found)


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
        method("dft", kind="dft", paper="pbe0-def2-svp"),
    ]
    paths = [replays("uff", 0.1), replays("grace", 50.0), replays("grace", 8.0, "cuda"), replays("dft", 50_000.0)]
    table = table_of(methods, paths, protocols=("replay",))
    for text, figure in (("a force field", 500.0), ("DFT", 1000.0), ("GRACE", 6.25)):
        found = claim(table, text)
        assert (found.verdict, found.protocol, found.random) == ("holds", "replay", ("grace",))
        assert found.figure == pytest.approx(figure)


DEFAULT_RUN = [
    method("uff", kind="force-field", paper="uff", optimizer="native"),
    method("nequix-mp-1", paper="nequix-mp-1"),
    method("eqv2-m", paper="eqv2-m", weights="random"),
    method("pbe0-def2-svp", kind="dft", paper="pbe0-def2-svp"),
]
"""Methods of the published table as most people have them: some relaxed, some with random weights."""
RELAXED = [
    relaxations("uff", 0.1, native=True),
    relaxations("nequix-mp-1", 40.0),
    relaxations("pbe0-def2-svp", 36_000.0),
]
OTHERS = [
    method("ani-1ccx"),
    method("so3lr"),
    method("mmff", kind="force-field"),
    method("orb-d3-xs-v2", "cuda"),
    method("r2scan", kind="dft"),
]


@pytest.mark.parametrize("update", [0.25, None])
def test_methods_that_are_not_in_the_paper_move_no_verdict(update):
    """ANI and SO3LR would bring the force field below 200 times, and r2SCAN would bring DFT above 2000."""
    paths = [replays("eqv2-m", 480.0, update=update)]
    before = table_of(DEFAULT_RUN, paths, RELAXED, protocols=("relax",))
    beside = [
        *(relaxations("ani-1ccx", 2.0), relaxations("so3lr", 3.0), relaxations("mmff", 1.0)),
        *(relaxations("orb-d3-xs-v2", 0.5, "cuda"), relaxations("r2scan", 9e6)),
    ]
    after = table_of([*DEFAULT_RUN, *OTHERS], paths, [*RELAXED, *beside], protocols=("relax",))
    assert claim(before, "a force field").verdict == "holds"
    assert claim(before, "DFT").verdict == "holds"
    assert after.claims == before.claims
    assert after.rank_correlation == before.rank_correlation
    # what the table says of all its methods does change
    assert after.geometric_means != before.geometric_means


def test_steps_along_replayed_paths_with_random_weights_count_beside_relaxations():
    table = table_of(DEFAULT_RUN, [replays("eqv2-m", 480.0, update=0.25)], RELAXED, protocols=("relax",))
    force_field = claim(table, "a force field")
    assert force_field.figure == pytest.approx((40.0 * 600.0) ** 0.5 / 0.1)  # the geometric mean of both models
    assert (force_field.protocol, force_field.random) == ("replay", ("eqv2-m",))
    assert claim(table, "Nequix on the CPU").figure == pytest.approx(15.0)


def test_a_force_call_alone_does_not_count_beside_relaxations():
    table = table_of(DEFAULT_RUN, [replays("eqv2-m", 480.0)], RELAXED, protocols=("relax",))
    force_field = claim(table, "a force field")
    assert force_field.figure == pytest.approx(400.0)
    assert (force_field.protocol, force_field.random) == ("relax", ())
    assert claim(table, "Nequix on the CPU").verdict == "not measured"


def test_a_variant_of_a_published_method_counts_only_in_its_absence():
    variant = method("eqv2-m-lean", paper="eqv2-m")
    both = table_of([*DEFAULT_RUN, variant], [replays("eqv2-m", 480.0, update=0.25)], RELAXED, protocols=("relax",))
    assert claim(both, "Nequix on the CPU").figure == pytest.approx(15.0)
    relaxed = [*RELAXED, relaxations("eqv2-m", 600.0), relaxations("eqv2-m-lean", 80.0)]
    trained = [replace for replace in DEFAULT_RUN if replace.method != "eqv2-m"] + [method("eqv2-m", paper="eqv2-m")]
    found = claim(table_of([*trained, variant], (), relaxed, protocols=("relax",)), "Nequix on the CPU")
    assert found.figure == pytest.approx(15.0)


def test_a_native_force_field_without_steps_of_a_path_is_compared_by_calls():
    """In a run of replay alone, UFF has force calls and the models have steps: calls are compared with calls."""
    paths = [replays("uff", 0.1), replays("nequix-mp-1", 40.0, update=1.0)]
    table = table_of(DEFAULT_RUN[:2], paths, protocols=("replay",))
    assert claim(table, "a force field").figure == pytest.approx(400.0)
    (mean,) = (one for one in table.geometric_means if one.name == "force field over MLIPs")
    assert (mean.estimate, mean.of_calls) == (pytest.approx(400.0), True)


@pytest.mark.parametrize("dataset", [{"formula": "H2O"}, {"formula": ""}, {"formula": "C10H8", "charge": 1}])
def test_another_molecule_than_naphthalene_is_not_compared_with_the_paper(dataset):
    made = campaign(settings={"protocols": ("relax",)})
    made = dataclasses.replace(made, dataset=dataclasses.replace(made.dataset, **dataset))
    figures = table1.figures_for(made.dataset)
    found = judged(summarise(measurements(DEFAULT_RUN, RELAXED, (), made), paper=figures), figures)
    assert (found.claims, found.rank_correlation, found.published) == ((), None, ())
    assert all(row.paper_ms_per_step is None and row.ratio_to_paper is None for row in found.rows)
    assert not any("aper" in column.heading for column in columns(found))
    assert not any("aper" in note for note in notes(found))
    assert len(found.geometric_means) == 2  # what the run says by itself stays


def test_naphthalene_is_compared_with_the_paper():
    assert table1.figures_for(campaign().dataset) == table1.read()
