"""What harness and reports have to agree on about spin multiplicities."""

from __future__ import annotations


def is_lowest(spin: int) -> bool:
    """Tell whether a multiplicity, 2S+1, is the lowest of its molecule: 1, or 2 for an odd number of electrons."""
    return spin <= 2
