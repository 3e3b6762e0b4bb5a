"""A kit that is made here, unpacked where there is no network and an empty home, and measures there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

from bench.core.settings import Settings
from bench.engine import pack
from bench.environments.catalogue import Catalogue
from bench.environments.uv import EnvironmentFailed
from bench.errors import BadInput
from bench.paths import PROJECT

pytestmark = pytest.mark.environment
ALONE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--net", "--map-root-user")
METHODS = ("uff", "gfn2-xtb")
ENGINE = ("original", "original@fast")
"""A fake and an engine of it, for which its file is converted."""
FAKES = PROJECT / "tests" / "fakes"
TRAINED = ("7net-0", "so3lr")
PLANTED = "pl4nted-s3cret"


@pytest.fixture(scope="module")
def kit(tmp_path_factory, pesbench):
    folder, weights = tmp_path_factory.mktemp("kit"), tmp_path_factory.mktemp("weights")
    (weights / "original.json").write_text('{"k": 1.25}')
    adapters = ("--adapter", FAKES / "original.py", "--adapter", FAKES / "other_engines.py")
    done = pesbench(
        *("pack", *METHODS, *ENGINE, *adapters, "--output", folder / "kit.tar"),
        PESBENCH_WEIGHTS=str(weights),
        PESBENCH_CACHE=str(tmp_path_factory.mktemp("cache")),
        HF_TOKEN=PLANTED,
        GITHUB_TOKEN=PLANTED,
        UV_INDEX_MINE_PASSWORD=PLANTED,  # of an index that uv never asks
    )
    if done.returncode == 2 and "index" in done.stderr:
        pytest.skip(f"needs a package index: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert "MB, for Python 3." in done.stdout
    return folder / "kit.tar"


@pytest.fixture(scope="module")
def unpacked(kit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    with tarfile.open(kit) as archive:
        archive.extractall(folder, filter="data")
    return folder / "kit"


def alone(*words, home, **environ):
    """Run a command without a network, with an empty home and without settings of this machine."""
    return subprocess.run(
        [*ALONE, *map(str, words)],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "80", **environ},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def installed(unpacked, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    if alone("true", home=home).returncode:
        pytest.skip("this user may not make a namespace without a network")
    done = alone("sh", unpacked / "install.sh", home / "here", home=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"installed: {home / 'here' / 'pesbench'}"
    return home


def test_it_measures_without_a_network_and_leaves_the_home_alone(installed):
    command = installed / "here" / "pesbench"
    chosen = ("--methods", ",".join(METHODS), "--limit", "2", "--rounds", "1", "--threads", "1", "--budget", "300")
    done = alone(command, "run", *chosen, "--structures", "naphthalene-gfn2", "--json", home=installed)
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row for row in json.loads(done.stdout)["rows"]}
    assert {name: row["structures"]["done"] for name, row in rows.items()} == dict.fromkeys(METHODS, 2)
    assert {path.name for path in installed.iterdir()} <= {"here", "results"}


def test_a_method_that_is_not_in_the_kit_is_a_row_with_the_reason(installed):
    chosen = ("--methods", "chgnet-0.3.0", "--limit", "1", "--rounds", "1", "--threads", "1")
    done = alone(
        installed / "here" / "pesbench", "run", *chosen, "--structures", "naphthalene-gfn2", "--json", home=installed
    )
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)["rows"]
    assert "was made without chgnet" in row["message"]


def test_every_file_has_its_sum_and_no_time(kit, unpacked):
    sums = dict(reversed(line.split("  ")) for line in (unpacked / "SHA256SUMS").read_text().splitlines())
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    assert files == sums.keys()
    assert all(hashlib.sha256((unpacked / name).read_bytes()).hexdigest() == found for name, found in sums.items())
    with tarfile.open(kit) as archive:
        assert {entry.mtime for entry in archive} == {0}


def test_a_kit_holds_no_token_of_the_shell_in_which_it_was_made(unpacked):
    files = [path for path in unpacked.rglob("*") if path.is_file() and path.suffix != ".whl"]
    assert {path.name for path in files} >= {"install.sh", "SHA256SUMS", "pesbench.txt"}
    assert not [path for path in files if PLANTED.encode() in path.read_bytes()]
    for wheel in (unpacked / "wheels").glob("pesbench-*.whl"):  # made here, of this checkout
        with zipfile.ZipFile(wheel) as archive:
            assert not [name for name in archive.namelist() if PLANTED.encode() in archive.read(name)]


def test_a_damaged_kit_a_taken_folder_and_another_python_are_refused(unpacked, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "python3.9").write_text("#!/bin/sh\necho 3.9\n")
    (tmp_path / "python3.9").chmod(0o755)

    def install(place, **environ):
        words = ["sh", str(unpacked / "install.sh"), str(tmp_path / place)]
        return subprocess.run(words, env={**os.environ, **environ}, capture_output=True, text=True)

    done = install("taken")
    assert (done.returncode, "is there already" in done.stderr) == (2, True)
    done = install("new", PYTHON=str(tmp_path / "python3.9"))
    assert (done.returncode, "is 3.9" in done.stderr) == (2, True)
    done = install("new", PYTHON="nowhere")
    assert (done.returncode, "there is no nowhere" in done.stderr) == (2, True)
    wheel = next((unpacked / "wheels").glob("six-*.whl"), None) or next((unpacked / "wheels").glob("*.whl"))
    kept = wheel.read_bytes()
    try:
        wheel.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        done = install("new")
        assert (done.returncode, "the kit is damaged" in done.stderr) == (2, True)
        assert not (tmp_path / "new").exists()
    finally:
        wheel.write_bytes(kept)


def test_an_installation_that_fails_leaves_nothing(unpacked, tmp_path):
    pins, sums = unpacked / "requirements" / "pesbench.txt", unpacked / "SHA256SUMS"
    kept = pins.read_text(), sums.read_text()
    try:
        pins.write_text(kept[0] + "nothing-of-that-name==1.0\n")
        sums.write_text("".join(line + "\n" for line in kept[1].splitlines() if pins.name not in line))
        words = ["sh", str(unpacked / "install.sh"), str(tmp_path / "half")]
        done = subprocess.run(words, capture_output=True, text=True)
    finally:
        pins.write_text(kept[0])
        sums.write_text(kept[1])
    assert done.returncode and "nothing-of-that-name" in done.stderr
    assert not (tmp_path / "half").exists()


@pytest.fixture(scope="module")
def on_top(tmp_path_factory, pesbench, method_python):
    """An interpreter with torch, and a home in which a kit was installed on top of it without a network."""
    python = method_python("sevennet.py")
    folder = tmp_path_factory.mktemp("on-top")
    done = pesbench("pack", *TRAINED, "--on-top-of", python, "--output", folder / "kit.tar")
    if done.returncode == 2 and "index" in done.stderr:
        pytest.skip(f"needs a package index: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    with tarfile.open(folder / "kit.tar") as archive:
        archive.extractall(folder, filter="data")
    home = tmp_path_factory.mktemp("home")
    if alone("true", home=home).returncode:
        pytest.skip("this user may not make a namespace without a network")
    lacking = alone("sh", folder / "kit" / "install.sh", "here", home=home, PYTHON=sys.executable)
    assert lacking.returncode == 2 and "this kit relies on" in lacking.stderr
    done = alone("sh", folder / "kit" / "install.sh", home / "here", home=home, PYTHON=str(python))
    assert done.returncode == 0, done.stderr
    return folder / "kit", python, home


def test_on_top_of_an_interpreter_with_torch_a_kit_is_small_and_measures_all_the_same(on_top):
    kit, python, home = on_top
    assert not list((kit / "wheels").glob("torch-*"))
    assert not list((kit / "wheels").glob("sevenn-*")), "it is there, in the version that the header asks for"
    chosen = ("--methods", ",".join(TRAINED), "--limit", "1", "--rounds", "1", "--threads", "1", "--budget", "300")
    done = alone(
        *(home / "here" / "pesbench", "run", *chosen, "--structures", "naphthalene-gfn2", "--no-repeats", "--json"),
        home=home,
    )
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row["structures"]["done"] for row in json.loads(done.stdout)["rows"]}
    assert rows == dict.fromkeys(TRAINED, 1)
    started = [json.loads(line) for line in next(home.glob("results/*/records.jsonl")).read_text().splitlines()]
    facts = [one["environment"] for one in started if one["record"] == "started"]
    assert {one["brought"] for one in facts} == {"as the header asks"}
    assert all(one["on_top_of"].startswith(f"{python}, Python") and "torch 2" in one["on_top_of"] for one in facts)


def test_such_a_kit_asks_for_the_interpreter_where_none_is_named(on_top):
    _, _, home = on_top
    chosen = ("--methods", "7net-0", "--limit", "1", "--rounds", "1", "--structures", "naphthalene-gfn2", "--json")
    done = alone("env", "PESBENCH_ON_TOP_OF=", home / "here" / "pesbench", "run", *chosen, home=home)
    (row,) = json.loads(done.stdout)["rows"]
    assert "name it: --on-top-of PYTHON" in row["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("uff", "--platform", "sparc"), "there is no platform 'sparc'"),
        (("uff", "--python-version", "2.7"), "3.11 or later"),
        (("nothing",), "there is no method 'nothing'"),
        (("uff", "--on-top-of", "/bin/false"), "/bin/false is not a working Python"),
        (("uff", "--on-top-of", "nowhere.json"), "write one with 'PYTHON -m pip list --format json'"),
        (("uff", "--on-top-of", sys.executable, "--python-version", "3.99"), "and --python-version 3.99"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(pesbench, tmp_path, words, said):
    done = pesbench("pack", *words, "--output", tmp_path / "kit.tar")
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_kept(pesbench, tmp_path):
    (tmp_path / "kit.tar").write_text("mine")
    done = pesbench("pack", "uff", "--output", tmp_path / "kit.tar")
    assert done.returncode == 2 and "is there already" in done.stderr
    assert (tmp_path / "kit.tar").read_text() == "mine"


def test_random_weights_are_left_to_the_other_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("PESBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path / "cache"))
    kit, said = tmp_path / "kit", []
    (kit / "weights").mkdir(parents=True)
    catalogue = Catalogue()
    pack._weights(
        catalogue.select("orb-v3-conservative-inf-omat,7net-0,uff"), catalogue, Settings(("uff",)), kit, said.append
    )
    assert not list((kit / "weights").iterdir())
    (line,) = said
    assert "orb-v3-conservative-inf-omat: random weights, which the other machine will build." in line
    with pytest.raises(BadInput, match="orb-v3-conservative-inf-omat cannot be packed"):
        pack._weights(
            catalogue.select("orb-v3-conservative-inf-omat"),
            catalogue,
            Settings(("uff",), weights="pretrained"),
            kit,
            said.append,
        )


def test_of_an_engine_the_converted_file_goes_along_and_is_found_without_a_network(unpacked, installed):
    (made,) = (unpacked / "cache" / "converted").iterdir()
    assert {path.name for path in made.iterdir()} == {"springs.json", "conversion.json"}
    there = [word for path in sorted((unpacked / "adapters").iterdir()) for word in ("--adapter", path)]
    chosen = ("--methods", "original@fast", *there, "--limit", "1", "--rounds", "1", "--threads", "1", "--budget", "5")
    more = ("--structures", "naphthalene-gfn2", "--no-repeats", "--reactions", "--json")
    done = alone(installed / "here" / "pesbench", "run", *chosen, *more, home=installed)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["structures"]["done"] == 1
    assert "converting" not in done.stderr


def test_an_engine_with_random_weights_is_not_packed(tmp_path):
    catalogue = Catalogue([FAKES / "original.py", FAKES / "other_engines.py"])
    settings = Settings(("original@fast",), weights="random")
    with pytest.raises(
        BadInput, match="original@fast cannot be packed: its random weights are built in the environment"
    ):
        pack._weights([catalogue.methods["original@fast"]], catalogue, settings, tmp_path, print)


BACKEND = """
import pathlib, zipfile

