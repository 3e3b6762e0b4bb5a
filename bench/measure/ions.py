"""The checks of the conformance kit on charge and spin: the answer must change with them, and change back."""

from __future__ import annotations

from typing import Any

from bench.adapter import charge_and_spin
from bench.measure.probe import Finding, Probe, Skip, apart


def the_charge(probe: Probe) -> Finding:
    """Remove an electron; the cation has the lowest multiplicity."""
    _need(probe, "charge")
    given = probe.structures[0]
    cation = given.copy()
    cation.info.pop("spin", None)
    cation.info["charge"] = charge_and_spin(given)[0] + 1
    if probe.facts["spin"]:
        cation.info["spin"] = charge_and_spin(cation)[1]
    return _another_answer(probe, cation, "charge")


def the_spin(probe: Probe) -> Finding:
    """Unpair two electrons: a closed shell becomes a triplet."""
    _need(probe, "spin")
    given = probe.structures[0]
    other = given.copy()
    other.info["spin"] = charge_and_spin(given)[1] + 2
    try:
        return _another_answer(probe, other, "spin")
    except ValueError as error:
        if charge_and_spin(given)[1] > 1:  # a hydrogen atom has one electron
            raise Skip(str(error)) from None
        raise


def _need(probe: Probe, key: str) -> None:
    if not probe.facts[key]:
        raise Skip(f"the header does not say {key} = true")


def _another_answer(probe: Probe, other: Any, key: str) -> Finding:
    """Compute `other`, then the original structure again.

    The size of the energy change depends on the method: several eV for most molecules, almost nothing where two
    states cross.
    """
    given = probe.structures[0]
    charge, spin = charge_and_spin(other)
    change = probe.answer(other)[0] - probe.first(0)[0]
    energy, force = apart(probe.answer(given), probe.first(0))
    tolerance = probe.tolerances.repeat * probe.scale
    least = 10 * (tolerance + probe.rounding)
    is_back = energy <= tolerance + probe.rounding and force <= tolerance
    figure = f"{change:+.3g} eV for charge {charge}, multiplicity {spin}"
    if not is_back:
        figure += f"; afterwards the molecule itself is off by {energy:.0e} eV, {force:.0e} eV/Å"
    advice = (
        "prepare() or new_structure() must pass on what charge_and_spin(atoms) returns, anew for each structure; "
        f"where the method cannot take it, the header must not say {key} = true"
    )
    return Finding(abs(change) > least and is_back, figure, f"more than {least:.1g} eV", advice)
