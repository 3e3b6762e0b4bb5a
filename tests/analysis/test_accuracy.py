"""From answers, minima and references, all made by hand, to the accuracy of methods."""

import csv
import dataclasses
import io
import json

import ase.io
import numpy as np
import pytest
from synthetic import campaign, measurements, method, rotation

from bench.analysis.vibrations import CM1, external_motions, harmonic
from bench.core.description import MethodFacts
from bench.core.failure import Failure
from bench.errors import BadInput
from bench.paths import PROJECT
from bench.protocols.accuracy import species
from bench.protocols.accuracy.analyse import RANDOM, accuracies, accuracy_table
from bench.protocols.accuracy.figure import draw
from bench.protocols.accuracy.floor import FEWEST_STRUCTURES, floor
from bench.protocols.accuracy.formats import FORMATS
from bench.protocols.accuracy.levels import BEYOND, SAME, WITHIN
from bench.protocols.accuracy.notes import notes
from bench.protocols.accuracy.page import name, page, reasons
from bench.protocols.accuracy.record import SinglePoint, Vibrations
from bench.protocols.accuracy.truths import Bond, Experiment, Fundamental, Level, LevelMinimum, Truths

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS, POSITIONS = NAPHTHALENE.numbers, NAPHTHALENE.positions
MASSES = NAPHTHALENE.get_masses()
ROOT = np.repeat(np.sqrt(MASSES), 3)
COUNT = 20
SIGMA = 0.05  # eV/Angstrom
RANDOM_NUMBERS = np.random.default_rng(17)
FORCES = {i: RANDOM_NUMBERS.normal(size=(18, 3)) for i in range(COUNT)}
ENERGIES = {i: -100.0 + RANDOM_NUMBERS.normal() for i in range(COUNT)}
NOISE = {i: RANDOM_NUMBERS.normal(size=(18, 3)) for i in range(COUNT)}
SIGNS = {i: np.sign(RANDOM_NUMBERS.normal(size=(18, 3))) for i in range(COUNT)}
PBE = {"functional": "PBE", "basis": "def2-SVP", "dispersion": "none"}
PBE0 = {"functional": "PBE0", "basis": "def2-SVP", "dispersion": "none"}
WB97M = {"functional": "wB97M-V", "basis": "def2-TZVPD", "dispersion": "VV10"}
PBE0_GOOD = {"functional": "PBE0", "basis": "def2-TZVPP", "dispersion": "none"}
PBE_GOOD = {"functional": "PBE", "basis": "def2-TZVPP", "dispersion": "none"}


def springs(stiffness=30.0):
    """Return the Hessian of springs between all atoms, and of weaker ones that hold each atom to its neighbours' plane.

    It has the symmetry of the molecule, and neither translations nor rotations cost energy.
    """
    vectors = POSITIONS[:, None] - POSITIONS
    lengths = np.linalg.norm(vectors, axis=-1) + np.eye(18)
    along = np.einsum("ija,ijb->ijab", vectors, vectors) / lengths[..., None, None] ** 2
    strength = stiffness * np.exp(-1.5 * (lengths - 1.0)) * (1 - np.eye(18))
    blocks = -strength[..., None, None] * (along + 0.1 * np.eye(3))
    for i in range(18):
        blocks[i, i] = -blocks[i].sum(axis=0)
    whole = blocks.transpose(0, 2, 1, 3).reshape(54, 54)
    rigid = external_motions(np.ones(18), POSITIONS)
    keep = np.eye(54) - rigid @ rigid.T
    return keep @ whole @ keep


HESSIAN = springs()
MINIMUM = LevelMinimum(POSITIONS, HESSIAN)
MODES = harmonic(HESSIAN, MASSES, POSITIONS)


def level(name="pbe0", theory=PBE0, forces=FORCES, energies=ENERGIES, minimum=None, control=False):
    return Level(name, theory, energies, forces, minimum, control)


def points(name="m", forces=FORCES, energies=ENERGIES, device="cpu", ms=12.0, deviations=None):
    return [
        SinglePoint(
            *(name, device, 0),
            structure=i,
            status="done",
            energy=energies[i],
            forces=tuple(map(tuple, forces[i].tolist())),
            calculator_ns=int(ms * 1e6),
            wall_ns=int(ms * 1.1e6),
            force_deviations=deviations,
        )
        for i in forces
    ]


def failed(structure, kind="crash", name="m"):
    failure = Failure(kind, "died of SIGSEGV")
    return SinglePoint(name, "cpu", 0, structure, "failed", None, None, 0, 0, failure=failure)


def minimum(name="m", hessian=HESSIAN, positions=POSITIONS, status="converged", fmax=0.0005):
    return Vibrations(
        *(name, "cpu", 0, 0),
        status=status,
        steps=7,
        energy=-100.0,
        fmax=fmax,
        positions=tuple(map(tuple, positions.tolist())),
        hessian=tuple(map(tuple, hessian.tolist())),
        source="central differences",
        force_calls=108,
        hessian_ns=2_500_000_000,
        wall_ns=3_000_000_000,
    )


