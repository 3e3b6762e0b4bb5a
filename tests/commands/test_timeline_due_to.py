"""What a change of speed is due to: releases of a package and of a library below it, whose speeds are planted."""

import json
import zipfile

import pytest

# the newest release of the package is three times as fast as those before, and so is that of the library; the oldest
# package takes the old library, so that both change on the way to the newest
FAST, SLOW = 0.02, 0.06  # seconds in each of the two; environments are kept, so other speeds need other versions
CLOSE = 0.25
LIBRARY = {"3.0": SLOW, "4.0": FAST}
PACKAGE = {"3.0": (SLOW, "==3.0"), "3.1": (SLOW, ">=3.0"), "3.2": (FAST, ">=3.0")}
ADAPTER = """\
# /// script
# requires-python = ">=3.11"
# dependencies = ["planted-package==3.2", "ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { planted-package = false, planted-library = false }
#
# [tool.pesbench]
# family = "planted releases"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.planted-releases]
# label = "a spring of planted speed"
# ///
from bench.adapter import Adapter


class Planted(Adapter):
    def load(self, method, device, dtype, threads, checkpoint):
        import planted_package
        from ase.calculators.calculator import Calculator, all_changes

        class Spring(Calculator):
            implemented_properties = ("energy", "forces")

            def calculate(self, atoms=None, properties=None, system_changes=all_changes):
                super().calculate(atoms, properties, system_changes)
                planted_package.work()
                away = self.atoms.positions - self.atoms.positions.mean(axis=0)
                self.results = {"energy": 0.5 * float((away**2).sum()), "forces": -away}

        return Spring()
"""
WORK = """\
import time
{imported}

def work():
    time.sleep({seconds})
    {more}
"""


def wheel(folder, name, version, seconds, needs=""):
    """Write a wheel of a package whose function `work` takes so many seconds, and those of what it needs."""
    module = name.replace("-", "_")
    below = needs.partition("=")[0].rstrip(">").replace("-", "_")
    more = {"imported": f"import {below}" if below else "", "more": f"{below}.work()" if below else ""}
    about = f"{module}-{version}.dist-info"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        f"{module}.py": WORK.format(seconds=seconds, **more),
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as made:
        for file, text in files.items():
            made.writestr(file, text)


@pytest.fixture(scope="module")
def timeline(pesbench, tmp_path_factory):
    """Return a function that measures a timeline of the planted method, and returns its releases by version."""
    folder = tmp_path_factory.mktemp("releases")
    for version, seconds in LIBRARY.items():
        wheel(folder, "planted-library", version, seconds)
    for version, (seconds, library) in PACKAGE.items():
        wheel(folder, "planted-package", version, seconds, f"planted-library{library}")
    adapter = folder / "planted_releases.py"
    adapter.write_text(ADAPTER)

    def run(*more, status=0):
        done = pesbench(
            *("timeline", "planted-releases", "--adapter", adapter, "--structures", "naphthalene-gfn2", "--limit", "2"),
            *("--budget", "4", "--threads", "1", "--output", folder / "kept", *more),
            UV_FIND_LINKS=str(folder),
        )
        assert done.returncode == status, done.stderr
        return done

    return run


def releases(done):
    return {one["version"]: one for one in json.loads(done.stdout)["releases"]}


def changes(one):
    """Return whether the next release is known to be faster or slower than this one: not beside busy processes."""
    change = one["next_over_this"]
    return change["high"] < 1 or change["low"] > 1


@pytest.mark.environment
def test_a_change_is_due_to_the_package_only_where_nothing_else_changes(timeline):
    found = releases(timeline("--versions", "2", "--json"))
    assert found["3.1"]["next_over_this"]["estimate"] == pytest.approx(40 / 80, rel=CLOSE)
    assert found["3.1"]["due_to"] == ("planted-package" if changes(found["3.1"]) else None)
    assert found["3.1"]["other_packages"] == []
    assert found["3.0"]["next_over_this"]["estimate"] == pytest.approx(80 / 120, rel=CLOSE)
    assert found["3.0"]["due_to"] is None
    assert found["3.0"]["other_packages"] == [{"name": "planted-library", "this": "3.0", "next": "4.0"}]
    text = " ".join(timeline("--versions", "2", "--show").stdout.split())
    assert "on the way to 3.1 other packages change, too: planted-library 3.0, then 4.0" in text


@pytest.mark.environment
def test_with_the_same_library_for_all_the_package_alone_is_measured(timeline):
    done = timeline("--versions", "1", "--pin", "planted-library==3.0", "--json")
    assert json.loads(done.stdout)["pins"] == ["planted-library==3.0"]
    found = releases(done)
    assert found["3.1"]["time_over_newest"]["estimate"] == pytest.approx(120 / 80, rel=CLOSE)
    assert found["3.1"]["due_to"] == ("planted-package" if changes(found["3.1"]) else None)


@pytest.mark.environment
def test_the_library_alone_is_measured_although_the_header_does_not_pin_it(timeline):
    found = releases(timeline("--package", "planted-library", "--versions", "2", "--json"))
    assert set(found) == {"3.0"}, "there is no release before"
    assert found["3.0"]["time_over_newest"]["estimate"] == pytest.approx(80 / 40, rel=CLOSE)
    assert found["3.0"]["due_to"] == ("planted-library" if changes(found["3.0"]) else None)


@pytest.mark.environment
def test_a_torch_for_cuda_is_only_taken_where_it_is_asked_for(pesbench, tmp_path):
    wheel(tmp_path, "nvidia-planted", "1.0", 0)
    for version, needs in {"0.0.1": "nvidia-planted==1.0", "0.0.2": ""}.items():
        wheel(tmp_path, "torch", version, 0, needs)
    adapter = tmp_path / "planted_releases.py"
    undated = "{ torch = false, nvidia-planted = false }"
    text = ADAPTER.replace("planted-package==3.2", "torch==0.0.2").replace("planted_package", "torch")
    adapter.write_text(text.replace("{ planted-package = false, planted-library = false }", undated))

    def timeline(*more):
        return pesbench(
            *("timeline", "planted-releases", "--adapter", adapter, "--versions", "1", "--output", tmp_path / "kept"),
            *("--structures", "naphthalene-gfn2", *more),
            UV_FIND_LINKS=str(tmp_path),
        )

    refused = timeline("--package", "torch")
    assert refused.returncode == 2
    assert "torch 0.0.1: the package index has this torch only as a build for CUDA" in refused.stderr
    assert not (tmp_path / "kept").exists()
    prepared = timeline("--package", "torch", "--prepare")
    assert prepared.returncode == 1
    assert prepared.stdout.startswith("torch 0.0.2: ready\ntorch 0.0.1: the package index has this torch only as")
    asked = timeline("--package", "torch", "--prepare", "--torch-backend", "index")
    assert asked.stdout == "torch 0.0.2: ready\ntorch 0.0.1: ready\n"
