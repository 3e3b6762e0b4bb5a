"""What ``pesbench overhead`` measures in a round: one structure, in fresh processes with and without the harness."""

from __future__ import annotations

import dataclasses

from bench.core.message import Pair


@dataclasses.dataclass(frozen=True)
class Relaxed:
    """One relaxation by a plain script, as it printed it."""

    steps: int
    ms_per_step: float


@dataclasses.dataclass(frozen=True)
class OverheadRound:
    """One structure, relaxed a few times in each of three processes."""

    pairs: tuple[Pair, ...]
    """From the worker: through the harness, and bare."""
    script: tuple[Relaxed, ...]
    """By the plain script, with the worker's environment variables."""
    shell: tuple[Relaxed, ...]
    """By the plain script, without the variables that set threads."""