def lost_minimum(status="failed", failure=None):
    return Vibrations("m", "cpu", 0, 0, status, 3, None, None, None, None, "", None, 0, 9, failure)


def measured(
    records,
    levels,
    methods=None,
    theory=None,
    conservative=True,
    experiment=None,
    missing="",
    settings=None,
    **changes,
):
    methods = methods or [method("m")]
    facts = {
        one.method: MethodFacts(one.label, "toys", one.kind, conservative=conservative, theory=theory)
        for one in methods
    }
    return measurements(
        methods,
        description=campaign(settings={"protocols": ("accuracy",), **(settings or {})}, methods=facts),
        read={"accuracy": (Truths(NUMBERS, MASSES, tuple(levels), experiment, missing),)},
        records=tuple(records),
        **changes,
    )


def only(*arguments, **named):
    (found,) = accuracies(measured(*arguments, **named)).values()
    return found


def noisy(sigma=SIGMA):
    return {i: FORCES[i] + sigma * NOISE[i] for i in FORCES}


def apart(distance):
    """Return forces of which each component is this far from the reference's, eV/Angstrom."""
    return {i: FORCES[i] + distance * SIGNS[i] for i in FORCES}


def test_the_force_error_of_planted_noise_is_its_mean_size_and_lies_in_the_interval():
    found = only(points(forces=noisy()), [level()]).references["pbe0"]
    expected = 1000 * SIGMA * np.sqrt(2 / np.pi)
    assert found.structures == COUNT
    assert found.force_mae.estimate == pytest.approx(expected, rel=0.05)
    assert found.force_mae.low < expected < found.force_mae.high
    assert found.force_mae.high - found.force_mae.low < 0.2 * expected
    assert found.force_rmse.estimate == pytest.approx(1000 * SIGMA, rel=0.05)


def test_the_zero_of_energy_is_no_error():
    shifted = {i: energy + 1234.5 for i, energy in ENERGIES.items()}
    found = only(points(energies=shifted), [level()]).references["pbe0"]
    assert found.energy_mae.estimate == pytest.approx(0.0, abs=1e-6)
    assert found.force_mae.estimate == 0.0


def test_energies_that_are_scaled_err_by_their_spread_and_keep_their_order():
    values = np.array(list(ENERGIES.values()))
    scaled = {i: 1.1 * energy for i, energy in ENERGIES.items()}
    found = only(points(energies=scaled), [level()]).references["pbe0"]
    of_ten = np.sqrt(len(values) / (len(values) - 1))
    assert found.energy_mae.estimate == pytest.approx(100 * of_ten * np.abs(values - values.mean()).mean())
    assert found.energy_rank_correlation.estimate == pytest.approx(1.0)


def test_only_structures_that_both_have_are_compared():
    few = {i: FORCES[i] for i in (1, 5, 9)}
    found = only([*points(), failed(COUNT)], [level(forces=few)])
    assert found.references["pbe0"].structures == 3
    assert found.failures == {"crash": 1}


def test_a_method_of_the_same_theory_is_judged_as_such_even_by_a_single_reference():
    found = only(points(forces=noisy()), [level()], theory=PBE0)
    assert (found.nearest, found.verdict) == ("pbe0", SAME)
    assert only(points(forces=noisy()), [level()], theory=PBE).verdict is None, "one reference has no spread"


@pytest.mark.parametrize(("distance", "verdict"), [(0.01, WITHIN), (0.3, BEYOND)])
def test_an_error_is_judged_by_the_difference_of_two_good_theories(distance, verdict):
    references = [level("pbe0", PBE0_GOOD), level("wb97m-v", WB97M, forces=apart(0.1))]
    found = only(points(forces=apart(distance)), references, theory=PBE0)
    assert (found.nearest, found.verdict) == ("pbe0", verdict)
    assert set(found.references) == {"wb97m-v", "pbe0"}
    assert found.spread.force_mae == pytest.approx(100.0)
    assert found.spread.levels == ("pbe0", "wb97m-v")


def test_the_verdict_stands_in_the_line_of_its_reference_and_the_spread_beside_it():
    references = [level("pbe0", PBE0_GOOD), level("wb97m-v", WB97M, forces=apart(0.1))]
    table = accuracy_table(measured(points(forces=apart(0.3)), references, theory=PBE0))
    rows = [*csv.DictReader(io.StringIO(FORMATS.render(table, "csv")))]
    assert {row["reference"]: row["verdict"] for row in rows} == {"pbe0": BEYOND, "wb97m-v": ""}
    document = json.loads(FORMATS.render(table, "json"))
    spread = {"force_mae_mev_per_angstrom": pytest.approx(100.0), "levels": ["pbe0", "wb97m-v"], "structures": COUNT}
    assert document["spread"] == document["rows"][0]["spread"] == spread
    assert document["spread_mev_per_angstrom"] == pytest.approx(100.0)


