"""Finding methods by name."""

import hashlib
from pathlib import Path

import pytest

from bench.core.kind import rank
from bench.environments.catalogue import Catalogue
from bench.errors import BadInput

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue()


def test_light_methods_come_first_so_that_a_first_row_appears_soon(catalogue):
    chosen = catalogue.select(None)
    kinds = [rank(method.kind) for method in chosen]
    assert kinds == sorted(kinds)
    assert chosen[0].kind == "force-field"


def test_methods_that_are_not_default_are_measured_only_when_named(catalogue):
    default = {method.name for method in catalogue.select(None)}
    assert "pbe0-def2-svp-nwchem-warm" not in default
    assert [method.name for method in catalogue.select("pbe0-def2-svp-nwchem-warm")] == ["pbe0-def2-svp-nwchem-warm"]
    assert default < {method.name for method in catalogue.select("all")}


def test_a_name_is_measured_once_however_often_it_is_given(catalogue):
    assert len(catalogue.select("uff,uff, uff")) == 1


def test_a_misspelt_method_brings_the_nearest_name(catalogue):
    with pytest.raises(BadInput, match=r"no method 'gfn2-xbt'; did you mean 'gfn2-xtb'"):
        catalogue.select("gfn2-xbt")


def test_a_file_after_the_at_is_a_version_of_the_method_with_that_checkpoint(catalogue, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.pth").write_bytes(b"weights")
    base, own = catalogue.select("7net-0,7net-0@my.pth,7net-0@./my.pth")
    assert (own.name, own.known_as, own.own_checkpoint) == ("7net-0@my.pth", "7net-0", str(tmp_path / "my.pth"))
    assert own.typed == f"7net-0@{tmp_path / 'my.pth'}"
    with pytest.raises(BadInput, match=r"name 7net-0 in place of 7net-0@my\.pth"):
        catalogue.add_version(own, own.adapter, "@base")
    assert base.typed == "7net-0"
    assert own.label == f"my.pth {hashlib.sha256(b'weights').hexdigest()[:8]} (own, 7net-0)"
    assert (own.parameters, own.theory, own.paper, own.random_weights) == (None, None, None, False)
    assert catalogue.header(own) == catalogue.header(base)
    assert not own.default
    Path("other").mkdir()
    Path("other/my.pth").write_bytes(b"other weights")
    with pytest.raises(BadInput, match=r"would both be 7net-0@my\.pth; rename one"):
        catalogue.select("7net-0@other/my.pth")


def test_what_is_no_checkpoint_after_the_at_is_refused(tmp_path, monkeypatch):
    catalogue = Catalogue()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=f"no method '7net-0@my.pth': there is no file {tmp_path}/my.pth"):
        catalogue.select("7net-0@my.pth")
    Path("my.pth").touch()
    with pytest.raises(BadInput, match="uff takes no checkpoint"):
        catalogue.select("uff@my.pth")
    with pytest.raises(BadInput, match="no method '7nett'"):
        catalogue.select("7nett@my.pth")


def test_an_adapter_file_of_the_users_own_is_found_and_cannot_take_a_name_twice():
    assert "toy" in Catalogue([FAKES]).methods
    with pytest.raises(BadInput, match=r"which .* has already"):
        Catalogue([FAKES, FAKES])


def test_a_file_that_is_no_adapter_is_refused(tmp_path):
    with pytest.raises(BadInput, match="there is no adapter file"):
        Catalogue([tmp_path / "missing.py"])
    (tmp_path / "plain.py").write_text("x = 1\n")
    with pytest.raises(BadInput, match="is no adapter file"):
        Catalogue([tmp_path / "plain.py"])
    (tmp_path / "open.py").write_text(FAKES.read_text().replace("# [tool.pesbench]\n", "\n[tool.pesbench]\n", 1))
    with pytest.raises(BadInput, match="has no end: each of its lines begins with '#', the last is '# ///'"):
        Catalogue([tmp_path / "open.py"])


def test_an_engine_has_the_checkpoint_and_the_theory_of_its_reference(catalogue):
    engine, reference = catalogue.methods["mace-mp-0-small@symmetrix"], catalogue.methods["mace-mp-0-small"]
    assert engine.checkpoint == reference.checkpoint
    assert engine.theory == reference.theory
    assert engine.adapter != reference.adapter
    assert catalogue.engines_of(reference)["symmetrix"] == engine


def test_engines_are_measured_only_when_they_are_asked_for(catalogue):
    for names in (None, "all"):
        assert not [method.name for method in catalogue.select(names) if method.engine_of]
    methods = catalogue.select("mace-mp-0-small,nequix-mp-1,uff")
    assert catalogue.with_engines(methods, None) == methods
    with_all = {method.name for method in catalogue.with_engines(methods, "all")}
    assert {"mace-mp-0-small@symmetrix", "nequix-mp-1@torch", "uff"} <= with_all
    one = [method.name for method in catalogue.with_engines(methods, "torch") if method.engine_of]
    assert one == ["nequix-mp-1@torch"]
    with pytest.raises(BadInput, match="there is no engine 'jax' for"):
        catalogue.with_engines(methods, "jax")
    with pytest.raises(BadInput, match="none of these methods has any"):
        catalogue.with_engines(catalogue.select("uff"), "rdkit")


def test_an_engine_of_a_method_that_is_not_there_is_refused(tmp_path):
    text = (FAKES.parent / "other_engines.py").read_text()
    (tmp_path / "engines.py").write_text(text)
    with pytest.raises(BadInput, match="has an engine of 'original', and there is no such method"):
        Catalogue([tmp_path / "engines.py"])
