"""Sums up the trajectories of a method: one frozen value per method and device.

The definitions are in :mod:`bench.analysis.events`, :mod:`bench.protocols.md.energies` and
:mod:`bench.protocols.md.distributions`; here they are put together.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from ase.data import chemical_symbols

from bench.analysis import events, neighbours
from bench.analysis.disturbed import disturbances
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.methods import MeasuredMethod
from bench.analysis.times import Key, mean_time
from bench.core.records import FAILED, INTERNAL
from bench.protocols.md import energies
from bench.protocols.md.body import Body
from bench.protocols.md.distributions import OWN, Distances, Reference, planarity
from bench.protocols.md.plan import MD, SYMMETRY_SHARE
from bench.protocols.md.seeds import Mean, mean
from bench.protocols.md.table import Distribution, Ensemble, Simulated, Simulations, Stability, StabilityTable
from bench.protocols.md.trajectory_file import Content
from bench.protocols.md.verdict import VERDICTS, judge

SPACING_PS = 0.1
"""Distance between frames for the comparison with the reference: half a period of the slowest vibration."""
SPEED_BLOCKS = 10
LEAST_FORCE = 0.1  # eV/Angstrom: the forces at a relaxed structure may be only float32 noise


def stabilities(measurements: Measurements) -> dict[Key, Stability]:
    """Return the stability of each method and device of a campaign; empty without simulations.

    Of several systems, it is the verdict on all of them.
    """
    rows = measurements.once("stabilities", lambda: _stabilities(measurements))
    several = len({row.system for row in rows}) > 1
    found: dict[Key, Stability] = {}
    for method in measurements.methods:
        mine = [row for row in rows if (row.method, row.device) == method.key]
        if mine:
            found[method.key] = _over_systems(method, mine) if several else mine[0]
    return found


def _over_systems(method: MeasuredMethod, rows: Sequence[Stability]) -> Stability:
    """Return the verdict on a method: the worst one, with the systems that have it."""
    verdicts = {row.system: row.verdict for row in rows}
    known = [one for one in verdicts.values() if one]
    worst = max(known, key=VERDICTS.index, default=None)
    return Stability(
        method=method.method,
        label=method.label,
        kind=method.kind,
        device=method.device,
        weights=method.weights,
        refused=None if known else next((row.refused for row in rows if row.refused), None),
        systems=verdicts,
        verdict=worst,
        reasons=tuple(f"{row.system}: {why}" for row in rows if row.verdict == worst for why in row.reasons),
    )


def _stabilities(measurements: Measurements) -> tuple[Stability, ...]:
    systems: Sequence[Simulations] = measurements.read.get(MD) or ()
    needed = budgets(systems)
    rows = []
    for found in systems:
        for method in measurements.methods:
            if found.system in measurements.description.methods[method.method].left_out:
                continue
            symmetries = found.symmetries
            row = stability(
                method,
                found.trajectories.get(method.key, ()),
                symmetries[(symmetries["method"] == method.method) & (symmetries["device"] == method.device)],
                found.body,
                found.reference,
                found.refused.get(method.key),
                needed.get(method.key),
            )
            rows.append(dataclasses.replace(row, system=found.system))
    return tuple(rows)


def budgets(systems: Sequence[Simulations]) -> dict[Key, float]:
    """Return the time for md, s, with which all trajectories of a method would be done, at all systems that it takes.

    A budget is for all of them, those at half the time step included, and the examination of the forces may take its
    share first. A method without any step at some system is left out.
    """
    found = {}
    for key in dict.fromkeys(key for one in systems for key in one.trajectories):
        each = [_whole_ns(mine) for one in systems if (mine := one.trajectories.get(key, ()))]
        known = [one for one in each if one is not None]
        if known and len(known) == len(each):
            found[key] = 1e-9 * sum(known) / (1 - SYMMETRY_SHARE)
    return found


def _whole_ns(trajectories: Sequence[Simulated]) -> float | None:
    """Return how long trajectories take to their ends, by the steps that were made; None where there are none."""
    made = sum(len(one.content.potential) - 1 for one in trajectories if one.content is not None)
    planned = sum(1000 * one.duration_ps / one.time_step_fs for one in trajectories)
    return planned * sum(one.wall_ns for one in trajectories) / made if made else None


def stability_table(measurements: Measurements) -> StabilityTable:
    """Return the stability of all methods of a campaign that simulated."""
    systems, watched = measurements.read[MD], measurements.watched
    first, several = systems[0], len(systems) > 1
    by_method = stabilities(measurements)
    return StabilityTable(
        description=measurements.description,
        rows=measurements.once("stabilities", lambda: _stabilities(measurements)),
        reference="its structures of the run" if several else first.reference_name,
        reference_planarity=None if several or first.body.periodic else first.reference.planarity,
        own_minimum=first.reference.name == OWN,
        methods=tuple(by_method.values()) if several else (),
        disturbances=disturbances(watched) if watched is not None else (),
        damaged=measurements.damaged,
    )


def stability(
    method: MeasuredMethod,
    trajectories: Sequence[Simulated],
    symmetries: pd.DataFrame,
    body: Body,
    reference: Reference,
    refused: str | None = None,
    budget_s: float | None = None,
) -> Stability:
    """Return the stability of a method from its simulations.

    Parameters
    ----------
    method : MeasuredMethod
    trajectories : sequence of Simulated
    symmetries : DataFrame
        One row for each structure whose forces were examined.
    body : Body
        The reference structure, which defines the bonds.
    reference : Reference
        The frames with which distances are compared, and for naphthalene the lengths of its bonds; those of all others
        are compared with the method's own minimum, the first frame.
    refused : str, optional
        Why it was not simulated.
    budget_s : float, optional
        See :func:`budgets`.
    """
    molecule = _topology(body, trajectories, reference)
    longest = max((one.time_step_fs for one in trajectories), default=0.0)
    usual = [one for one in trajectories if one.time_step_fs == longest]
    nve = [one for one in usual if one.ensemble == "nve"]
    found = Stability(
        method=method.method,
        label=method.label,
        kind=method.kind,
        device=method.device,
        weights=method.weights,
        refused=refused,
        budget_s=budget_s,
        ensembles=tuple(
            _ensemble(name, [one for one in usual if one.ensemble == name], molecule)
            for name in dict.fromkeys(one.ensemble for one in usual)
        ),
        **_speed([one for one in nve if one.content] or usual, longest),
        **_energies(nve),
        noise_exponent=_exponent(trajectories, longest),
        **_temperatures(nve, body),
        distribution=None if body.periodic else _distribution(usual, reference),
        periodic=body.periodic,
        **_symmetries(symmetries),
    )
    verdict, reasons = judge(found)
    return dataclasses.replace(found, verdict=verdict, reasons=reasons)


def _topology(body: Body, trajectories: Sequence[Simulated], reference: Reference) -> events.Topology:
    if reference.name != OWN:
        return events.topology(body.numbers, body.positions, reference.frames)
    starts = (one.content.positions[0] for one in trajectories if one.content is not None)
    minimum = next(starts, body.positions)
    if body.cell is not None:
        return neighbours.topology(body.numbers, body.positions, minimum, body.cell, body.pbc)
    return events.topology(body.numbers, body.positions, minimum[None])


def _ensemble(name: str, trajectories: Sequence[Simulated], molecule: events.Topology) -> Ensemble:
    none = np.empty((0, len(molecule.numbers), 3))
    outcomes = [
        events.outcome(
            one.content.positions if one.content else none,
            one.content.times_ps if one.content else np.empty(0),
            molecule,
            one.content.frame_every if one.content else 1,
            one.failure if one.status == FAILED else None,
        )
        for one in trajectories
    ]
    failures = [one.failure for one in trajectories if one.failure]
    lost = dict(Counter(failure for failure in failures if failure not in events.METHODS_DOING))
    enough = [one.ended or one.simulated_ps > (1 - 1e-9) * events.LEAST_PS for one in outcomes]
    alive = [one.failure not in lost for one in trajectories]
    outcomes = [one for one in outcomes if one.ended or one.simulated_ps > 0]
    return Ensemble(
        name=name,
        planned=len(trajectories),
        planned_ps=sum(one.duration_ps for one in trajectories),
        simulated_ps=sum(one.simulated_ps for one in outcomes),
        outcomes=tuple(outcomes),
        survival=events.survival(outcomes),
        lost=lost,
        short=sum(counts and not long for counts, long in zip(alive, enough, strict=True)),
    )


def _speed(trajectories: Iterable[Simulated], time_step_fs: float) -> dict[str, Any]:
    """Return the time of a step, over blocks of the trajectories and the rounds, which are processes."""
    rounds: dict[int, list[np.ndarray]] = {}
    for one in trajectories:
        if one.content is not None and len(one.content.potential) > SPEED_BLOCKS:
            each = (one.content.calculator_ns + one.content.integrator_ns)[1:] * 1e-6
            rounds.setdefault(one.round, []).append(
                np.array([block.mean() for block in np.array_split(each, SPEED_BLOCKS)])
            )
    if not rounds:
        return {}
    columns = {number: np.exp(np.mean(np.log(blocks), axis=0)) for number, blocks in rounds.items()}
    time = mean_time(pd.DataFrame(columns))
    return {"ms_per_step": time, "ns_per_day": 86_400_000 / time.estimate * time_step_fs * 1e-6}


def _energies(nve: Iterable[Simulated]) -> dict[str, Any]:
    drifts = [drift for one in nve if (drift := _drift(one)) is not None]
    ratios = [one.ratio for one in drifts if one.ratio is not None]
    return {
        "drift": energies.over_seeds(drifts),
        "drift_ratio": float(np.mean(ratios)) if ratios else None,
        "noise": float(np.mean([one.noise for one in drifts])) if drifts else None,
    }


def _drift(one: Simulated) -> energies.Drift | None:
    if one.content is None:
        return None
    potential, kinetic = one.content.potential, one.content.kinetic
    return energies.drift(potential + kinetic, kinetic, one.time_step_fs, len(one.content.numbers))


def _exponent(trajectories: Iterable[Simulated], longest: float) -> Mean | None:
    """Compare the noise at both time steps, for each seed over the same time from the same start."""
    nve = {(one.time_step_fs, one.seed): one for one in trajectories if one.ensemble == "nve"}
    found = []
    for (step, seed), half in nve.items():
        whole = nve.get((longest, seed))
        if step == longest / 2 and whole is not None and whole.content and half.content:
            steps = min(len(whole.content.potential), (len(half.content.potential) + 1) // 2)
            both = [
                energies.noise((one.potential + one.kinetic)[:count], one.time_step_fs)
                for one, count in ((whole.content, steps), (half.content, 2 * steps - 1))
            ]
            if both[0] is not None and both[1] is not None:
                found.append(energies.noise_exponent(both[0], both[1]))
    return mean([one for one in found if one is not None])


def _temperatures(nve: Sequence[Simulated], body: Body) -> dict[str, Any]:
    kept = [one.content for one in nve if one.content and len(one.content.positions) >= 10]
    if not kept:
        return {}
    numbers, masses = body.numbers, body.masses
    rigid = max(energies.rigid_share(body, one.positions[-10:], one.velocities[-10:]) for one in kept)
    velocities = [one.velocities[energies.settled(len(one.velocities), _between(one))] for one in kept]
    velocities = [some for some in velocities if len(some) >= 10]
    internal = 3 * len(numbers) / body.internal_motions
    expected = nve[0].temperature_k * (1.0 if nve[0].temperature_of == INTERNAL else internal)
    if not velocities:
        return {"expected_temperature": expected, "rigid_share": rigid}
    every = np.concatenate(velocities)
    found: dict[str, Any] = {
        "temperature": internal * energies.temperature(masses, every),
        "temperatures": {
            chemical_symbols[number]: energies.temperature(masses, every, (numbers == number) & body.free)
            for number in np.unique(numbers[body.free])
        },
        "expected_temperature": expected,
        "rigid_share": rigid,
    }
    light = numbers == numbers[body.free].min()
    if not light[body.free].all():
        moving, rest = light & body.free, ~light & body.free
        ratios = [energies.temperature(masses, v, moving) / energies.temperature(masses, v, rest) for v in velocities]
        found["light_ratio"] = mean(ratios)
        found["expected_light_ratio"] = energies.expected_ratio(body, light)
    return found


def _distribution(trajectories: Iterable[Simulated], reference: Reference) -> Distribution | None:
    """Compare the distances at constant temperature, the reference's ensemble, else those at constant energy."""
    trajectories = list(trajectories)
    if len(reference.frames) < 2:
        return None
    for name in ("nvt", "nve"):
        frames = [_spaced(one.content) for one in trajectories if one.ensemble == name and one.content]
        frames = [some for some in frames if len(some)]
        if not frames:
            continue
        every = np.concatenate(frames)
        numbers = reference.distances.numbers
        h, by_class = reference.errors(Distances(numbers, every))
        h_floor, floors = (
            reference.floor([Distances(numbers, some) for some in frames])
            if len(frames) > 1
            else reference.least_floor(len(every))
        )
        return Distribution(
            ensemble=name,
            frames=len(every),
            h_error=h,
            h_floor=h_floor,
            wasserstein={pair: (value, floors[pair]) for pair, value in by_class.items()},
            planarity=planarity(numbers, every),
            trajectories=len(frames),
        )
    return None


