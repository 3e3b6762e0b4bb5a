"""The conformance kit: whether an adapter does what :class:`bench.adapter.Adapter` promises.

Runs in the method's own environment and calls the method exactly as the worker does. Nothing is timed.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS

from bench.core.message import Check
from bench.measure import batches, declared, ions, periodic, physics, precision
from bench.measure.clock import TimedCalculator
from bench.measure.contents import changed, contents
from bench.measure.probe import Finding, Probe, Skip, apart, compare, counting

Question = tuple[str, Callable[[Probe], Finding]]
"""The name of a check, and its function."""
COUNTED_STEPS = 3
NATIVE_STEPS = 20
BATCH = 3  # more than there are structures: one comes twice


def conform(adapter: Any, calculator: Any, structures: list[Any], facts: dict[str, Any]) -> Iterator[Check]:
    """Check a loaded adapter.

    Parameters
    ----------
    adapter : bench.adapter.Adapter
        Loaded, with its `reference` set.
    calculator : ase.calculators.calculator.Calculator
        What its `load` returned.
    structures : list of ase.Atoms
        Distorted molecules of one composition in one order; two are enough.
    facts : dict
        ``method``, ``device``, ``dtype``, ``threads``, ``conservative``, ``parameters`` (the published count or
        None), ``native``, ``weights`` (pretrained, random or none), ``charge``, ``spin``, ``periodic`` and
        ``stress`` (whether the method takes or gives them according to its header); optionally ``force_tolerance`` and
        ``rotation_tolerance`` (eV/Angstrom), which replace those of the dtype.

    Yields
    ------
    bench.core.message.Check
    """
    probe = Probe(adapter, calculator, structures, facts)
    broken = ""
    for name, check in FOUNDATIONS:
        outcome = run(name, check, probe) if not broken else skipped(name, f"pointless after the failure of: {broken}")
        broken = broken or (name if outcome.passed is False else "")
        yield outcome
    for name, check in SURFACE + IONS + (NATIVE if facts["native"] else ()):
        yield run(name, check, probe) if not broken else skipped(name, f"pointless after the failure of: {broken}")
    for name, check in DECLARED:
        yield run(name, check, probe)


def run(name: str, check: Callable[[Probe], Finding], probe: Probe) -> Check:
    """Return the result of a check; an exception in it is a failed check."""
    try:
        found = check(probe)
    except Skip as reason:
        return skipped(name, str(reason))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())[:300]
        advice = f"raised in {last.name}() of {Path(last.filename).name}, line {last.lineno}, which must not raise"
        return Check(name, False, f"{type(error).__name__}: {text}", advice=advice)
    return Check(name, bool(found.passed), found.figure, found.tolerance, "" if found.passed else found.advice)


def skipped(name: str, reason: str) -> Check:
    """Return a check that did not run."""
    return Check(name, None, reason)


def _prepare(probe: Probe) -> Finding:
    worst = 0.0
    for structure in probe.structures:
        atoms, _ = probe.start(structure)
        if atoms.numbers.tolist() != structure.numbers.tolist():
            return Finding(False, "other atoms, or another order", "", "prepare() may add a box, not change the atoms")
        worst = max(worst, float(np.abs(atoms.get_all_distances() - structure.get_all_distances()).max()))
    return Finding(
        worst <= 1e-6,
        f"distances kept to {worst:.0e} Å",
        "1e-06 Å",
        "prepare() may move the molecule as a whole and put a box around it, nothing else",
    )


def _shapes(probe: Probe) -> Finding:
    energy, forces = probe.ask(probe.structures[0])
    wanted = (len(probe.structures[0]), 3)
    shape = getattr(forces, "shape", None)
    kind = str(getattr(forces, "dtype", type(forces).__name__))
    scalar = np.ndim(energy) == 0 and np.isrealobj(energy)
    return Finding(
        bool(scalar and isinstance(forces, np.ndarray) and shape == wanted and forces.dtype.kind == "f"),
        f"{'a number' if scalar else 'energy is not a single number'}; forces {kind} {_size(shape)}",
        _size(wanted),
        "get_potential_energy() returns one number, get_forces() a numpy array of floats with one row per atom",
    )


def _size(shape: Any) -> str:
    return "×".join(map(str, shape)) if shape is not None else "without a shape"


def _finite(probe: Probe) -> Finding:
    answers = [probe.first(index) for index in range(len(probe.structures))]
    wrong = sum(not (np.isfinite(energy) and np.isfinite(forces).all()) for energy, forces in answers)
    return Finding(
        not wrong,
        f"NaN or infinite for {wrong} of {len(answers)}" if wrong else f"{len(answers)} molecules",
        "",
        "look for overflow, division by a zero distance, or an element without parameters",
    )


def _repeats(probe: Probe) -> Finding:
    again = apart(probe.answer(probe.structures[0]), probe.answer(probe.structures[0]))
    advice = "fix the seeds, switch off dropout and the like, sum in a fixed order, and converge the SCF more tightly"
    return compare(probe, [again], probe.tolerances.repeat, advice)


def _nothing_left(probe: Probe) -> Finding:
    before = probe.first(0)
    probe.answer(probe.structures[1])
    found = apart(probe.answer(probe.structures[0]), before)
    advice = "new_structure() must discard all state of the last one: results, density, neighbour list, topology"
    return compare(probe, [found], probe.tolerances.repeat, advice)


def _not_mutated(probe: Probe) -> Finding:
    atoms, calculator = probe.start(probe.structures[0])
    before = contents(atoms)
    calculator.get_forces(atoms)
    calculator.get_potential_energy(atoms)
    others = changed(before, atoms)
    probe.mutates = bool(others)
    return Finding(
        not others,
        f"changed: {', '.join(others)}" if others else "as before",
        "",
        "let the calculator work on a copy, or make upstream's changes to the atoms (a box, a shift) in prepare()",
    )


def _evaluations(probe: Probe) -> Finding:
    """Relax a few steps with the usual optimiser, and count the evaluations of the calculator."""
    if probe.mutates:
        raise Skip("its force calls change the atoms, which are then evaluated again")
    atoms, calculator = probe.start(probe.structures[0])
    if not isinstance(calculator, Calculator):
        raise Skip("its calculator is not ASE's Calculator, so there is nothing to count")
    with counting(calculator) as calls:
        timed = TimedCalculator(calculator, probe.adapter.synchronize)
        atoms.calc = timed
        BFGS(atoms, logfile=None).run(fmax=0.0, steps=COUNTED_STEPS)
    if not calls:
        raise Skip("its calculator answers without calculate(), so there is nothing to count")
    return Finding(
        len(calls) == timed.calls,
        f"{len(calls)} for {timed.calls} geometries of BFGS",
        "one each",
        "compute energy and forces in one calculate(), keep both in `results`, and do not change the atoms: "
        "the harness asks for forces, then energy, then the same forces again",
    )


def _batch(probe: Probe) -> Finding:
    atoms, calculator = probe.start(probe.structures[0])
    if probe.adapter.batched(calculator, [atoms]) is None:
        raise Skip("batched() computes no batches")
    advice = "batched() returns energy and forces of each structure in order, in eV and eV/Å, and keeps nothing"
    try:
        energy, force = batches.check(probe, BATCH, len(probe.structures))
    except batches.WrongBatch as wrong:
        return Finding(False, str(wrong), "", advice)
    return Finding(True, f"{energy:.0e} eV, {force:.0e} eV/Å" if energy or force else "exactly", "", advice)


def _native(probe: Probe) -> Finding:
    atoms, calculator = probe.start(probe.structures[0])
    native = probe.adapter.native_relax(calculator, atoms, NATIVE_STEPS)
    steps = 1
    while not native.step() and steps < NATIVE_STEPS:
        steps += 1
    native.finish(atoms)
    if not isinstance(native.criterion, str):
        return Finding(False, "no criterion", "", "describe in words when it counts as converged")
    change = probe.answer(atoms)[0] - probe.first(0)[0]
    advice = "step() does one step from the atoms that native_relax() got, and finish() writes the coordinates back"
    return Finding(change < 0, f"{change:+.2f} eV in {steps} steps", "below 0 eV", advice)


# each of these is the basis of the later ones: after a failure, the others would only repeat it
FOUNDATIONS: tuple[Question, ...] = (
    ("prepare() keeps the molecule", _prepare),
    ("energy and forces have their types and shapes", _shapes),
    ("energy and forces are finite", _finite),
    ("the same answer comes twice", _repeats),
    ("nothing is left over from another molecule", _nothing_left),
)
SURFACE: tuple[Question, ...] = (
    ("a force call leaves the atoms alone", _not_mutated),
    ("a geometry is evaluated once", _evaluations),
    ("forces are minus the energy's derivative", physics.forces_are_the_derivative),
    ("units are eV and Angstrom", physics.units_are_plausible),
    ("like atoms can change places", physics.like_atoms_can_change_places),
    ("a shift changes nothing", physics.a_shift_changes_nothing),
    ("a rotation only turns the forces", physics.a_rotation_turns_the_forces),
    ("a mirror image", physics.a_mirror_image),
    ("twice the cell, twice the energy", periodic.twice_the_cell),
    ("the stress is the derivative", periodic.the_stress_is_a_derivative),
    ("a batch gives the answers of single calls", _batch),
)
IONS: tuple[Question, ...] = (
    ("the charge reaches the method", ions.the_charge),
    ("the spin multiplicity reaches the method", ions.the_spin),
)
NATIVE: tuple[Question, ...] = (("its own relaxation goes downhill", _native),)
DECLARED: tuple[Question, ...] = (
    ("settings are plain JSON", declared.the_settings),
    ("the dtype is the declared one", declared.the_dtype),
    ("threads are as asked", declared.the_threads),
    ("the number of parameters is the published one", declared.the_parameters),
    ("the device is as asked", declared.the_device),
    ("TF32 is as the settings say", precision.products),
    ("stress", declared.the_stress),
)
