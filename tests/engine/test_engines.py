"""Engines with planted speeds, answers and failures, through the same path as real ones."""

import json
from pathlib import Path

import pytest

import bench
from bench.engine.engines import growth

FAKES = Path(__file__).parents[1] / "fakes"
ORIGINAL, OTHERS = FAKES / "original.py", FAKES / "other_engines.py"


def engines(pesbench, folder, *more):
    return pesbench(
        *("engines", "original", "--adapter", ORIGINAL, "--adapter", OTHERS, "--output", folder / "runs", *more),
        PESBENCH_CACHE=str(folder / "cache"),
        PESBENCH_WEIGHTS=str(folder / "weights"),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("engines")
    (made / "weights").mkdir()
    (made / "weights" / "original.json").write_text('{"k": 1.25}')
    return made


@pytest.fixture(scope="module")
def found(pesbench, folder):
    """Return the comparison of all engines at 18 atoms, in as few rounds as there may be."""
    done = engines(pesbench, folder, "--atoms", "18", "--budget", "5", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def by_name(found):
    return {one["engine"]: one for one in found["engines"]}


def test_the_planted_speed_is_found_with_an_interval_and_recommended(found, by_name):
    fast = by_name["fast"]
    speed = fast["speedup"]["18"]
    assert 1.05 < speed["low"] <= speed["estimate"] <= speed["high"], "three rounds beside busy processes say no more"
    assert 1.5 < speed["estimate"] < 6
    assert found["recommended"] == "original@fast" == fast["method"]
    assert "times as fast at 18 atoms; forces within 0.0" in fast["sentence"]
    assert fast["same_answers"] is True
    assert fast["force_difference_mev_per_angstrom"] == pytest.approx(0.0, abs=1e-6)
    assert fast["peak_memory_bytes"] > 0
    assert fast["cold_start_s"] > 0
    assert fast["conversion_s"] >= 0


def test_other_answers_are_set_apart_however_fast_they_are(found, by_name):
    wrong = by_name["wrong"]
    assert wrong["same_answers"] is False
    assert wrong["speedup"]["18"]["low"] > 1.05
    assert "gives other answers, so its times are no gain" in wrong["sentence"]
    (system,) = wrong["systems"]
    assert system["energy_difference_mev_per_atom"] > system["energy_allowed_mev_per_atom"]
    order = [one["engine"] for one in found["engines"]]
    assert order.index("wrong") > max(order.index("fast"), order.index("admitted"))


def test_a_header_may_admit_a_difference_with_a_reason(by_name):
    admitted = by_name["admitted"]
    assert admitted["same_answers"] is True
    assert admitted["limit_reason"] == "they are stiffer"
    assert admitted["force_difference_mev_per_angstrom"] > 1.0
    assert admitted["systems"][0]["force_allowed_mev_per_angstrom"] == 10_000.0


def test_forces_of_all_are_compared_with_the_derivative_of_their_own_energy(found, by_name):
    for one in (found["reference"], by_name["fast"], by_name["wrong"]):
        assert one["derivative_difference_mev_per_angstrom"] == pytest.approx(0.0, abs=1e-3)


def test_what_an_engine_tells_of_its_neighbours_is_shown(by_name):
    (system,) = by_name["fast"]["systems"]
    assert (system["edges"], system["lists_per_call"]) == (12, 1.0)
    assert by_name["fast"]["settings"]["neighbor_skin"] == 0.0


def test_a_kept_list_is_measured_within_its_skin_and_beyond_it(found, by_name):
    (system,) = by_name["listed"]["systems"]
    assert 0 < system["lists_per_call"] < 1
    assert system["lists_per_call_beyond_skin"] == 1.0
    assert system["speedup_beyond_skin"]["high"] < system["speedup"]["low"]
    notes = " ".join(found["notes"])
    assert "listed: where each call needs a new list, it is" in notes
    assert "and every 1.0 beyond the skin" in notes
    assert by_name["listed"]["same_answers"] is True
    (reference,) = found["reference"]["systems"]
    assert (reference["speedup_beyond_skin"], reference["lists_per_call_beyond_skin"]) == (None, None)


def test_the_share_of_a_driver_is_what_a_step_takes_beside_its_force_call(found, by_name):
    (own,) = by_name["driven"]["systems"]
    assert own["driver"] == "slow driver"
    assert own["driver_ms_per_step"]["estimate"] == pytest.approx(100, rel=0.3)
    (plain,) = by_name["fast"]["systems"]
    assert plain["driver"] == "ASE"
    assert 0 < plain["driver_ms_per_step"]["estimate"] < 50, "of its 10 ms a call, nothing is the driver's"
    notes = " ".join(found["notes"])
    assert "driver is the time of a step of dynamics" in notes
    assert "slow driver's for driven" in notes


@pytest.mark.parametrize(
    ("known", "kind", "power"),
    [
        ([(18, 0.05)], "mlip", 1.5),  # not so steep that 144 atoms would never be tried
        ([(18, 0.05)], "dft", 2.5),
        ([(18, 0.05), (144, 0.4)], "mlip", 1.0),
        ([(18, 0.05), (144, 3.2)], "mlip", 2.0),
        ([(18, 1.0), (144, 8.0**4)], "dft", 2.5),
    ],
)
def test_how_a_call_grows_is_guessed_at_first_and_then_known(known, kind, power):
    assert growth(known, kind) == pytest.approx(power)


@pytest.mark.parametrize(
    ("engine", "kind", "words"),
    [
        ("unsupported", "conversion", "the converter ended with status 1: the block 'gate' is not supported"),
        ("illegal", "conversion", "the converter died of SIGILL: it was built for instructions that this processor"),
        ("silent", "conversion", "it wrote no springs.json"),
        ("avx", "crash", "died of SIGILL: it was built for instructions that this processor does not have"),
    ],
)
def test_what_fails_is_a_row_with_the_class_and_the_reason(by_name, engine, kind, words):
    row = by_name[engine]
    assert row["failure"] == kind
    assert words in row["message"]
    assert words in row["sentence"]
    assert row["same_answers"] is None
    assert row["speedup"] == {}


def test_a_run_has_engines_as_rows_of_their_own_with_both_hashes(pesbench, folder, found):
    done = pesbench(
        *(
            "run",
            "--methods",
            "original",
            "--engines",
            "fast,wrong,unsupported",
            "--adapter",
            ORIGINAL,
            "--adapter",
            OTHERS,
        ),
        *("--structures", "naphthalene-gfn2", "--limit", "2", "--rounds", "1", "--threads", "1", "--no-repeats"),
        *("--budget", "5", "--output", folder / "rows", "--json"),
        PESBENCH_CACHE=str(folder / "cache"),
        PESBENCH_WEIGHTS=str(folder / "weights"),
    )
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row for row in json.loads(done.stdout)["rows"]}
    assert set(rows) == {"original", "original@fast", "original@wrong", "original@unsupported"}
    assert rows["original@fast"]["answers"] == []
    assert "energies by up to" in rows["original@wrong"]["answers"][0]
    assert rows["original@unsupported"]["failures"] == {"conversion": 1}
    run = bench.load(next((folder / "rows").iterdir()))
    by_method = {one.method: one for one in run.measured_methods}
    theirs, ours = by_method["original"].checkpoint, by_method["original@fast"].checkpoint
    assert ours["sha256"] == theirs["sha256"]
    assert len(ours["converted_sha256"]) == 64
    assert "converting original.json for original@fast" not in done.stderr, "the converted file is in the cache"


def test_random_weights_are_built_by_the_reference_and_then_converted(pesbench, tmp_path, folder):
    (tmp_path / "weights").mkdir()
    done = engines(
        *(pesbench, tmp_path, "--atoms", "18", "--budget", "3", "--engines", "fast", "--weights", "random", "--json")
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["weights"] == "random"
    assert result["engines"][0]["same_answers"] is True
    assert "random weights" in " ".join(result["notes"])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--engines", "slow"], "there is no engine 'slow' for original; there are fast, listed"),
        (["--atoms", "20"], "--atoms 20: a cluster of naphthalene has 18, 36, 54 ... atoms."),
        (["--atoms", "few"], "--atoms few: give numbers, separated by commas, or none."),
        (["--atoms", "none"], "there is nothing to measure; give numbers of atoms with --atoms, or --structures."),
    ],
)
def test_bad_input_is_refused_in_one_sentence(pesbench, folder, words, why):
    done = engines(pesbench, folder, *words)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_method_without_engines_says_which_have_some(pesbench):
    done = pesbench("engines", "7net-0")
    assert done.returncode == 2
    assert "there is no other engine for 7net-0; there are some for" in done.stderr
    done = pesbench("engines", "mace-mp-0-small@symmetrix")
    assert done.returncode == 2
    assert "is an engine itself; name mace-mp-0-small" in done.stderr
