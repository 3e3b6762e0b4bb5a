"""How precise a matrix product in float32 really is on a device: in full, or with TF32's ten bits of mantissa."""

from __future__ import annotations

from bench.core.device import computes_in_tf32
from bench.measure.probe import Finding, Probe, Skip

FULL = 1e-5
"""Relative error between those of float32 (about 1e-7) and of TF32 (about 3e-4)."""


def products(probe: Probe) -> Finding:
    """Compare the measured error of a float32 product with what the adapter's settings say about TF32."""
    error = probe.adapter.product_error()
    if error is None:
        raise Skip("the adapter measures no matrix product")
    allowed = computes_in_tf32(probe.facts["device"], probe.adapter.settings())
    found = "full float32" if error < FULL else "TF32, or less"
    return Finding(
        error < FULL or allowed,
        f"relative error {error:.0e}, which is {found}; the settings say that TF32 is {'on' if allowed else 'off'}",
        "at most 1e-05 unless the settings say TF32",
        "settings() must report the precision of matrix products that really applies on this device",
    )
