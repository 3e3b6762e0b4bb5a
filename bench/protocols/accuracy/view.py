"""How the accuracy of methods is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.protocols.accuracy import by_system, formats, page, words
from bench.protocols.accuracy.table import Accuracy, AccuracyTable
from bench.render import numbers
from bench.render.blocks import Formats, estimate_object
from bench.render.cells import DASH, Cell
from bench.render.view import BySystem, OwnColumn, Picture, Question, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _draw(table: AccuracyTable) -> Figure:
    from bench.protocols.accuracy import figure

    return figure.draw(table)


def _choice(table: AccuracyTable) -> Figure:
    from bench.protocols.accuracy import figure

    return figure.choice(table)


def _frequencies(table: AccuracyTable) -> Figure:
    from bench.protocols.accuracy import figure

    return figure.frequencies(table)


def _force_error(found: Accuracy) -> Cell:
    """Return the error against the level that all methods share, and which that is."""
    if found.common_mae is None:
        return DASH
    return numbers.with_interval(found.common_mae, 3) + f" {found.common_label}"


def _frequency_error(found: Accuracy) -> Cell:
    if found.frequencies is None:
        return DASH
    return numbers.plain(found.frequencies.all.rmsd_cm1) + f" {found.nearest_minimum_label}"


def row_object(found: Accuracy | None) -> dict[str, Any]:
    """Return the errors against the matching level; `pesbench table --protocols accuracy` has the rest."""
    frequencies = found.frequencies if found else None
    return {
        "common_reference": found.common if found else None,
        "common_force_mae_mev_per_angstrom": estimate_object(found.common_mae if found else None),
        "reference": found.nearest if found else None,
        "force_mae_mev_per_angstrom": estimate_object(found.force_mae if found else None),
        "verdict": found.verdict if found else None,
        "frequency_reference": found.nearest_minimum if found else None,
        "frequency_rmsd_cm1": frequencies.all.rmsd_cm1 if frequencies else None,
    }


VIEW = View(
    formats.FORMATS.render,
    Formats.names,
    _draw,
    "accuracy",
    columns=(
        OwnColumn("force MAE", _force_error, unit="meV/Å, against"),
        OwnColumn("frequencies", _frequency_error, unit="RMSD cm⁻¹, against"),
    ),
    shows=lambda found: found.measured,
    words={
        "force MAE": "The mean absolute error of a force component against the highest reference level that all "
        "methods of the run share, which is named beside it; 'pesbench table --protocols accuracy' has the level that "
        "matches the method's own.",
        "frequencies": "The root mean square deviation of the harmonic frequencies from the matching level, which "
        "is named beside it.",
    },
    key="accuracy",
    row_object=row_object,
    question=Question(
        "accuracy",
        "How accurate is it?",
        page.page,
        Picture(
            _frequencies,
            "Harmonic frequencies of each method, less those of its matching level",
            "One line for each method and one tick for each vibration. The tables below have the errors.",
        ),
        choice=Picture(
            _choice,
            "Force error against time per force call",
            lambda table: f"One mark for each method, with its name. {words.reading(table)}",
        ),
        answer=words.answer,
        of_choice=words.reading,
        place=20,
    ),
    by_system=BySystem(by_system.FORMATS, by_system.only),
)
