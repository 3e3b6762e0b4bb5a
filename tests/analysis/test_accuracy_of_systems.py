"""Accuracy over several systems: planted errors of a small and a large molecule, and of atoms that do not move."""

import csv
import dataclasses
import io
import json
from collections import Counter

import numpy as np
import pytest
from scipy import stats
from synthetic import campaign, measurements, method

from bench.core.description import DataSetFacts, MethodFacts, SystemFacts
from bench.protocols.accuracy import by_system
from bench.protocols.accuracy.analyse import accuracies, accuracy_table
from bench.protocols.accuracy.force_errors import force_errors
from bench.protocols.accuracy.formats import FORMATS
from bench.protocols.accuracy.intervals import mean as mean_of_errors
from bench.protocols.accuracy.notes import notes
from bench.protocols.accuracy.page import page, reasons
from bench.protocols.accuracy.pooled import Compared, pooled
from bench.protocols.accuracy.record import SinglePoint
from bench.protocols.accuracy.truths import Level, Truths
from bench.protocols.accuracy.words import answer, placed, reading

PBE = {"functional": "PBE", "basis": "def2-SVP", "dispersion": "none"}
WB97M = {"functional": "wB97M-V", "basis": "def2-TZVPD", "dispersion": "VV10"}
SYSTEMS = {"water": (3, range(4)), "drug": (40, range(4, 24)), "ion": (2, range(24, 27))}
"""Atoms and structures."""
ERRORS = {"water": 0.010, "drug": 0.020, "ion": 0.090}  # eV/Angstrom, of every component
RANDOM = np.random.default_rng(5)
FORCES = {i: RANDOM.normal(size=(atoms, 3)) for atoms, frames in SYSTEMS.values() for i in frames}
ENERGIES = {
    i: zero + RANDOM.normal()
    for zero, (_, frames) in zip((-2000.0, -30000.0, -1900.0), SYSTEMS.values(), strict=True)
    for i in frames
}
SIGNS = {i: np.sign(RANDOM.normal(size=forces.shape)) for i, forces in FORCES.items()}


def level(name, theory, systems=SYSTEMS):
    frames = [i for one in systems for i in SYSTEMS[one][1]]
    return Level(name, theory, {i: ENERGIES[i] for i in frames}, {i: FORCES[i] for i in frames})


def near_limit(functional, system, shift):
    """Return a level near the basis limit, with forces that are off by a shift."""
    theory = {"functional": functional, "basis": "def2-TZVPD", "dispersion": "none"}
    found = level(functional, theory, [system])
    return dataclasses.replace(found, forces={i: FORCES[i] + shift * SIGNS[i] for i in found.forces})


def points(name="m", systems=SYSTEMS, errors=ERRORS, energies=lambda i: 0.0):
    return [
        SinglePoint(
            *(name, "cpu", 0),
            structure=i,
            status="done",
            energy=ENERGIES[i] + energies(i),
            forces=tuple(map(tuple, FORCES[i] + errors[one] * SIGNS[i])),
            calculator_ns=SYSTEMS[one][0] * 1_000_000,
            wall_ns=1,
        )
        for one in systems
        for i in SYSTEMS[one][1]
    ]


def measured(records, levels=lambda system: [level("pbe", PBE, [system])], left_out=None, free=None):
    names = list(dict.fromkeys(one.method for one in records))
    facts = {one: MethodFacts(one, "toys", "mlip", theory=PBE, left_out=(left_out or {}).get(one, {})) for one in names}
    systems = tuple(
        SystemFacts(one, "X", atoms, frames=tuple(frames), fixed=int(one in (free or {})))
        for one, (atoms, frames) in SYSTEMS.items()
    )
    truths = tuple(
        Truths(
            np.ones(atoms, dtype=int),
            np.ones(atoms),
            tuple(levels(one)),
            system=one,
            frames=tuple(frames),
            free=(free or {}).get(one),
        )
        for one, (atoms, frames) in SYSTEMS.items()
    )
    return measurements(
        [method(one) for one in names],
        description=campaign(
            settings={"protocols": ("accuracy",), "vibrations": False},
            methods=facts,
            dataset=DataSetFacts(name="mine.xyz", systems=systems),
        ),
        read={"accuracy": truths},
        records=tuple(records),
    )


def test_each_system_counts_the_same_whatever_its_size_and_number_of_structures():
    found = measured(points())
    (row,) = accuracies(found).values()
    errors = row.references["pbe"]
    assert errors.force_mae.estimate == pytest.approx(40.0), "over components it would be 21, over structures 26"
    assert errors.force_rmse.estimate == pytest.approx(np.sqrt((10**2 + 20**2 + 90**2) / 3))
    assert (errors.systems, errors.structures) == (3, 27)
    each = {one.system: one.force_mae.estimate for one in accuracy_table(found).by_system}
    assert each == pytest.approx({"water": 10.0, "drug": 20.0, "ion": 90.0})