def build_wheel(folder, settings=None, metadata=None):
    name = "old-1.0-TAG.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("old-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: old\\nVersion: 1.0\\n")
        wheel.writestr("old-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: TAG\\n")
        wheel.writestr("old-1.0.dist-info/RECORD", "")
    return name
"""


@pytest.mark.parametrize(("tag", "kept"), [("py3-none-any", True), (f"cp3{sys.version_info[1]}-none-any", False)])
def test_a_source_is_built_for_another_python_only_if_it_has_nothing_to_compile(tmp_path, monkeypatch, tag, kept):
    source, kit = tmp_path / "old-1.0", tmp_path / "kit"
    source.mkdir()
    (kit / "wheels").mkdir(parents=True)
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: old\nVersion: 1.0\n")
    (source / "backend.py").write_text(BACKEND.replace("TAG", tag))
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    with tarfile.open(tmp_path / "old-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    target = pack.Target("cpu", "3.99", "x86_64-linux")
    if kept:
        pack._fetch(["old==1.0"], tmp_path / "pins.txt", target, kit)
        assert [wheel.name for wheel in (kit / "wheels").iterdir()] == ["old-1.0-py3-none-any.whl"]
    else:
        with pytest.raises(EnvironmentFailed, match=r"No matching distribution found for old==1\.0"):
            pack._fetch(["old==1.0"], tmp_path / "pins.txt", target, kit)
        assert not list((kit / "wheels").iterdir())
