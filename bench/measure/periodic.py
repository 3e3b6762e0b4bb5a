"""The check of the conformance kit on periodic systems."""

from __future__ import annotations

import numpy as np

from bench.measure.probe import Finding, Probe, Skip, apart, compare

GAP = 3.0  # Angstrom between a molecule and its images: near enough that a method with a cutoff sees them


def twice_the_cell(probe: Probe) -> Finding:
    """Put the molecule into a periodic box, and double the box: energy and forces of each copy must be the same."""
    if not probe.facts.get("periodic"):  # a task of an older pesbench has no such key
        raise Skip("the header does not say periodic = true")
    one = probe.structures[0].copy()
    one.set_cell(np.ptp(one.positions, axis=0) + GAP)
    one.pbc = True
    two = one.repeat((1, 1, 2))
    two.info = dict(one.info)
    answer, doubled = probe.answer(one), probe.answer(two)
    copies = [(doubled[0] / 2, forces) for forces in doubled[1].reshape(2, -1, 3)]
    advice = "pass cell and pbc on to the method, or leave out periodic = true in the header"
    found = compare(probe, [apart(answer, copy) for copy in copies], 10 * probe.tolerances.repeat, advice)
    images = answer[0] - probe.first(0)[0]
    seen = abs(images) > 10 * probe.rounding
    return Finding(found.passed and seen, f"{found.figure}; the images add {images:+.2g} eV", found.tolerance, advice)
