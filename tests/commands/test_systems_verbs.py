"""Runs over different systems, as a user types them: coverage, by system, parts of a set, nothing to relax."""

from __future__ import annotations

import json

import pytest

WATER = "O 0 0 .119\nH 0 .763 -.477\nH 0 -.763 -.477\n"
MIXED = (
    f"3\nname=water\n{WATER}"
    "3\nname=water\nO 0 0 .22\nH 0 .763 -.477\nH 0 -.763 -.477\n"
    "2\nname=hydroxide charge=-1\nO 0 0 0\nH 0 0 1.1\n"
    "3\nname=fixed Properties=species:S:1:pos:R:3:move_mask:L:1\nO 0 0 .119 F\nH 0 .763 -.477 T\nH 0 -.763 -.477 T\n"
)


@pytest.fixture(scope="module")
def measured(pesbench, tmp_path_factory):
    """Measure four structures of three systems with a force field and a semi-empirical method."""
    folder = tmp_path_factory.mktemp("systems")
    (folder / "mixed.xyz").write_text(MIXED)
    done = pesbench(
        *("run", "--structures", str(folder / "mixed.xyz"), "--methods", "uff,gfn2-xtb", "--rounds", "2"),
        *("--threads", "1", "--budget", "60", "--output", str(folder / "runs")),
    )
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "runs").iterdir()
    return done, run


@pytest.mark.environment
def test_each_method_is_measured_at_the_systems_that_it_takes(measured, pesbench):
    done, run = measured
    assert "4 structures of 3 systems: water (H2O), hydroxide (HO, charge -1), fixed (H2O" in " ".join(
        done.stdout.split()
    )
    assert "UFF (Open Babel CG) (takes no charge): not hydroxide" in " ".join(done.stdout.split())
    table = json.loads(pesbench("table", str(run), "--format", "json").stdout)
    assert {row["method"]: row["coverage"] for row in table["rows"]} == {
        "uff": {"systems": 2, "of": 3},
        "gfn2-xtb": {"systems": 3, "of": 3},
    }
    assert pesbench("report", str(run), "--output", str(run / "page.html")).returncode == 0
    assert "At which system?" in (run / "page.html").read_text()


@pytest.mark.environment
def test_what_is_fixed_stays_and_energies_are_those_of_the_states(measured):
    import bench

    _, run = measured
    relaxed = bench.load(run).structures.drop_duplicates(["method", "structure"])
    for row in relaxed[relaxed["structure"] == 3].to_dict("records"):
        assert row["status"] == "converged"
        assert row["positions"][0] == pytest.approx([0.0, 0.0, 0.119], abs=1e-6), row["method"]
    free = relaxed[(relaxed["structure"] == 0) & (relaxed["method"] == "gfn2-xtb")].iloc[0]
    assert free["first_energy"] == pytest.approx(-137.968075, abs=1e-4)
    assert abs(free["positions"][0][2] - 0.119) > 0.01


@pytest.mark.environment
@pytest.mark.parametrize("form", ["terminal", "markdown", "latex", "csv", "json"])
def test_a_line_for_each_method_and_system(measured, pesbench, form):
    _, run = measured
    done = pesbench("table", str(run), "--by", "system", "--format", form)
    assert done.returncode == 0, done.stderr
    for name in ("water", "hydroxide", "fixed"):
        assert name in done.stdout
    if form == "terminal":
        assert "· [–]: one structure of a system, so no interval and no sure rank." in done.stdout
    if form == "json":
        rows = json.loads(done.stdout)["rows"]
        assert len(rows) == 6
        (refused,) = (row for row in rows if row["refused"])
        assert (refused["system"], refused["method"], refused["ms_per_step"]["estimate"]) == ("hydroxide", "uff", None)
        assert all(row["ms_per_step"]["estimate"] > 0 for row in rows if not row["refused"])


@pytest.mark.parametrize(("verb", "status"), [(("run", "--structures"), 1), (("advise",), 2)])
def test_what_is_doubtful_in_a_file_is_said_before_anything_is_measured(pesbench, tmp_path, verb, status):
    (tmp_path / "salt.xyz").write_text("2\n\nNa 0 0 0\nO 0 0 2.0\n")
    done = pesbench(*verb, "salt.xyz", "--methods", "ani-1ccx", "--budget", "5", "--threads", "1", cwd=tmp_path)
    assert done.returncode == status, done.stderr  # ANI knows no sodium
    assert done.stderr.startswith("note: frame 0 of salt.xyz: no charge is stated, and the number of electrons is odd.")


