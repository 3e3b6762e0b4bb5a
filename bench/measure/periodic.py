"""The checks of the conformance kit on periodic systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.measure.probe import Finding, Probe, Skip, apart, compare

STRAIN = 1e-3  # of the finite differences that the stress is compared with
GAP = 3.0  # Angstrom between a molecule and its images: near enough that a method with a cutoff sees them


def twice_the_cell(probe: Probe) -> Finding:
    """Put the molecule into a periodic box, and double the box: energy and forces of each copy must be the same."""
    if not probe.facts.get("periodic"):  # a task of an older pesbench has no such key
        raise Skip("the header does not say periodic = true")
    one = _in_a_cell(probe)
    two = one.repeat((1, 1, 2))
    two.info = dict(one.info)
    answer, doubled = probe.answer(one), probe.answer(two)
    copies = [(doubled[0] / 2, forces) for forces in doubled[1].reshape(2, -1, 3)]
    advice = "pass cell and pbc on to the method, or leave out periodic = true in the header"
    found = compare(probe, [apart(answer, copy) for copy in copies], 10 * probe.tolerances.repeat, advice)
    images = answer[0] - probe.first(0)[0]
    seen = abs(images) > 10 * probe.rounding
    return Finding(found.passed and seen, f"{found.figure}; the images add {images:+.2g} eV", found.tolerance, advice)


def the_stress_is_a_derivative(probe: Probe) -> Finding:
    """Strain the periodic box, and compare the stress with the derivative of the energy: each diagonal component, and
    a shear.
    """
    if not probe.facts.get("stress"):
        raise Skip("the header does not say stress = true")
    if not probe.facts.get("conservative"):
        raise Skip("its forces and stress are no derivative of its energy")
    one = _in_a_cell(probe)
    atoms, calculator = probe.start(one)
    volume = one.get_volume()
    stress = np.array(calculator.get_stress(atoms), dtype=float)
    if stress.shape == (3, 3):
        stress = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    slopes = np.array([_slope(probe, one, component) for component in range(4)]) / volume
    worst = float(np.abs(stress[:4] - slopes).max())
    scale = float(np.abs(slopes).max())
    step = 2 * STRAIN * volume
    allowed = max(10 * probe.tolerances.slope * scale, 8 * probe.tolerances.epsilon * abs(probe.energies[-1]) / step)
    figure = f"{worst:.0e} eV/Å³ of {scale:.2g} eV/Å³"
    advice = "return the stress in eV/Å³, in Voigt's order, positive under tension, or leave out stress = true"
    return Finding(worst <= allowed, figure, f"{allowed:.1g} eV/Å³", advice)


def _slope(probe: Probe, atoms: Any, component: int) -> float:
    """Return the derivative of the energy with respect to a component of the strain, in Voigt's order, eV."""
    row, column = ((0, 0), (1, 1), (2, 2), (1, 2))[component]

    def energy(strain: float) -> float:
        deformation = np.eye(3)
        deformation[row, column] += strain / 2
        deformation[column, row] += strain / 2
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
        return probe.answer(strained)[0]

    return (energy(STRAIN) - energy(-STRAIN)) / (2 * STRAIN)


def _in_a_cell(probe: Probe) -> Any:
    """Return the molecule in a periodic box, near its images."""
    one = probe.structures[0].copy()
    one.set_cell(np.ptp(one.positions, axis=0) + GAP)
    one.pbc = True
    return one
