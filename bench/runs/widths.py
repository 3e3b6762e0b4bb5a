"""How well the ratios of a run that is not finished are known: what its campaign plans its rounds by."""

from __future__ import annotations

import dataclasses

from bench.analysis import ordering
from bench.analysis.summaries import all_times
from bench.runs.dataframes import Run


def half_widths(run: Run, protocol: str, device: str) -> dict[str, float]:
    """Return for each method half the width of the interval of its ratio to the reference, relative to the ratio.

    The reference is the fastest MLIP, or the fastest of all where no MLIP was measured; it is not in the result.
    Infinite where there is no interval yet. Relaxations that were cut are taken as they are, which is quicker and
    hardly changes a width.

    Parameters
    ----------
    run : Run
        As far as it was measured.
    protocol : str
        A protocol with times: ``relax`` or ``replay``.
    device : str
        The device.
    """
    measured = dataclasses.replace(run.measurements(), steps=None)
    times = {key: found for key, found in all_times(measured)[protocol].items() if key[1] == device}
    mlips = [one.key for one in run.measured_methods if one.kind == "mlip" and one.key in times]
    to = ordering.fastest(times, mlips or list(times))
    return {} if to is None else {key[0]: width for key, width in ordering.half_widths(times, to).items()}