def test_the_floor_is_the_error_of_one_reference_against_another():
    table = accuracy_table(measured(points(), [level(), level("pbe", PBE, forces=apart(0.03))]))
    (pair,) = table.floor
    assert (pair.a, pair.b, pair.same_theory) == ("pbe0", "pbe", False)
    assert pair.forces.force_mae.estimate == pytest.approx(30.0)
    assert table.spread is None, "two levels in a small basis do not say how far theories differ"


def test_bad_levels_do_not_change_how_far_theories_differ_nor_a_verdict():
    good = [level("pbe0", PBE0_GOOD), level("wb97m-v", WB97M, forces=apart(0.1))]
    bad = [
        level("pbe0-svp", PBE0, forces=apart(0.7)),
        level("hf", {"functional": "HF", "basis": "def2-QZVP", "dispersion": "none"}, forces=apart(0.9)),
        level("pbe", PBE_GOOD, forces=apart(-0.5)),
        # fewer labels than the other level of the same functional
        level("pbe0-few", PBE0_GOOD | {"basis": "def2-QZVP"}, forces=dict(list(apart(0.8).items())[:10])),
    ]
    plain = accuracy_table(measured(points(forces=apart(0.3)), good, theory=PBE0_GOOD | {"dispersion": "D4"}))
    for order in ([*good, *bad], [*bad, *good]):
        table = accuracy_table(measured(points(forces=apart(0.3)), order, theory=PBE0_GOOD | {"dispersion": "D4"}))
        assert table.spread.force_mae == plain.spread.force_mae == pytest.approx(100.0)
        assert (table.rows[0].nearest, table.rows[0].verdict) == ("pbe0", BEYOND)
        assert max(pair.forces.force_mae.estimate for pair in table.floor) > 800, "the floor still shows them"


