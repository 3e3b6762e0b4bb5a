"""The verb ``advise``, with real light methods and with fakes."""

import ast
import json
import subprocess

import pytest
from ase.build import molecule
from ase.io import write

from bench import cli
from bench.data.structures import load_dataset
from bench.engine import advising
from bench.engine.advising import original, select, warnings
from bench.environments import environments
from bench.environments.catalogue import Catalogue
from bench.paths import PROJECT

FAKES = PROJECT / "tests" / "fakes" / "fakes.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with an ethanol molecule, and with what is no structure."""
    folder = tmp_path_factory.mktemp("advise")
    ethanol = molecule("CH3CH2OH")
    ethanol.write(folder / "ethanol.xyz")
    distorted = ethanol.copy()
    distorted.rattle(0.05, seed=1)
    write(folder / "both.xyz", [ethanol, distorted])
    (folder / "empty.xyz").touch()

    return folder


@pytest.fixture(scope="module")
def advised(pesbench, folder):
    """Return what is advised for ethanol with two real methods."""
    words = (
        "--methods",
        "uff-ase,gfn2-xtb",
        "--budget",
        "120",
        "--threads",
        "1",
        "--beside",
        "--output",
        folder / "runs",
    )
    done = pesbench("advise", folder / "ethanol.xyz", *words, "--json", "--task", "screen", "--molecules", "50")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_tells_of_each_method_what_it_costs_and_how_far_it_is_from_the_others(advised):
    assert {one["method"] for one in advised["methods"]} == {"uff-ase", "gfn2-xtb"}
    for one in advised["methods"]:
        seconds, hours = one["seconds_per_relaxation"], one["hours_per_ns"]
        assert 0 < seconds["low"] < seconds["estimate"] < seconds["high"]
        assert 0 < hours["low"] < hours["estimate"] < hours["high"]
        assert one["peak_memory_bytes"] > 10**7
        assert one["disagreement_mev_per_angstrom"] > 1
        assert one["excluded"] is None


def test_the_advice_is_two_methods_and_three_sentences(advised):
    advice = advised["advice"]
    assert advice["trusted"] == "gfn2-xtb"  # tight binding over a force field
    assert advice["fastest"] in ("uff-ase", "gfn2-xtb")
    assert len(advice["sentences"]) == 3
    assert all(one.endswith(".") for one in advice["sentences"])


def test_the_run_is_kept_as_every_run(advised, folder, pesbench):
    done = pesbench("table", folder / "runs" / advised["run"])
    assert done.returncode == 0
    assert "GFN2-xTB (tblite)" in done.stdout


def test_a_plan_has_processes_and_a_time(advised):
    (plan,) = [one["plan"] for one in advised["methods"] if one["method"] == "gfn2-xtb"]
    assert plan["threads"] == 1
    assert plan["processes"] >= 1
    assert plan["seconds"]["low"] < plan["seconds"]["estimate"] < plan["seconds"]["high"]
    assert plan["fits"] is None  # nobody asked


@pytest.mark.parametrize(
    ("words", "method"),
    [(("--plain", "relax"), "uff"), (("--plain", "relax"), "gfn2-xtb"), (("--plain", "screen"), "uff-ase")],
)
def test_a_plain_script_relaxes_the_structure_without_pesbench(pesbench, folder, tmp_path, words, method):
    script = tmp_path / "script.py"
    done = pesbench("script", method, "--structures", folder / "ethanol.xyz", *words, "--output", script)
    assert done.returncode == 0, done.stderr
    text = script.read_text()
    assert "bench" not in {name for node in ast.walk(ast.parse(text)) for name in imported(node)}
    header = Catalogue().header(Catalogue().methods[method])
    python = environments.prepare(header).python
    subprocess.run([python, "-I", script], cwd=tmp_path, check=True, capture_output=True, timeout=600)
    (written,) = tmp_path.glob("relaxed*.xyz")
    assert abs(load_dataset(written).atoms[0].positions - molecule("CH3CH2OH").positions).max() > 1e-3


def imported(node):
    if isinstance(node, ast.ImportFrom):
        return [node.module.split(".")[0]]
    return [one.name.split(".")[0] for one in node.names] if isinstance(node, ast.Import) else []


def test_a_script_for_md_moves_the_atoms(pesbench, folder, tmp_path):
    script = tmp_path / "md.py"
    done = pesbench("script", "gfn2-xtb", "--structures", folder / "ethanol.xyz", "--plain", "md", "--output", script)
    assert done.returncode == 0, done.stderr
    script.write_text(script.read_text().replace("md.run(20_000)", "md.run(3)"))
    python = environments.prepare(Catalogue().header(Catalogue().methods["gfn2-xtb"])).python
    command = [python, "-I", "-W", "error", script]  # nothing in it is deprecated
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=600)
    assert (tmp_path / "md.traj").stat().st_size