def test_the_zero_of_energy_of_a_composition_is_no_error():
    shift = {i: 100.0 * number for number, (_, frames) in enumerate(SYSTEMS.values()) for i in frames}
    (row,) = accuracies(measured(points(energies=lambda i: shift[i] + 0.010 * (-1) ** i))).values()
    # 10 meV up and down: of three structures, two on one side, the mean distance from their mean is 8.9 meV
    expected = (10.0 * np.sqrt(4 / 3) + 10.0 * np.sqrt(20 / 19) + 8.8888889 * np.sqrt(3 / 2)) / 3
    assert row.references["pbe"].energy_mae.estimate == pytest.approx(expected)
    assert row.references["pbe"].energy_mae.low is None, "four structures do not tell how such an error scatters"


def test_a_method_that_takes_fewer_systems_is_compared_at_those_and_said_so():
    only = {"water": "takes no charge"}
    found = measured([*points("all"), *points("few", ["drug", "ion"])], left_out={"few": only})
    table = accuracy_table(found)
    rows = {row.method: row for row in table.rows}
    assert rows["few"].references["pbe"].force_mae.estimate == pytest.approx(55.0)
    assert [(row.method, row.system) for row in table.by_system] == [
        *(("all", "water"), ("all", "drug"), ("few", "drug"), ("all", "ion"), ("few", "ion"))
    ]
    assert ("few", "takes no charge: not water") in reasons(table)
    assert "Compare methods that have the same number of systems" in " ".join(notes(table))
    (block, *_) = page(table).blocks
    systems = [title for title, _ in block.headings].index("systems")
    assert [str(line[systems]) for line in block.lines] == ["3", "2"]


def test_the_answer_is_about_methods_at_the_same_systems():
    few = points("few", ["drug", "ion"], errors=dict.fromkeys(SYSTEMS, 0.001))
    found = measured([*points("all"), *few], left_out={"few": {"water": "takes no charge"}})
    said = " ".join(answer(accuracy_table(found)))
    assert "few" not in said, "it has the smaller error because it has other molecules"
    assert "The fastest is all" in said


def test_the_level_that_most_systems_have_is_the_common_one():
    def levels(system):
        return [level("pbe", PBE, [system])] + ([level("wb97m-v", WB97M, [system])] if system == "drug" else [])

    (row,) = accuracies(measured(points(), levels)).values()
    assert row.common == row.nearest == "pbe"
    assert row.references["wb97m-v"].systems == 1
    table = accuracy_table(measured(points(), levels))
    (pair,) = table.floor
    assert (pair.forces.systems, pair.forces.structures, pair.forces.force_mae.estimate) == (1, 20, 0.0)


def test_systems_without_labels_are_named_and_the_command_that_makes_some():
    table = accuracy_table(measured(points(), lambda system: [] if system == "ion" else [level("pbe", PBE, [system])]))
    (row,) = table.rows
    assert row.references["pbe"].systems == 2
    assert "There are no reference labels for ion. 'pesbench reference --level pbe0-def2-svp" in table.missing
    assert "--systems ion' makes those of ion." in table.missing
    assert not [why for _, why in reasons(table) if "labels" in why]


def test_forces_on_atoms_that_do_not_move_are_not_compared():
    free = np.array([True, False, True])
    wrong = [one for one in points() if one.structure in SYSTEMS["water"][1]]
    for one in wrong:
        forces = np.array(one.forces)
        forces[1] = 99.0
        object.__setattr__(one, "forces", tuple(map(tuple, forces)))

    def levels(system):
        found = level("pbe", PBE, [system])
        moving = {i: forces[free] if system == "water" else forces for i, forces in found.forces.items()}
        return [Level("pbe", PBE, found.energies, moving)]

    records = [*wrong, *(one for one in points() if one.structure not in SYSTEMS["water"][1])]
    table = accuracy_table(measured(records, levels, free={"water": free}))
    assert table.by_system[0].force_mae.estimate == pytest.approx(10.0)
    assert table.rows[0].force_mae.estimate == pytest.approx(40.0)
    assert "Forces on fixed atoms are not compared." in table.missing