def test_an_error_and_its_spread_are_of_the_same_structures():
    half = list(FORCES)[: COUNT // 2]
    # theories differ by 20 where the method errs by 50, and by 200 elsewhere
    other = {i: FORCES[i] + (0.02 if i in half else 0.2) * SIGNS[i] for i in FORCES}
    ours = {i: FORCES[i] + 0.05 * SIGNS[i] for i in half}
    references = [level("pbe0", PBE0_GOOD), level("wb97m-v", WB97M, forces=other)]
    table = accuracy_table(measured(points(forces=ours), references, theory=PBE0))
    (row,) = table.rows
    assert table.spread.force_mae == pytest.approx(110.0)
    assert row.spread.force_mae == pytest.approx(20.0)
    assert row.spread.structures == set(half)
    assert row.verdict == BEYOND
    # and where only a part of the structures has labels of both, the error is of that part
    ours = {i: FORCES[i] + (0.01 if i in half else 0.5) * SIGNS[i] for i in FORCES}
    some = level("wb97m-v", WB97M, forces={i: other[i] for i in half})
    (row,) = accuracies(measured(points(forces=ours), [references[0], some], theory=PBE0)).values()
    assert row.force_mae.estimate == pytest.approx(255.0)
    assert row.verdict == WITHIN


def test_two_references_without_a_structure_in_common_have_no_floor():
    halves = [{i: FORCES[i] for i in FORCES if i % 2 == rest} for rest in (0, 1)]
    table = accuracy_table(measured(points(), [level(forces=halves[0]), level("pbe", PBE, forces=halves[1])]))
    assert (table.floor, table.spread) == ((), None)


def test_references_with_too_few_structures_in_common_have_no_spread():
    few = dict(list(FORCES.items())[: FEWEST_STRUCTURES - 1])
    enough = dict(list(FORCES.items())[:FEWEST_STRUCTURES])
    for forces, spread in ((few, None), (enough, pytest.approx(30.0))):
        other = level("wb97m-v", WB97M, forces={i: FORCES[i] + 0.03 * SIGNS[i] for i in forces})
        table = accuracy_table(measured(points(), [level("pbe0", PBE0_GOOD), other]))
        (pair,) = table.floor
        assert pair.forces.structures == len(forces)
        assert (table.spread and table.spread.force_mae) == spread


def test_a_level_of_two_structures_does_not_judge_where_another_has_more():
    few = level("pbe0", PBE0, forces={i: FORCES[i] for i in (0, 1)})
    found = only(points(), [few, level("pbe", PBE)], theory=PBE0)
    assert found.references["pbe0"].structures == 2
    assert (found.nearest, found.nearest_label) == ("pbe", "PBE/def2-SVP")
    other = level("pbe", PBE, forces={0: FORCES[0]})
    assert only(points(), [few, other], theory=PBE0).nearest == "pbe0", "no level has more"
    enough = level("pbe0", PBE0, forces={i: FORCES[i] for i in range(FEWEST_STRUCTURES)})
    assert only(points(), [enough, level("pbe", PBE)], theory=PBE0).nearest == "pbe0"


def test_a_method_with_dispersion_is_not_of_the_theory_without_it():
    references = [level("pbe0", PBE0_GOOD), level("wb97m-v", WB97M, forces=apart(0.1))]
    found = only(points(forces=apart(0.01)), references, theory=PBE0_GOOD | {"dispersion": "D4"})
    assert (found.nearest, found.verdict) == ("pbe0", WITHIN)


def test_labels_that_check_a_level_are_no_reference_for_methods_and_do_not_widen_the_spread():
    control = level("rMD17", PBE, forces=apart(0.9), control=True)
    other = level("x", WB97M, forces=apart(0.9), control=True)
    references = [level("pbe0", PBE0_GOOD), level("wb97m-v", WB97M, forces=apart(0.03)), level("pbe", PBE), control]
    table = accuracy_table(measured(points(), [*references, other], theory=PBE))
    assert set(table.rows[0].references) == {"pbe0", "pbe", "wb97m-v"}
    pairs = {(pair.a, pair.b): pair for pair in table.floor}
    assert pairs["pbe", "rMD17"].same_theory
    assert pairs["pbe", "rMD17"].forces.force_mae.estimate > 800
    assert table.spread.force_mae == pytest.approx(30.0)
    assert table.label("rMD17") == "PBE/def2-SVP (rMD17)"
    alone = accuracy_table(measured(points(), [level("pbe0", PBE0_GOOD), other]))
    assert alone.spread is None, "what checks others is no second theory"


def test_random_weights_are_refused_with_the_reason():
    table = accuracy_table(measured(points(), [level(minimum=MINIMUM)], [method("m", weights="random")]))
    (row,) = table.rows
    assert row.refused == RANDOM
    assert not row.measured
    assert reasons(table) == [("m", f"not compared: {RANDOM}")]


def test_without_labels_there_are_a_geometry_and_frequencies_and_it_is_said_what_is_missing():
    missing = "There are no reference labels for water."
    records = [*points(), minimum()]
    table = accuracy_table(measured(records, [level(forces={}, energies={}, minimum=MINIMUM)], missing=missing))
    (row,) = table.rows
    assert (row.references, row.nearest, row.force_mae, row.verdict, row.refused) == ({}, None, None, None, None)
    assert row.frequencies.all.rmsd_cm1 == pytest.approx(0.0, abs=1e-6)
    assert row.geometry["pbe0"].bonds.mae == pytest.approx({"C-C": 0.0, "C-H": 0.0}, abs=1e-9)
    assert notes(table)[0] == missing
    assert not any("force MAE" in block.title for block in page(table).blocks)


def test_a_figure_without_anything_to_draw_is_refused_with_the_reason():
    missing = "There are no reference labels for water."
    with pytest.raises(BadInput, match=r"has nothing to draw\. There are no reference labels for water"):
        draw(accuracy_table(measured(points(), [], missing=missing)))
    assert draw(accuracy_table(measured(points(), [level()]))).axes


def test_a_method_without_any_figure_says_why():
    assert only(points(), []).refused == "no structure of the run has labels"
    assert only([failed(0), failed(1)], [level()]).refused == "crash: died of SIGSEGV"
    assert only([], [level()]).refused == "its time ended before anything was measured"
    stopped = method("m", failure="load", message="RuntimeError: other weights")
    assert only([], [level()], [stopped]).refused == "RuntimeError: other weights"
    assert only([lost_minimum(failure=Failure("nan", "not finite"))], [level()]).refused == "nan: not finite"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (lost_minimum(failure=Failure("nan", "not finite")), "no minimum: nan: not finite"),
        (lost_minimum("censored"), "no minimum: its time ended first"),
        (None, "no minimum: its time ended first"),
    ],
)
def test_a_minimum_that_is_missing_beside_other_figures_is_explained(record, reason):
    table = accuracy_table(measured([*points(), *([record] if record else [])], [level()]))
    assert table.rows[0].refused is None
    assert reasons(table) == [("m", reason)]


def test_a_minimum_that_was_not_wanted_is_not_missing():
    table = accuracy_table(measured(points(), [level()], settings={"vibrations": False}))
    assert table.rows[0].no_minimum is None
    assert reasons(table) == []


def test_an_uncertainty_that_failed_is_no_failure_of_the_answer():
    records = points()
    failure = Failure("calculator", "RuntimeError: its committee is missing")
    records[0] = dataclasses.replace(records[0], failure=failure)
    found = only(records, [level()])
    assert found.failures == {}
    assert found.references["pbe0"].structures == COUNT


def test_a_run_without_the_protocol_has_no_accuracy():
    assert accuracies(measurements([method("m")])) == {}


