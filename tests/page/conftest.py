"""Runs for the page: a small one with every protocol, one with hostile words, and the page of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.io import read, write

from bench import paths

SCRIPT = "<script>document.title = 'taken'</script>"
IMAGE = '"><img src=x onerror="document.title = 1">'
FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"

HOSTILE = f"""# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "{SCRIPT}"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.hostile]
# label = "{SCRIPT}"
# elements = ["H", "C"]
# note = "</style></script>{SCRIPT} & 'quotes'"
#
# [tool.pesbench.methods.hostile-failure]
# label = "fails"
# elements = ["H", "C"]
# ///
\"\"\"Words that would be markup if nobody escaped them.\"\"\"

from ase.calculators.emt import EMT

from bench.adapter import Adapter


class Hostile(Adapter):
    def load(self, method, device, dtype, threads, checkpoint):
        if method == "hostile-failure":
            raise ValueError({IMAGE!r})
        return EMT()

    def settings(self):
        return {{"kernel": "{SCRIPT}"}}
"""


@pytest.fixture(scope="session")
def whole_run(once, pesbench) -> Path:
    """Return the directory of a run with every protocol: toys and GFN2-xTB."""

    def make(results: Path) -> None:
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", "gfn2-xtb,toy,batches,fails-to-load"),
            *("--protocols", "relax,replay,md,accuracy,scaling,throughput", "--limit", "2", "--rounds", "2"),
            *("--duration", "0.2", "--nvt-duration", "0.2", "--max-atoms", "144", "--budget", "2", "--threads", "1"),
            *("--no-repeats", "--output", results),
            page=True,
        )
        assert done.returncode == 0, done.stderr

    return next(once("whole-run", make).iterdir())


@pytest.fixture(scope="session")
def whole_page(whole_run) -> Path:
    """Return the page that the run wrote at its end."""
    return whole_run / "report.html"


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory, pesbench) -> Path:
    """Return the page of a run whose every word is markup."""
    folder = tmp_path_factory.mktemp("hostile")
    adapter = folder / "hostile.py"
    adapter.write_text(HOSTILE)
    structures = read(paths.datasets_dir() / "naphthalene-gfn2.extxyz", "0:2")
    for atoms in structures:
        atoms.info = {"comment": SCRIPT}
    write(folder / "<b onclick=alert(1)>.extxyz", structures)
    done = pesbench(
        *("run", "--adapter", adapter, "--methods", "hostile,hostile-failure", "--rounds", "1", "--threads", "1"),
        *("--structures", folder / "<b onclick=alert(1)>.extxyz", "--output", folder / "results"),
        page=True,
    )
    assert done.returncode == 0, done.stderr
    return next((folder / "results").iterdir()) / "report.html"