@pytest.mark.environment
@pytest.mark.parametrize(
    "verb",
    [
        ("tune", "uff-ase", "--threads", "1,2", "--budget", "1"),
        ("regress", "--methods", "uff-ase", "--base", "HEAD", "--budget", "1"),
        ("engines", "uff-ase", "--atoms", "none", "--budget", "1"),
        ("timeline", "uff-ase", "--versions", "1"),
        ("script", "uff-ase"),
        ("conform", "uff-ase"),
        ("overhead", "--methods", "uff-ase", "--limit", "1"),
    ],
)
def test_a_verb_without_a_head_says_what_is_doubtful_and_what_is_not_used(pesbench, tmp_path, verb):
    (tmp_path / "salt.xyz").write_text('2\nProperties=species:S:1:pos:R:3 colour=7 pbc="F F F"\nNa 0 0 0\nO 0 0 2.0\n')
    done = pesbench(*verb, "--structures", "salt.xyz", cwd=tmp_path)
    assert "note: frame 0 of salt.xyz: no charge is stated, and the number of electrons is odd." in done.stderr
    assert "not used: the key 'colour'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.environment
def test_lines_by_system_can_be_chosen(measured, pesbench):
    _, run = measured
    by_system = ("table", str(run), "--by", "system", "--format", "json")
    for options, names in (
        (("--systems", "fixed,water"), {"water", "fixed"}),
        (("--systems", "water", "--elements", "H,O,C"), {"water"}),
        (("--elements", "H,O"), {"water", "hydroxide", "fixed"}),
    ):
        rows = json.loads(pesbench(*by_system, *options).stdout)["rows"]
        assert {row["system"] for row in rows} == names
    for options, says in (
        (("--systems", "watr"), "the run has no system 'watr'; it has water, hydroxide, fixed."),
        (("--elements", "C"), "the run has no such system of C alone"),
        (("--protocols", "md"), "--by system belongs to speed, accuracy, throughput"),
    ):
        done = pesbench(*by_system, *options)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert says in done.stderr
    done = pesbench("table", str(run), "--systems", "water")
    assert done.returncode == 2 and "add --by system" in done.stderr


@pytest.mark.environment
def test_a_system_at_its_minimum_has_no_step_and_that_is_said(pesbench, tmp_path):
    stretched = "2\nname=hydroxide charge=-1\nO 0 0 0\nH 0 0 1.4\n"
    (tmp_path / "mixed.xyz").write_text(f"3\nname=water\n{WATER}{stretched}")
    done = pesbench(
        *("run", "--structures", str(tmp_path / "mixed.xyz"), "--methods", "gfn2-xtb", "--fmax", "2", "--rounds", "1"),
        *("--threads", "1", "--budget", "5", "--output", str(tmp_path / "runs")),
    )
    assert done.returncode == 0, done.stderr
    assert "Converged before the first step: GFN2-xTB (tblite) at water." in " ".join(done.stdout.split())
    (run,) = (tmp_path / "runs").iterdir()
    text = pesbench("table", str(run), "--by", "system").stdout
    assert "0 steps" in text.partition("hydroxide, HO")[0]


