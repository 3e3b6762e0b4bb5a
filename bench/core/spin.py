"""The rule for the lowest spin multiplicity, shared by harness and reports."""

from __future__ import annotations


def is_lowest(spin: int) -> bool:
    """Return whether a multiplicity, 2S+1, is the lowest of its molecule: 1, or 2 for an odd number of electrons."""
    return spin <= 2