def test_wavenumbers_that_are_all_a_tenth_higher_have_a_known_rmsd_however_the_molecule_lies():
    turn = rotation(np.random.default_rng(3))
    blocks = np.kron(np.eye(18), turn)
    record = minimum(hessian=1.21 * blocks @ HESSIAN @ blocks.T, positions=POSITIONS @ turn.T + (3, -2, 1))
    found = only([record], [level(minimum=MINIMUM)])
    errors = found.vibrations["pbe0"].errors.all
    assert errors.modes == 48
    assert errors.rmsd_cm1 == pytest.approx(0.1 * np.sqrt((MODES.wavenumbers**2).mean()), rel=1e-4)
    assert errors.largest_cm1 == pytest.approx(0.1 * MODES.wavenumbers.max(), rel=1e-4)
    assert found.geometry["pbe0"].rmsd == pytest.approx(0.0, abs=1e-6)
    assert (found.nearest_minimum, found.nearest_minimum_label) == ("pbe0", "PBE0/def2-SVP")
    assert (found.harmonic.hessian_seconds, found.harmonic.hessian_calls) == (2.5, 108)


def test_the_floor_has_the_frequencies_and_bonds_of_the_references_too():
    stiffer = LevelMinimum(1.01 * POSITIONS, 1.21 * HESSIAN)
    references = [level(minimum=MINIMUM), level("pbe", PBE, forces={}, energies={}, minimum=stiffer)]
    (pair,) = accuracy_table(measured(points(), references)).floor
    assert pair.forces is None
    assert pair.frequencies.all.rmsd_cm1 == pytest.approx(0.1 * np.sqrt((MODES.wavenumbers**2).mean()), rel=0.03)
    assert pair.bonds.mae["C-C"] == pytest.approx(14.0, rel=0.03)  # a hundredth of 1.4 Angstrom


def test_a_molecule_that_is_a_hundredth_too_large_has_bonds_that_are():
    centred = POSITIONS - POSITIONS.mean(axis=0)
    found = only([minimum(positions=1.01 * centred)], [level(minimum=MINIMUM)])
    bonds = [(i, j) for i in range(10) for j in range(i) if NAPHTHALENE.get_distance(i, j) < 1.6]
    expected = 10 * np.mean([NAPHTHALENE.get_distance(*bond) for bond in bonds])
    assert found.geometry["pbe0"].bonds.mae["C-C"] == pytest.approx(expected)
    assert found.geometry["pbe0"].bonds.bonds == {"C-C": 11, "C-H": 8}
    assert found.geometry["pbe0"].rmsd == pytest.approx(0.01 * np.sqrt((centred**2).sum(axis=1).mean()))


def test_an_imaginary_mode_is_counted_and_named():
    soft = ROOT * MODES.modes[:, 0]
    step = (MODES.wavenumbers[0] ** 2 + 200.0**2) / CM1**2
    table = accuracy_table(measured([minimum(hessian=HESSIAN - step * np.outer(soft, soft))], [level()]))
    (row,) = table.rows
    assert row.harmonic.imaginary == 1
    assert row.harmonic.wavenumbers[0] == pytest.approx(-200.0, abs=1e-3)
    assert row.harmonic.wavenumbers[1:] == pytest.approx(MODES.wavenumbers[1:], abs=1e-3)
    assert reasons(table) == [("m", "1 imaginary mode: not a minimum")]


def test_forces_that_did_not_vanish_are_named_beside_the_figures():
    table = accuracy_table(measured([minimum(status="step-cap", fmax=0.0123)], [level(minimum=MINIMUM)]))
    assert reasons(table) == [("m", "no minimum: its largest force stayed at 0.012 eV/Å")]
    assert table.rows[0].frequencies is not None


def test_two_levels_of_one_functional_are_told_apart_in_every_heading():
    larger = PBE0 | {"basis": "def2-TZVP"}
    references = [level(minimum=MINIMUM), level("tz", larger, minimum=MINIMUM), level("pbe", PBE, minimum=MINIMUM)]
    for block in page(accuracy_table(measured([*points(), minimum()], references))).blocks:
        assert len(set(block.headings)) == len(block.headings), block.title


def minima():
    """Return levels whose minima differ: the small basis has bonds that are a hundredth too long."""
    long = LevelMinimum(1.01 * POSITIONS, HESSIAN / 1.01**2)
    return [
        level("pbe-svp", PBE, minimum=long),
        level("pbe", PBE_GOOD, minimum=MINIMUM),
        level("pbe0-svp", PBE0, minimum=long),
        level("pbe0", PBE0_GOOD, minimum=LevelMinimum(0.995 * POSITIONS, 1.02 * HESSIAN)),
    ]