@pytest.mark.parametrize("form", FORMATS.names)
def test_every_format_has_the_rows_of_the_systems(form):
    text = FORMATS.render(accuracy_table(measured(points())), form, width=100)
    if form == "json":
        found = json.loads(text)
        assert found["rows"][0]["system"] is None
        assert found["rows"][0]["references"]["pbe"]["systems"] == 3
        assert [one["system"] for one in found["by_system"]] == list(SYSTEMS)
    elif form == "csv":
        lines = list(csv.DictReader(io.StringIO(text)))
        assert [line["system"] for line in lines] == ["", *SYSTEMS]
        assert float(lines[2]["force_mae_mev_per_angstrom_estimate"]) == pytest.approx(20.0)
    else:
        assert "And at each system?" in text
        assert "m, drug" in text


def test_one_system_pooled_is_that_system():
    ours, theirs = RANDOM.normal(size=(2, 9, 5, 3))
    energies = RANDOM.normal(size=(2, 9))
    one, other = force_errors(ours, theirs, *energies), pooled([Compared(ours, theirs, *energies)])
    for name in ("force_mae", "force_rmse", "force_cosine", "energy_mae"):
        assert getattr(other, name) == getattr(one, name), name


def test_the_interval_over_systems_holds_the_truth_as_often_as_it_says():
    """Errors of 2 to 12 structures of systems that err differently; the systems themselves are not drawn at random."""
    random = np.random.default_rng(11)
    sizes, means, spreads = (3, 5, 12), (10.0, 50.0, 20.0), (3.0, 9.0, 2.0)
    held = 0
    for _ in range(2000):
        drawn = [random.normal(mean, spread, n) for n, mean, spread in zip(sizes, means, spreads, strict=True)]
        found = mean_of_errors(drawn, least=0.0)
        held += found.low < np.mean(means) < found.high
    assert 0.935 < held / 2000 < 0.98
    assert found.over == "structures"


def test_with_one_structure_of_a_system_the_interval_is_over_systems():
    found = mean_of_errors([np.array([10.0]), np.array([20.0]), np.array([28.0, 32.0])], least=0.0)
    assert (found.estimate, found.n, found.over) == (20.0, 4, "systems")
    assert found.high - found.estimate == pytest.approx(4.302653 * 10 / np.sqrt(3), rel=1e-6)


def test_energies_over_systems_scatter_as_the_error_of_the_mean_that_is_taken_off_says():
    """The interval covers the mean absolute deviation of normal errors, which is sigma times the root of 2 / pi."""
    random = np.random.default_rng(3)
    none, held, n = np.zeros((40, 1, 3)), 0, 40
    for _ in range(300):
        systems = [
            Compared(none, none, random.normal(0, sigma, n), np.full(n, zero))
            for sigma, zero in ((0.010, -5.0), (0.040, 7.0))
        ]
        error = pooled(systems).energy_mae
        held += error.low < 25.0 * np.sqrt(2 / np.pi) < error.high
    assert held > 0.9 * 300


def test_what_is_said_of_speed_and_error_is_about_the_same_systems():
    """At the largest system there are no labels, and one method is fast there."""

    def levels(system):
        return [level("pbe", PBE, [system])] if system != "drug" else []

    timed = [
        dataclasses.replace(one, calculator_ns=int(1e6 * (100 if one.structure in SYSTEMS["drug"][1] else 2)))
        for one in points()
    ]
    table = accuracy_table(measured(timed, levels))
    (row,) = table.rows
    assert row.common_systems == ("water", "ion")
    assert row.time.estimate == pytest.approx(2.0), "not the mean with 100 ms at the system without labels"
    assert answer(table)[0].startswith("Where errors are known, at water, ion, the fastest is m: 2.00 ms a force call")


def test_methods_that_are_compared_at_other_systems_are_not_drawn_beside_each_other():
    one, other = points("one", ["water", "drug"]), points("other", ["drug", "ion"])
    left_out = {"one": {"ion": "takes no charge"}, "other": {"water": "does not know X"}}
    table = accuracy_table(measured([*one, *other], left_out=left_out))
    assert [row.label for row in placed(table)] == ["one"]
    assert "Not shown, because they are compared at other systems: other." in reading(table)


def test_verdicts_of_several_systems_are_counted():
    wide = {"water": 0.5, "drug": 0.001, "ion": 0.5}

    def levels(system):
        return [near_limit("PBE0", system, 0.0), near_limit("wB97M-V", system, wide[system])]

    table = accuracy_table(measured(points(), levels))
    (row,) = table.rows
    assert row.verdict is None
    assert dict(row.verdicts) == Counter(one.verdict for one in table.by_system)
    assert len(row.verdicts) == 2
    (block, *_) = page(table).blocks
    spread = [title for title, _ in block.headings].index("spread of")
    assert str(block.lines[0][spread]) == "within 2, beyond 1"
    assert "tells nothing of an error at another" in " ".join(notes(table))


