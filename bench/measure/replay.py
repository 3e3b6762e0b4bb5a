"""The replay protocol: force calls along a fixed path of geometries, the same coordinates for every method.

It gives a fair latency: no optimiser chooses the geometries, so a model with random weights makes the same calls
as a trained one.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench.contract.records import CENSORED, CONVERGED, FAILED, Replay
from bench.measure.clock import TimedCalculator
from bench.measure.relax import classify, finite, largest_force


def replay(
    adapter: Any,
    calculator: Any,
    atoms: Any,
    path: np.ndarray,
    *,
    key: dict[str, Any],
    deadline_ns: int | None = None,
    beat: Callable[[int], None] = lambda calls: None,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Replay:
    """Call energy and forces at each geometry of `path` and return the record.

    `path` holds displacements from the first geometry, (points, n, 3) in Angstrom, so that a box from
    :meth:`bench.adapter.Adapter.prepare` around `atoms` stays where it is. `key` holds the record's method, device,
    round and structure. No point begins after `deadline_ns`, or once `may_go_on` returns False; it is called before
    each point and may wait.
    """
    timed = TimedCalculator(calculator, adapter.synchronize)
    start_positions = atoms.positions.copy()
    times: list[int] = []
    energies: list[float] = []
    forces: list[np.ndarray] = []
    status, failure = CONVERGED, None
    gc.collect()
    gc.disable()
    start = perf_counter_ns()
    try:
        for displacement in path:
            if (times and deadline_ns is not None and perf_counter_ns() > deadline_ns) or not may_go_on():
                status = CENSORED
                break
            atoms.positions = start_positions + displacement
            before = timed.nanoseconds
            timed.get_forces(atoms)
            timed.check()
            times.append(timed.nanoseconds - before)
            energies.append(timed.energy)
            forces.append(timed.forces)
            beat(len(times))
    except Exception as error:
        status, failure = FAILED, classify(error)
    finally:
        wall_ns = perf_counter_ns() - start
        gc.enable()
    return Replay(
        **key,
        status=status,
        calculator_ns=tuple(times),
        energies=tuple(finite(energy) for energy in energies),
        fmax=tuple(finite(largest_force(force)) for force in forces),
        wall_ns=wall_ns,
        failure=failure,
    )
