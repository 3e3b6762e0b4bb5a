"""What earlier runs of this machine say of fresh processes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.analysis.processes import Scatter, scatters
from bench.core.description import Description, Machine
from bench.core.protocol import RELAX
from bench.errors import BadInput
from bench.results import finding, store
from bench.results.dataframes import Run

MOST_RUNS = 5
"""The newest ones; each takes a moment to read."""


def rounds_here(now: Description, results: Path) -> list[Mapping[str, Scatter]]:
    """Return how the rounds of earlier runs scatter, one mapping by method for each run, the newest run first.

    Parameters
    ----------
    now : Description
        Of the run that is to profit: the earlier ones have its machine, threads and device.
    results : Path
        The folder of the runs.
    """
    found: list[Mapping[str, Scatter]] = []
    for directory in reversed(finding.runs(results)):
        if len(found) == MOST_RUNS:
            break
        try:
            if not (_is_like(store.describe(directory), now) and finding.holds(directory, (RELAX,))):
                continue
            run = Run(directory, store.read(directory))
        except BadInput:  # damaged, or of a newer pesbench
            continue
        scatter = scatters(run.measurements(), now.settings.devices[0])
        if scatter:
            found.append(scatter)
    return found


def _is_like(one: Description, now: Description) -> bool:
    return (
        one.run_id != now.run_id
        and one.settings.rounds != 1
        and not (one.nodes or one.machine.beside)
        and one.settings.threads == now.settings.threads
        and _hardware(one.machine) == _hardware(now.machine)
    )


def _hardware(machine: Machine) -> tuple[object, ...]:
    return machine.cpu, machine.usable_cores, machine.gpus
