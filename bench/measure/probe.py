"""Shared by the checks of the conformance kit: calls of a method, tolerances, and the result of a check."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.core.device import computes_in_tf32


class Skip(Exception):
    """A check does not apply or cannot decide; the text is the reason."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """The result of a check."""

    passed: bool
    figure: str
    """The measured value, with units."""
    tolerance: str = ""
    advice: str = ""
    """What to fix if it did not pass."""


@dataclasses.dataclass(frozen=True)
class Tolerances:
    """How much two answers of a method may differ."""

    repeat: float
    """For a repeated call, eV and eV/Angstrom."""
    symmetry: float
    """For the same molecule shifted, or with its atoms in another order, eV and eV/Angstrom."""
    slope: float
    """Between forces and the derivative of the energy, as a fraction of the rms force."""
    step: float
    """Root mean square displacement of a coordinate in the finite differences, Angstrom."""
    epsilon: float
    """Relative rounding error of an energy."""
    rotation: float = 5e-3
    """For the same molecule rotated: a tenth of the convergence criterion. DFT grids do not rotate with it."""


DOUBLE = Tolerances(repeat=1e-6, symmetry=1e-4, slope=2e-3, step=7e-4, epsilon=2.3e-16)
SINGLE = Tolerances(repeat=1e-4, symmetry=1e-3, slope=2e-3, step=4e-3, epsilon=1.2e-7)
# TF32 keeps 10 bits of each factor of a product. On a GPU the order of sums changes from call to call, which is then
# rounded so coarsely: Orb-d3-xs-v2 repeated its forces within 3e-3 eV/Angstrom on an H100
REDUCED = Tolerances(repeat=1e-2, symmetry=2e-2, slope=5e-2, step=8e-3, epsilon=1e-5, rotation=2e-2)


def tolerances(facts: dict[str, Any], settings: dict[str, Any]) -> Tolerances:
    """Return the tolerances of a dtype; wider ones where settings() reports TF32 on a GPU."""
    if facts["dtype"] == "float64":
        return DOUBLE
    return REDUCED if computes_in_tf32(facts["device"], settings) else SINGLE


class Probe:
    """Gets energies and forces from a method as the worker does."""

    def __init__(self, adapter: Any, calculator: Any, structures: list[Any], facts: dict[str, Any]) -> None:
        self.adapter = adapter
        self.calculator = calculator
        self.facts = facts
        self.structures = list(structures)
        self.given = len(structures)
        """The number of given structures; if it is one, checks that need a second make it themselves."""
        if len(self.structures) == 1:
            self.structures.append(structures[0].copy())
            self.structures[1].rattle(0.05, seed=1)
        self.energies: list[float] = []
        """All energies so far, eV."""
        self.mutates = False
        """Whether a force call has changed the atoms."""
        self.results: Any = None
        """The results that ASE's calculators keep, of the last force call."""
        try:
            settings = adapter.settings()
        except Exception:  # another check covers it
            settings = {}
        self.tolerances = tolerances(facts, settings if isinstance(settings, dict) else {})
        self._answers: dict[int, tuple[float, np.ndarray]] = {}

    def start(self, structure: Any) -> tuple[Any, Any]:
        """Return the prepared atoms of a structure and a fresh calculator for it."""
        atoms = self.adapter.prepare(structure.copy())
        return atoms, self.adapter.new_structure(self.calculator, atoms)

    def ask(self, structure: Any) -> tuple[Any, Any]:
        """Return energy and forces of a structure as the calculator gives them."""
        atoms, calculator = self.start(structure)
        forces = calculator.get_forces(atoms)
        self.results = getattr(calculator, "results", None)
        return calculator.get_potential_energy(atoms), forces

    def answer(self, structure: Any) -> tuple[float, np.ndarray]:
        """Return energy (eV) and forces ((n, 3), eV/Angstrom) of a structure from a fresh call."""
        energy, forces = self.ask(structure)
        self.energies.append(float(energy))
        return float(energy), np.array(forces, dtype=float)

    def first(self, index: int) -> tuple[float, np.ndarray]:
        """Return the first answer for structure `index`."""
        if index not in self._answers:
            self._answers[index] = self.answer(self.structures[index])
        return self._answers[index]

    @property
    def rounding(self) -> float:
        """How much two energies of these molecules may differ by rounding alone, eV."""
        return 4 * self.tolerances.epsilon * abs(self.first(0)[0])

    @property
    def scale(self) -> float:
        """Factor for tolerances in eV and eV/Angstrom: random weights may give tiny forces."""
        if self.facts["weights"] != "random":
            return 1.0
        return min(1.0, float(np.sqrt(np.mean(self.first(0)[1] ** 2))))


def apart(one: tuple[float, np.ndarray], other: tuple[float, np.ndarray]) -> tuple[float, float]:
    """Return the difference of two answers: in energy (eV), and the largest norm of a force (eV/Angstrom)."""
    return abs(one[0] - other[0]), float(np.linalg.norm(one[1] - other[1], axis=1).max())


def compare(probe: Probe, pairs: list[tuple[float, float]], tolerance: float, advice: str) -> Finding:
    """Judge the differences between answers that should be equal; `pairs` as from :func:`apart`."""
    energy = max(pair[0] for pair in pairs)
    force = max(pair[1] for pair in pairs)
    tolerance *= probe.scale
    allowed = tolerance + probe.rounding
    figure = f"{energy:.0e} eV, {force:.0e} eV/Å" if energy or force else "exactly"
    return Finding(energy <= allowed and force <= tolerance, figure, f"{allowed:.1g} eV, {tolerance:.1g} eV/Å", advice)


@contextlib.contextmanager
def counting(calculator: Any) -> Iterator[list[Any]]:
    """Count the evaluations of an ASE calculator: each adds one to the list."""
    original = getattr(calculator, "calculate", None)
    if not callable(original):
        raise Skip("its calculator has no calculate() to count")
    calls: list[Any] = []

    def calculate(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        return original(*arguments, **named)

    own = vars(calculator).get("calculate")
    calculator.calculate = calculate
    try:
        yield calls
    finally:
        if own is None:
            del calculator.calculate
        else:
            calculator.calculate = own