def _between(content: Content) -> float:
    """Return the time between two frames, fs."""
    return content.time_step_fs * content.frame_every


def _spaced(content: Content) -> np.ndarray:
    """Return frames after settling, of which the slowest vibration makes neighbours differ."""
    every = max(1, round(1000 * SPACING_PS / _between(content)))
    return content.positions[energies.settled(len(content.positions), _between(content))][::every]


def _symmetries(rows: pd.DataFrame) -> dict[str, Any]:
    if rows.empty:
        return {}

    def known(values: pd.Series) -> pd.Series:
        return pd.to_numeric(values, errors="coerce").dropna()

    numbers = rows.drop(columns=["method", "device", "failure", "message"]).apply(pd.to_numeric, errors="coerce")
    asymmetry = known(numbers["jacobian_antisymmetric"] / numbers["jacobian_symmetric"])
    loop = known(numbers["loop_work"] / numbers["loop_absolute"])
    rotation = known(numbers["rotation_error"] / numbers["force_rms"].clip(lower=LEAST_FORCE))
    force, torque = known(numbers["net_force"]), known(numbers["net_torque"])
    return {
        "asymmetry": float(asymmetry.median()) if len(asymmetry) else None,
        "loop": float(np.sqrt((loop**2).mean())) if len(loop) else None,
        "rotation": float(rotation.median()) if len(rotation) else None,
        "net_force": float(force.max()) if len(force) else None,
        "net_torque": float(torque.max()) if len(torque) else None,
        "examined": len(force),
    }


SUMMARY = Summary(own=stabilities, table=stability_table)