@pytest.mark.parametrize("form", FORMATS.names)
def test_a_line_for_each_method_and_system(form):
    few = points("few", ["drug", "ion"])
    left_out = {"few": {"water": "takes no charge"}}
    table = accuracy_table(measured([*points("all"), *few], left_out=left_out))
    text = by_system.FORMATS.render(table, form, width=100)
    if form == "json":
        rows = json.loads(text)["rows"]
        assert [(one["system"], one["method"]) for one in rows] == [
            *(("water", "all"), ("drug", "all"), ("drug", "few"), ("ion", "all"), ("ion", "few"))
        ]
        assert rows[1]["force_mae_mev_per_angstrom"]["estimate"] == pytest.approx(20.0)
        assert rows[0]["atoms"] == 3
    elif form == "csv":
        assert [line["system"] for line in csv.DictReader(io.StringIO(text))] == ["water", "drug", "drug", "ion", "ion"]
    else:
        assert text.index("water, X, 3 atoms") < text.index("drug, X")
    only = by_system.FORMATS.render(by_system.only(table, {"ion"}), form, width=100)
    assert "few" in only and "drug, X" not in only


def test_by_system_of_a_system_that_no_method_takes_has_no_lines():
    table = accuracy_table(measured(points("m", ["drug", "ion"]), left_out={"m": {"water": "takes no charge"}}))
    assert not by_system.blocks(by_system.only(table, {"water"}))


def test_the_interval_of_an_energy_error_over_systems_has_the_scatter_that_leaving_structures_out_shows():
    """Also of skewed errors, where the mean that is taken off matters."""
    random = np.random.default_rng(2)
    systems = []
    for shape in (0.3, 1.0, 0.5):
        energies = random.gamma(shape, 0.1, 40)
        nothing = np.zeros((40, 2, 3))
        systems.append(Compared(nothing, nothing + 1.0, energies, np.zeros(40)))

    def error(differences):
        count = len(differences)
        return np.abs(differences - differences.mean()).mean() * np.sqrt(count / (count - 1))

    variances = []
    for one in systems:
        left_out = [error(np.delete(1000 * one.energies, i)) for i in range(40)]
        variances.append(np.var(left_out) * 39)
    found = pooled(systems).energy_mae
    assert found.estimate == pytest.approx(np.mean([error(1000 * one.energies) for one in systems]), rel=1e-9)
    spread = np.sqrt(sum(variances)) / 3 / found.estimate
    assert np.log(found.high / found.estimate) / spread == pytest.approx(2.0, rel=0.1)
    few = [Compared(*(each[:4] for each in one)) for one in systems]
    assert pooled(few).energy_mae.low is None, "of so few the scatter says nothing"


def test_force_errors_over_systems_are_plain_means_with_satterthwaites_interval():
    random = np.random.default_rng(3)
    systems = []
    for count, size in ((4, 0.1), (9, 0.3)):
        forces = random.normal(0.0, 1.0, (count, 5, 3))
        wrong = size * random.normal(0.0, 1.0, forces.shape) * random.uniform(0.5, 1.5, (count, 1, 1))
        systems.append(Compared(3 * (forces + wrong), 3 * forces, np.zeros(count), np.zeros(count)))
    found = pooled(systems)
    each = [1000 * np.abs(one.forces - one.reference_forces).mean(axis=(1, 2)) for one in systems]
    means, squares = [one.mean() for one in each], [one.var(ddof=1) / len(one) for one in each]
    freedom = sum(squares) ** 2 / (squares[0] ** 2 / 3 + squares[1] ** 2 / 8)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(squares)) / 2
    assert found.force_mae.estimate == pytest.approx(np.mean(means))
    assert np.log(found.force_mae.high / found.force_mae.estimate) == pytest.approx(half / np.mean(means))
    mean_squares = [((1000 * (one.forces - one.reference_forces)) ** 2).mean(axis=(1, 2)).mean() for one in systems]
    assert found.force_rmse.estimate == pytest.approx(np.sqrt(np.mean(mean_squares)))
    both = [
        (one.forces.reshape(len(one.forces), -1), one.reference_forces.reshape(len(one.forces), -1)) for one in systems
    ]
    cosines = [[a @ b / np.sqrt(a @ a * (b @ b)) for a, b in zip(*pair, strict=True)] for pair in both]
    assert found.force_cosine.estimate == pytest.approx(np.mean([np.mean(one) for one in cosines]))
