"""How the stability of methods is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.protocols.md import formats, page
from bench.protocols.md.table import Stability, StabilityTable
from bench.render.blocks import Formats
from bench.render.view import OwnColumn, Picture, Question, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _draw(table: StabilityTable) -> Figure:
    from bench.protocols.md import figure

    return figure.draw(table)


def row_object(found: Stability | None) -> dict[str, Any]:
    """Return the verdict on a method in md, and its basis; `pesbench table --protocols md` has the rest."""
    nve = next((one for one in found.ensembles if one.name == "nve"), None) if found else None
    times = nve.survival if nve else None
    drift = found.drift if found else None
    slope, error = (drift.value, drift.error) if drift else (None, None)
    return {
        "verdict": found.verdict if found else None,
        "nve_stable_ps": times.median_ps if times else None,
        "nve_longest_ps": times.longest_ps if times else None,
        "drift": slope,
        "drift_error": error,
    }


VIEW = View(
    formats.FORMATS.render,
    Formats.names,
    _draw,
    "stability",
    columns=(
        OwnColumn("MD", page.verdict, right=False),
        OwnColumn("stable", lambda row: page.stable(row, "nve"), unit="NVE, ps", chooses=False),
        OwnColumn("drift", page.drift, unit="meV/atom/ps"),
    ),
    words={
        "MD": "The verdict on its molecular dynamics: pass, warn or fail. docs/stability.md has the limits.",
        "stable": "How long a molecule at constant energy keeps its bonds, or a crystal its neighbours, in ps: the "
        "median over seeds, with the number of seeds that lost one.",
        "drift": "The slope of the total energy at constant energy, with its standard error.",
    },
    key="stability",
    row_object=row_object,
    question=Question(
        "stability",
        "Does it hold a molecule together?",
        page.page,
        Picture(
            _draw,
            "Simulations at constant energy",
            page.pictured,
        ),
        place=10,
    ),
)