def test_what_fails_is_a_reason_and_the_others_are_advised(pesbench, folder, tmp_path):
    methods = "toy,always-fails,fails-to-load,needs-weights,only-hydrogen,only-cuda"
    done = pesbench(
        *("advise", folder / "both.xyz", "--adapter", FAKES, "--methods", methods, "--budget", "120", "--json"),
        *("--threads", "1", "--beside", "--output", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found = {one["method"]: one for one in json.loads(done.stdout)["methods"]}
    assert found["toy"]["excluded"] is None
    assert "does not know C, O" in found["only-hydrogen"]["excluded"]
    assert "cuda" in found["only-cuda"]["excluded"]
    assert "weights" in found["needs-weights"]["excluded"]
    assert found["fails-to-load"]["excluded"]
    assert found["always-fails"]["unconverged"] == 1  # the other one is at its minimum already


def test_methods_whose_start_comes_too_late_are_left_out(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(advising, "LEAST_SECONDS", 60.0)  # two do not always suffice on a busy machine
    loads, adapter = "        self.method = method\n", tmp_path / "fakes.py"
    adapter.write_text(FAKES.read_text().replace(loads, f"{loads}        time.sleep(4)\n"))
    words = ("advise", folder / "both.xyz", "--adapter", adapter, "--methods", "toy,toy-native", "--budget", "5")
    cli.main([*map(str, words), "--threads", "1", "--beside", "--json", "--output", str(tmp_path / "runs")])
    found = {one["method"]: one for one in json.loads(capsys.readouterr().out)["methods"]}
    assert "ended before it could start" in found["toy-native"]["excluded"]
    # and the one that started has time to end its relaxations, though its start took nearly all that there was
    assert found["toy"]["structures"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("empty.xyz",), "empty.xyz is empty"),
        (("nothing.xyz",), "neither a file, a folder nor a data set"),
        (("ethanol.xyz", "--within", "soon"), "'soon' is not a time; write 90s, 30min, 1h or 2d."),
        (("ethanol.xyz", "--within", "0h"), "'0h' is not a time"),
        (("ethanol.xyz", "--molecules", "0"), "--molecules is 0; it must be a number above zero."),
        (("ethanol.xyz", "--threads", "0"), "--threads is 0; it must be a number above zero."),
        (("ethanol.xyz", "--task", "md", "--molecules", "3"), "--molecules belongs to --task relax and screen"),
        (("ethanol.xyz", "--methods", "nosuch"), "there is no method 'nosuch'"),
        (("ethanol.xyz", "--charge", "1", "--spin", "2", "--methods", "uff"), "takes no charge"),
        ((), "FILE"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(pesbench, folder, words, said):
    done = pesbench("advise", *words, cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout


def test_without_names_only_what_is_ready_is_tried_and_dft_is_left_out():
    catalogue = Catalogue()
    every = catalogue.select("all")
    selected = select(catalogue, every, load_dataset("naphthalene-gfn2"), "cpu", named=False, trust=False)
    assert {one.name for one in selected.methods} | selected.excluded.keys() == {one.name for one in every}
    assert "DFT does not fit into the time" in selected.excluded["pbe0-def2-svp"]
    assert selected.excluded["mace-omol-0"] == "no trained weights here"


def test_other_code_for_the_same_model_is_tried_where_it_is_named_and_is_what_the_model_is():
    catalogue, dataset = Catalogue(), load_dataset("naphthalene-gfn2")
    engine = catalogue.methods["nequix-mp-1@torch"]
    unnamed = select(catalogue, [engine], dataset, "cpu", named=False, trust=False)
    assert not unnamed.methods
    assert original(catalogue, engine).name == "nequix-mp-1"
    assert warnings(original(catalogue, engine), dataset) == ("trained on crystals, and this is a molecule",)


def test_what_takes_a_part_of_the_systems_is_left_out_with_their_number():
    catalogue = Catalogue()
    selected = select(catalogue, catalogue.select("ani-1ccx"), load_dataset("druglike"), "cpu", named=True, trust=False)
    assert "systems" in selected.excluded["ani-1ccx"]


def test_a_potential_for_crystals_is_warned_of_on_a_molecule_and_one_for_molecules_on_a_crystal():
    methods = Catalogue().methods
    naphthalene, crystals = load_dataset("naphthalene-gfn2"), load_dataset("crystals")
    assert warnings(methods["7net-0"], naphthalene) == ("trained on crystals, and this is a molecule",)
    assert warnings(methods["7net-0"], crystals) == ()
    assert warnings(methods["ani-1ccx"], crystals) == ("trained on molecules, and this is periodic",)
    assert warnings(methods["ani-1ccx"], naphthalene) == ()
    assert "md does not conserve energy" in warnings(methods["orb-d3-xs-v2"], naphthalene, md=True)[1]