@pytest.mark.environment
def test_what_is_relaxed_already_is_a_result_and_not_a_failure(pesbench, tmp_path):
    (tmp_path / "water.xyz").write_text(f"3\n\n{WATER}")
    done = pesbench(
        *("run", "--structures", str(tmp_path / "water.xyz"), "--methods", "gfn2-xtb", "--fmax", "5", "--rounds", "1"),
        *("--threads", "1", "--budget", "60", "--output", str(tmp_path / "runs")),
    )
    assert done.returncode == 0, done.stderr
    assert "0 steps" in done.stdout
    assert "converged at the start" in done.stdout
    (run,) = (tmp_path / "runs").iterdir()
    assert pesbench("report", str(run), "--output", str(run / "page.html")).returncode == 0


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("1\n\nAr 0 0 0\n", ("--protocols", "md"), "md is not applicable: mine is a single atom"),
        (MIXED, ("--systems", "watr"), "has no system 'watr'; it has water, hydroxide, fixed."),
        (MIXED, ("--elements", "N"), "has no system that consists of N only"),
        (f"3\n\n{WATER}", ("--protocols", "scaling"), "scaling needs systems of several sizes"),
        (f"3\ncharge=1\n{WATER}", ("--charge", "0"), "charge"),
        (f"3\nnelec=9\n{WATER}", (), "nelec"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(pesbench, tmp_path, content, options, says):
    (tmp_path / "mine.xyz").write_text(content)
    done = pesbench("run", "--structures", str(tmp_path / "mine.xyz"), "--methods", "gfn2-xtb", *options)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [("conform", "uff"), ("overhead", "--methods", "uff"), ("reference", "--level", "pbe0-def2-svp")]
)
def test_a_verb_of_one_system_lists_those_of_a_set(pesbench, words):
    done = pesbench(*words, "--structures", "ions")
    assert done.returncode == 2
    assert f"{words[0]} takes one system, and ions has 8; choose one with --systems: methylammonium," in done.stderr
    assert "Traceback" not in done.stderr


def test_labels_that_nothing_compares_with_are_listed(pesbench, tmp_path):
    (tmp_path / "mine.xyz").write_text(f"3\nProperties=species:S:1:pos:R:3 energy=-1.0\n{WATER}")
    done = pesbench(
        *("run", "--structures", str(tmp_path / "mine.xyz"), "--methods", "uff", "--rounds", "1", "--threads", "1"),
        *("--budget", "2", "--output", str(tmp_path / "runs")),
    )
    assert "energies and forces as labels (--protocols accuracy compares with them)" in " ".join(done.stdout.split())


@pytest.mark.environment
def test_a_run_without_times_says_what_it_has_by_system(pesbench, tmp_path):
    (tmp_path / "water.xyz").write_text(f"3\n\n{WATER}")
    options = ("--methods", "uff-ase", "--protocols", "accuracy", "--threads", "1", "--rounds", "1", "--budget", "60")
    done = pesbench("run", "--structures", tmp_path / "water.xyz", *options, "--no-page", "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    done = pesbench("table", run, "--by", "system")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"table {run} --by system --protocols accuracy' shows what it has" in done.stderr


def test_the_published_table_has_no_systems(pesbench):
    done = pesbench("table", "paper", "--by", "system")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_files_of_a_pattern_that_the_shell_expanded_are_all_read(pesbench, tmp_path):
    files = [tmp_path / f"{name}.xyz" for name in ("a", "b", "c")]
    for number, file in enumerate(files):
        file.write_text(f"{number + 1}\n\n" + "".join(f"Ar 0 0 {4 * k}\n" for k in range(number + 1)))
    done = pesbench("run", "--structures", *map(str, files[:2]), "--structures", str(files[2]), "--systems", "none")
    assert done.returncode == 2
    assert "a.xyz and 2 more has no system 'none'; it has a, b, c." in done.stderr


@pytest.mark.environment
def test_heavy_water_has_its_own_frequencies_and_zero_point_energy(pesbench, tmp_path):
    heavy = "O 0 0 .119 15.999\nH 0 .763 -.477 2.014\nH 0 -.763 -.477 2.014\n"
    (tmp_path / "d2o.xyz").write_text(f"3\nProperties=species:S:1:pos:R:3:masses:R:1\n{heavy}")
    done = pesbench(
        *("run", "--structures", str(tmp_path / "d2o.xyz"), "--methods", "gfn2-xtb", "--protocols", "accuracy"),
        *("--threads", "1", "--rounds", "1", "--budget", "60", "--output", str(tmp_path / "runs")),
    )
    assert done.returncode == 0, done.stderr
    assert "masses of its own" in " ".join(done.stdout.split())
    (run,) = (tmp_path / "runs").iterdir()
    (row,) = json.loads(pesbench("table", str(run), "--protocols", "accuracy", "--json").stdout)["rows"]
    # with the masses of H2O it is 547.6 meV
    assert row["minimum"]["zero_point_energy_mev"] == pytest.approx(398.6, abs=0.3)
    assert row["minimum"]["wavenumbers_cm1"] == pytest.approx([1128, 2624, 2679], abs=2)