@pytest.mark.parametrize(
    ("theory", "judge", "own", "shown"),
    [
        (PBE | {"functional": "PBE+U", "basis": "-"}, "pbe", True, "PBE/def2-TZVPP"),
        (PBE0, "pbe0-svp", True, "PBE0/def2-SVP"),
        (WB97M, "pbe0", False, "PBE0/def2-TZVPP*"),
        ({"functional": "UFF", "basis": "-", "dispersion": "none"}, "pbe0", None, "PBE0/def2-TZVPP"),
    ],
)
def test_a_minimum_is_compared_near_the_basis_limit_with_the_own_functional(theory, judge, own, shown):
    table = accuracy_table(measured([minimum()], minima(), theory=theory))
    (row,) = table.rows
    assert (row.nearest_minimum, row.own_minimum) == (judge, own)
    geometry, frequencies = (
        one for one in page(table).blocks if one.title.startswith("How far is its") or "harm" in one.title
    )
    assert geometry.lines[0][1] == frequencies.lines[0][1] == shown
    if judge == "pbe":
        assert row.geometry["pbe"].bonds.mae["C-C"] == pytest.approx(0.0, abs=1e-9)
        assert row.geometry["pbe-svp"].bonds.mae["C-C"] == pytest.approx(14.0, rel=0.05)
        assert geometry.lines[0][2] == "0.0", "the basis's own error is not the method's"
    assert any("no minimum of the method's own functional" in note for note in notes(table)) is (own is False)


def test_a_minimum_in_a_small_basis_judges_only_where_there_is_no_other_and_that_is_said():
    table = accuracy_table(measured([minimum()], minima()[:1], theory=PBE_GOOD))
    assert table.rows[0].nearest_minimum == "pbe-svp"
    assert any("below triple zeta" in note for note in notes(table))
    table = accuracy_table(measured([minimum()], minima(), theory=PBE_GOOD))
    assert not any("below triple zeta" in note for note in notes(table))


def test_a_level_of_which_only_the_geometry_is_known_judges_geometries_and_no_frequencies():
    known = [one for one in minima() if one.name != "pbe"]
    known.append(level("pbe", PBE_GOOD, minimum=LevelMinimum(POSITIONS, None)))
    table = accuracy_table(measured([minimum()], known, theory=PBE_GOOD, experiment=experiment(0.97)[0]))
    (row,) = table.rows
    assert (row.nearest_geometry, row.own_geometry) == ("pbe", True)
    assert row.geometry["pbe"].rmsd == pytest.approx(0.0, abs=1e-6)
    # PBE in a small basis has a Hessian, and PBE0 near the limit: for frequencies the functional comes first
    assert (row.nearest_minimum, row.own_minimum) == ("pbe-svp", True)
    assert "pbe" not in {one.level for one in table.minima}
    by_title = {block.title.split("?")[0]: block for block in page(table).blocks}
    assert by_title["How far is its relaxed geometry"].lines[0][1] == "PBE/def2-TZVPP"
    assert by_title["How far are its harmonic frequencies"].lines[0][1] == "PBE/def2-SVP"


def test_the_residue_of_a_references_hessian_is_shown_with_what_it_may_do():
    rigid = external_motions(MASSES, POSITIONS)
    weighted = rigid[:, :1] @ rigid[:, :1].T * (30.0 / CM1) ** 2
    coarse = LevelMinimum(POSITIONS, HESSIAN + ROOT[:, None] * weighted * ROOT, 0.0007, "native")
    table = accuracy_table(measured([minimum()], [level("pbe0", PBE0_GOOD, minimum=coarse)]))
    (found,) = table.minima
    assert found.residue == pytest.approx(30.0, rel=1e-3)
    assert found.softest == pytest.approx(MODES.wavenumbers[0])
    assert found.shift == pytest.approx(900 / (2 * MODES.wavenumbers[0]), rel=1e-3)
    (block,) = (one for one in page(table).blocks if "references' own minima" in one.title)
    assert block.lines[0][:4] == ("PBE0/def2-TZVPP", "0.0007", "native", "30.0")
    assert any("PBE0/def2-TZVPP (30 cm⁻¹)" in note for note in notes(table))
    fine = accuracy_table(measured([minimum()], [level("pbe0", PBE0_GOOD, minimum=MINIMUM)]))
    assert fine.minima[0].residue < 0.1
    assert not any("come out above" in note for note in notes(fine))


def test_direct_forces_are_marked_beside_the_name():
    table = accuracy_table(measured(points(), [level()], conservative=False))
    assert name(table.rows[0], table) == "m (direct forces)"
    assert page(table).blocks[0].lines[0][0] == "m (direct forces)"
    table = accuracy_table(measured(points(), [level()]))
    assert name(table.rows[0], table) == "m"


def test_each_device_is_a_row_with_its_own_answers():
    methods = [method("m"), method("m", device="cuda")]
    records = [*points(), *points(device="cuda", forces=apart(0.002))]
    found = accuracies(measured(records, [level()], methods))
    assert {key: round(one.force_mae.estimate, 6) for key, one in found.items()} == {
        ("m", "cpu"): 0.0,
        ("m", "cuda"): 2.0,
    }


def test_an_uncertainty_that_is_the_size_of_the_errors_is_calibrated():
    deviations = (np.sqrt(3) * SIGMA,) * 18
    found = only(points(forces=noisy(), deviations=deviations), [level()])
    assert found.uncertainty.structures == COUNT
    assert found.uncertainty.calibration.estimate == pytest.approx(1.0, rel=0.05)
    assert only(points(), [level()]).uncertainty is None


