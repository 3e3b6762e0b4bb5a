"""How the accuracy of methods is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.protocols.accuracy import formats, page
from bench.protocols.accuracy.table import Accuracy, AccuracyTable
from bench.render import numbers
from bench.render.blocks import Formats, estimate_object
from bench.render.cells import DASH, Cell
from bench.render.view import OwnColumn, Picture, Question, View

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
    """Return the error against the nearest reference, and which that is."""
    if found.force_mae is None:
        return DASH
    return numbers.with_interval(found.force_mae, 3) + f" {found.nearest_label}"


def _frequency_error(found: Accuracy) -> Cell:
    if found.frequencies is None:
        return DASH
    return numbers.plain(found.frequencies.all.rmsd_cm1) + f" {found.nearest_minimum_label}"


def row_object(found: Accuracy | None) -> dict[str, Any]:
    """Return the errors against the nearest reference; `pesbench table --protocols accuracy` has the rest."""
    frequencies = found.frequencies if found else None
    return {
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
        OwnColumn("frequencies", _frequency_error, unit="RMSD cm-1, against"),
    ),
    shows=lambda found: found.measured,
    words={
        "force MAE": "The mean absolute error of a force component against the nearest reference level of theory, "
        "which is named beside it.",
        "frequencies": "The root mean square deviation of the harmonic frequencies from the nearest reference, which "
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
            "Harmonic frequencies of each method, less those of its nearest reference",
            "One line for each method and one tick for each vibration. The tables below have the errors.",
        ),
        choice=Picture(
            _choice,
            "Force error against time per force call",
            "One mark for each method. Towards the left a method is faster, towards the bottom its forces are closer "
            "to those of its nearest reference. In the grey band it is no further from it than the references are from "
            "each other.",
        ),
        of_choice="Left is faster, low is closer to the reference. Inside the grey band, a method is no further from "
        "its reference than accepted theories are from each other, and the error alone cannot decide. On the dashed "
        "line lie the methods that no other beats in both.",
        place=20,
    ),
)
