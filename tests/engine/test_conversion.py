"""The converted files of engines: one for each checkpoint and converter, whole or not there at all."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.engine.conversion import NotConverted, converted, environment_header
from bench.environments.catalogue import Catalogue
from bench.environments.weights import Weights

FAKES = Path(__file__).parents[1] / "fakes"


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue([FAKES / "original.py", FAKES / "other_engines.py"])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "converted"


@pytest.fixture
def convert(catalogue, cache, tmp_path):
    """Return a function that converts a checkpoint for an engine, and returns the new weights."""
    reference = catalogue.header(catalogue.methods["original"])
    said = []

    def run(engine, strength=1.0, **changes):
        path = tmp_path / f"{strength}.json"
        if not path.exists():
            path.write_text(json.dumps({"k": strength}))
        method = dataclasses.replace(catalogue.methods[f"original@{engine}"], **changes)
        weights = Weights("pretrained", path, {"file": path.name, "sha256": "0" * 64})
        return converted(weights, method, catalogue.header(method), reference, say=said.append)

    run.said = said
    return run


def test_a_checkpoint_is_converted_once(convert, cache):
    first = convert("fast")
    assert json.loads(first.path.read_text()) == {"k": 1.0}
    assert first.facts["sha256"] == "0" * 64
    assert len(first.facts["converted_sha256"]) == 64
    assert convert("fast") == first
    assert [line for line in convert.said if line.startswith("converting")] == ["converting 1.0.json for original@fast"]
    assert len([*cache.iterdir()]) == 1


def test_another_checkpoint_or_another_command_has_a_file_of_its_own(convert, cache):
    paths = {convert("fast").path, convert("fast", 2.0).path, convert("fast", convert=("wrong",)).path}
    assert len(paths) == len([*cache.iterdir()]) == 3


def test_several_commands_may_convert_the_same_checkpoint_at_once(convert, cache, tmp_path):
    (tmp_path / "1.0.json").write_text('{"k": 1.0}')
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda _: convert("fast"), range(4))]
    assert len({one.path for one in found}) == 1
    assert len([*cache.iterdir()]) == 1, "nothing is left over"


@pytest.mark.parametrize("engine", ["unsupported", "illegal", "silent"])
def test_a_converter_that_fails_leaves_nothing_and_is_tried_again(convert, cache, engine):
    for _ in range(2):
        with pytest.raises(NotConverted, match=r"^1\.0\.json could not be converted for original@"):
            convert(engine)
        assert [*cache.iterdir()] == []


def test_a_checkpoint_without_a_file_is_refused(catalogue):
    method = catalogue.methods["original@fast"]
    with pytest.raises(NotConverted, match="the checkpoint of original is no file"):
        converted(Weights("pretrained"), method, catalogue.header(method), catalogue.header(method))


def test_the_converters_packages_make_an_environment_beside_the_references(catalogue):
    engine = catalogue.header(catalogue.methods["mace-mp-0-small@symmetrix"])
    reference = catalogue.header(catalogue.methods["mace-mp-0-small"])
    made = environment_header(engine, reference)
    assert made.path == reference.path
    assert made.digest != reference.digest
    assert made.device_dependencies["cpu"] == engine.conversion.dependencies
    assert "torch==2.13.0" in made.dependencies
    fake = catalogue.methods["original@fast"]
    assert environment_header(catalogue.header(fake), reference) is reference, "no packages, no other environment"