def test_the_time_is_that_of_the_force_calls_at_the_structures_where_nothing_else_was_timed():
    assert only(points(ms=12.0), [level()]).time.estimate == pytest.approx(12.0)


def test_a_method_that_bends_a_linear_molecule_is_compared_in_all_but_its_modes():
    numbers, masses = np.array([8, 6, 8]), np.array([16.0, 12.0, 16.0])
    straight = np.array([(0, 0, -1.16), (0, 0, 0), (0, 0, 1.16)])
    bent = straight + np.outer((1, 0, 1), (0, 0.5, 0))
    linear = Level("pbe", PBE, minimum=LevelMinimum(straight, 20.0 * np.eye(9)))
    facts = {"m": MethodFacts("m", "toys", "mlip", theory=PBE)}

    def compared(levels):
        measured = measurements(
            [method("m")],
            description=campaign(methods=facts),
            read={"accuracy": (Truths(numbers, masses, levels),)},
            records=(minimum(hessian=20.0 * np.eye(9), positions=bent),),
        )
        (found,) = accuracies(measured).values()
        return found

    found = compared((linear,))
    assert found.geometry["pbe"].bonds.mae["O-C"] > 50
    assert found.vibrations == {}
    assert (found.nearest_minimum, found.nearest_minimum_label) == (None, None)
    assert len(found.harmonic.wavenumbers) == 3
    found = compared((linear, Level("pbe0", PBE0, minimum=LevelMinimum(bent, 20.0 * np.eye(9)))))
    assert found.nearest_minimum == "pbe0", "the nearest of those with as many modes"
    assert found.frequencies.all.rmsd_cm1 == pytest.approx(0.0, abs=1e-6)


def experiment(factor, add=0.0):
    names = species.species(NUMBERS, POSITIONS, MODES.modes)
    places = species.numbered(names, MODES.wavenumbers)
    chosen = [("b1u", 2), ("b2u", 3), ("b3u", 0), ("b3u", 3)]
    pairs = ((0, 1), (2, 3), (5, 6), (7, 8))
    length = np.mean([NAPHTHALENE.get_distance(*pair) for pair in pairs])
    return Experiment(
        bonds=(Bond("C1-C2", pairs, length + add),),
        fundamentals=tuple(Fundamental(*one, factor * MODES.wavenumbers[places[one]]) for one in chosen),
        sources=("A book.",),
    ), [MODES.wavenumbers[places[one]] for one in chosen]


def test_measured_fundamentals_and_bonds_are_compared_by_symmetry():
    measured_there, _ = experiment(0.97, add=-0.02)
    reference = [level("pbe0", PBE0_GOOD, minimum=MINIMUM)]
    found = only([minimum()], reference, experiment=measured_there)
    assert found.experimental_bonds == pytest.approx(20.0)
    assert found.scale_factor == pytest.approx(0.97)
    assert found.experimental_fundamentals.all.modes == 4
    assert found.experimental_fundamentals.all.rmsd_cm1 == pytest.approx(0.0, abs=1e-6)


def test_a_potential_that_is_too_soft_gains_nothing_from_the_anharmonicity_of_fundamentals():
    measured_there, ours = experiment(0.97)
    reference = [level("pbe0", PBE0_GOOD, minimum=MINIMUM)]
    soft = only([minimum(hessian=0.97**2 * HESSIAN)], reference, experiment=measured_there)
    # its harmonic wavenumbers are the measured fundamentals, so it is wrong by 3 %
    wrong = 0.03 * 0.97 * np.sqrt(np.mean(np.square(ours)))
    assert soft.experimental_fundamentals.all.rmsd_cm1 == pytest.approx(wrong, rel=1e-3)
    perfect = only([minimum()], reference, experiment=measured_there)
    assert perfect.experimental_fundamentals.all.rmsd_cm1 < 0.01 * wrong


def test_without_a_reference_there_is_no_scale_factor_and_no_comparison_with_fundamentals():
    found = only([minimum()], [], experiment=experiment(0.97)[0])
    assert (found.scale_factor, found.experimental_fundamentals) == (None, None)
    assert found.experimental_bonds is not None


def test_a_level_has_its_scale_factor_and_what_it_leaves():
    measured_there, _ = experiment(0.97)
    (found,) = accuracy_table(measured([], [level(minimum=MINIMUM)], experiment=measured_there)).minima
    assert found.scale_factor == pytest.approx(0.97)
    assert found.fundamentals.all.rmsd_cm1 == pytest.approx(0.0, abs=1e-6)


def test_a_minimum_that_is_not_planar_has_no_fundamentals_to_compare():
    puckered = POSITIONS + np.outer(np.arange(18) % 2, (0, 0, 0.6))
    flat = np.ptp(POSITIONS, axis=0).argmin()
    assert flat == 2, "the molecule lies in the xy plane"
    reference = [level("pbe0", PBE0_GOOD, minimum=MINIMUM)]
    found = only([minimum(positions=puckered)], reference, experiment=experiment(0.97)[0])
    assert found.experimental_fundamentals is None
    assert found.experimental_bonds is not None


