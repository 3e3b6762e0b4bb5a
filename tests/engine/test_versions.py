"""Another version of an adapter: at a commit, and with other pins."""

import subprocess

import pytest

from bench import paths
from bench.engine import versions
from bench.environments.catalogue import Catalogue
from bench.environments.header import read_header
from bench.errors import BadInput

ADAPTER = paths.adapters_dir() / "sevennet.py"


def in_git():
    done = subprocess.run(["git", "-C", paths.PROJECT, "rev-parse", "HEAD"], capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(not in_git(), reason="not a git checkout")
def test_an_adapter_is_read_as_a_commit_has_it():
    assert 'family = "SevenNet"' in versions.at_commit(ADAPTER, "HEAD")
    with pytest.raises(BadInput, match=r"there is no adapters/sevennet\.py at 'no-such-commit'"):
        versions.at_commit(ADAPTER, "no-such-commit")


def test_a_file_outside_the_repository_has_no_commits(tmp_path):
    with pytest.raises(BadInput, match="is not in this repository; compare with --base-env"):
        versions.at_commit(tmp_path / "mine.py", "HEAD")


def test_a_pin_is_changed_and_everything_else_stays(tmp_path):
    path = versions.write(tmp_path / "base", ADAPTER, versions.with_pins(ADAPTER, ["sevenn==0.12.1"]))
    old, new = read_header(path), read_header(ADAPTER)
    assert "sevenn==0.12.1" in old.dependencies
    assert [a for a, b in zip(old.dependencies, new.dependencies, strict=True) if a != b] == ["sevenn==0.12.1"]
    assert old.digest != new.digest
    assert old.methods.keys() == new.methods.keys()


@pytest.mark.parametrize(
    ("pin", "says"),
    [("sevenn=0.12", "is not a requirement; give one like"), ("numba==0.60.0", "sevenn.*does not pin numba")],
)
def test_a_pin_that_is_none_or_of_another_package_is_refused(pin, says):
    with pytest.raises(BadInput, match=says):
        versions.with_pins(ADAPTER, [pin])


def test_another_version_of_a_method_is_a_method_of_its_own_under_the_adapters_name(tmp_path):
    catalogue = Catalogue()
    method = catalogue.methods["7net-0"]
    path = versions.write(tmp_path, ADAPTER, ADAPTER.read_text())
    old = catalogue.add_version(method, path, "@base")
    assert (old.name, old.known_as, old.adapter) == ("7net-0@base", "7net-0", path)
    assert old.label == f"{method.label} (base)"
    assert catalogue.header(old).path == path
    with pytest.raises(BadInput, match="has no method 'uff'"):
        catalogue.add_version(catalogue.methods["uff"], path, "@base")
