"""The published Table 1 (``results/paper/table1.csv``), as figures to compare with and as a table of its own."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import pandas as pd

from bench import paths
from bench.analysis import speedup
from bench.analysis.statistics import Estimate
from bench.analysis.table import PAPER, Published, Row, Table
from bench.analysis.times import Key
from bench.core.description import DataSetFacts, Description, Machine
from bench.core.settings import Settings
from bench.errors import BadInput
from bench.paper.claims import judged

SOURCE = "R. T. Husistein and M. Reiher, A New Paradigm for Computational Chemistry (2026), Table 1"
CPU = "Intel Core i7-14700K"
THREADS = 4
GPU = "NVIDIA RTX 2070"
DEVICES = ("cpu", "cuda")
STRUCTURES = 101
FORMULA = "C10H8"
"""Of naphthalene, the only molecule that it is about."""


def read(path: Path | None = None) -> dict[str, Published]:
    """Read the published figures, by method.

    Parameters
    ----------
    path : Path, optional
        A CSV file with the columns of ``results/paper/table1.csv``; that one where None.

    Raises
    ------
    BadInput
        Where the file is missing, or one of its rows cannot be read.
    """
    file = path or paths.shipped_results_dir() / "paper" / "table1.csv"
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = [_published(row) for row in csv.DictReader(lines)]
    except OSError as error:
        raise BadInput(f"The published table {file} cannot be read: {error.strerror}.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"The published table {file} has a row that cannot be read: {error}.") from None
    return {row.method: row for row in rows}


def figures_for(dataset: DataSetFacts) -> dict[str, Published]:
    """Return the published figures, by method; empty for a data set of another molecule or of an ion."""
    return read() if dataset.formula == FORMULA and dataset.charge == 0 else {}


def _published(row: dict[str, str]) -> Published:
    if None in row.values():
        raise ValueError("it has too few cells")
    return Published(
        method=row["method"],
        label=row["label"],
        kind=row["kind"],
        cpu_ms_per_step=_milliseconds(row["cpu_ms_per_step"]),
        gpu_ms_per_step=_milliseconds(row["gpu_ms_per_step"]),
        alternative_cpu_ms_per_step=_milliseconds(row["alternative_cpu_ms_per_step"]),
        note=row["note"],
    )


def _milliseconds(text: str) -> float | None:
    if not text.strip():
        return None
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{text!r} is not a time")
    return value


def table(figures: dict[str, Published] | None = None) -> Table:
    """Return the published table in the form of a campaign's, its means computed by the same code.

    It states only milliseconds, so it has no intervals, counts or precision. The order of its rows is the published
    one.
    """
    figures = read() if figures is None else figures
    rows = []
    times: dict[Key, pd.DataFrame] = {}
    for row in figures.values():
        for device in DEVICES:
            milliseconds = row.on(device)
            if milliseconds is not None:
                rows.append(_row(row, device, milliseconds))
                # one figure per method is like one structure common to all
                times[row.method, device] = pd.DataFrame([[milliseconds]])
    means = tuple(dataclasses.replace(mean, n=None) for mean in speedup.means(rows, times))
    return judged(
        Table(
            # settings that it does not state are not shown: see bench.render.heading
            description=Description(
                run_id="paper",
                settings=Settings((), devices=DEVICES, optimizer="BFGS", threads=THREADS),
                machine=Machine(cpu=CPU, gpus=(GPU,)),
                dataset=DataSetFacts(name="MD17 naphthalene", count=STRUCTURES, total=STRUCTURES),
            ),
            rows=tuple(rows),
            geometric_means=means,
            published_means=means,
            source=PAPER,
            title=SOURCE,
        ),
        figures,
    )


def _row(row: Published, device: str, milliseconds: float) -> Row:
    cpu = row.cpu_ms_per_step
    gain = cpu / milliseconds if device != DEVICES[0] and cpu is not None else None
    return Row(
        method=row.method,
        label=row.label,
        kind=row.kind,
        weights="pretrained" if row.kind == "mlip" else "none",
        device=device,
        threads=THREADS if device == DEVICES[0] else None,
        optimizer="CG" if row.kind == "force-field" else "BFGS",
        paper=row.method,
        total=STRUCTURES,
        ms_per_step=Estimate(milliseconds, None, None, 1, None),
        paper_ms_per_step=milliseconds,
        speedup_over_cpu=None if gain is None else Estimate(gain, None, None, 1, None),
    )