ETHYLENE = np.array([6, 6, 1, 1, 1, 1])
"""The long axis is the first, the short one the second, and the third is out of the plane."""
ATOMS = np.array(
    [
        (0.667, 0.0, 0.0),
        (-0.667, 0.0, 0.0),
        (1.232, 0.923, 0.0),
        (1.232, -0.923, 0.0),
        (-1.232, 0.923, 0.0),
        (-1.232, -0.923, 0.0),
    ]
)
LONG, SHORT = np.sign(ATOMS[:, 0]), np.sign(ATOMS[:, 1])
FLAT = np.zeros(6)
# motions of each atom along the long axis, the short axis, and out of the plane
PLANTED = {
    "ag": (LONG, FLAT, FLAT),  # the C=C stretch
    "au": (FLAT, FLAT, LONG * SHORT),  # the torsion
    "b1g": (FLAT, FLAT, LONG),  # with a part of the rotation about the short axis
    "b1u": (FLAT, np.ones(6), FLAT),  # like a translation along the short axis, z
    "b2g": (FLAT, FLAT, SHORT),  # with a part of the rotation about the long axis
    "b2u": (np.ones(6), FLAT, FLAT),
    "b3g": (SHORT, FLAT, FLAT),  # a shear in the plane
    "b3u": (FLAT, FLAT, np.ones(6)),  # like a translation out of the plane
}


def planted(turn=None, shift=(0, 0, 0)):
    """Return positions and one mode of each species, of a molecule that was turned and shifted."""
    turn = np.eye(3) if turn is None else turn
    modes = np.array([np.stack(motion, axis=1) @ turn.T for motion in PLANTED.values()]).reshape(8, 18)
    return ATOMS @ turn.T + shift, (modes / np.linalg.norm(modes, axis=1, keepdims=True)).T


def test_planted_motions_have_their_species_however_the_molecule_lies():
    random = np.random.default_rng(5)
    assert species.species(ETHYLENE, *planted()) == list(PLANTED)
    for _ in range(10):
        assert species.species(ETHYLENE, *planted(rotation(random), random.normal(size=3))) == list(PLANTED)


def test_a_motion_of_two_species_at_once_has_none():
    positions, modes = planted()
    mixed = ((modes[:, 0] + modes[:, 3]) / np.sqrt(2))[:, None]
    assert species.species(ETHYLENE, positions, mixed) == [None]


def test_a_molecule_that_is_not_planar_or_not_symmetric_has_no_species():
    positions, modes = planted()
    twisted = positions + np.outer(LONG * SHORT, (0, 0, 0.3))
    assert species.species(ETHYLENE, twisted, modes) is None
    longer = positions + np.outer(np.arange(6) == 2, (0.3, 0.3, 0))
    assert species.species(ETHYLENE, longer, modes) is None
    fluorinated = np.array([6, 6, 9, 1, 1, 1])
    assert species.species(fluorinated, positions, modes) is None, "the image of an atom must be of its element"


def test_modes_are_numbered_within_their_species_from_the_highest():
    names = ["ag", "b1u", None, "ag", "ag", "b1u"]
    wavenumbers = np.array([300.0, 400.0, 500.0, 3000.0, 1500.0, 200.0])
    assert species.numbered(names, wavenumbers) == {
        ("ag", 0): 3,
        ("ag", 1): 4,
        ("ag", 2): 0,
        ("b1u", 0): 1,
        ("b1u", 1): 5,
    }


def test_the_modes_of_naphthalene_divide_into_the_species_of_the_textbooks():
    names = species.species(NUMBERS, POSITIONS, MODES.modes)
    assert {one: names.count(one) for one in sorted(set(names))} == {
        "ag": 9,
        "au": 4,
        "b1g": 3,
        "b1u": 8,
        "b2g": 4,
        "b2u": 8,
        "b3g": 8,
        "b3u": 4,
    }


def test_the_floor_is_not_computed_for_a_single_reference():
    assert floor(Truths(NUMBERS, MASSES, (level(minimum=MINIMUM),))) == []


def test_what_only_a_reference_makes_readable_is_not_shown_without_one():
    """A molecule of the user's, of which nothing is known: its distance from a plane is no error of the method."""
    unknown = accuracy_table(measured([*points(), minimum()], [level()]))
    known = accuracy_table(measured([*points(), minimum()], [level(minimum=MINIMUM)]))
    shown, full = ([one.title for one in page(table).blocks] for table in (unknown, known))
    for words in ("relaxed geometry", "harmonic frequencies"):
        assert not any(words in title for title in shown) and any(words in title for title in full)
    assert not any("planarity" in str(one) for one in page(unknown).blocks)
    assert any("planarity" in str(one) for one in page(known).blocks)
    for table in (unknown, known):
        assert sum(str(one).count("'imag.'") for one in page(table).blocks) == 1, "it needs no reference"
    assert any("partner" in note for note in notes(known)) and not any("partner" in note for note in notes(unknown))
