"""Why something failed: an expected outcome of a method, always with a class and never left blank."""

from __future__ import annotations

import dataclasses

from bench.core.plain import clean

FAILURES = {
    "environment": "the method's environment could not be made",
    "no-weights": "the checkpoint is missing",
    "conversion": "the checkpoint could not be converted for the engine",
    "no-program": "a program that the method needs is not on PATH",
    "no-device": "the device is missing",
    "load": "the method could not be loaded",
    "elements": "the method does not know an element of the structure",
    "charge": "the method cannot take the charge of the structure",
    "spin": "the method cannot take the spin multiplicity of the structure",
    "periodic": "the method takes no periodic systems",
    "stress": "the method gives no stress, which relaxing a cell needs",
    "explosion": "the atoms flew apart",
    "no-batch": "the adapter computes no batches",
    "batch": "a batch gave other answers than single calls",
    "nan": "an energy or a force was not a finite number",
    "calculator": "the calculator raised an error",
    "optimizer": "the optimiser gave up",
    "out-of-memory": "memory ran out",
    "crash": "the process ended before it was done",
    "no-time": "the time was over before its turn",
    "timeout": "no output within the time-out",
}

LOGGED = frozenset({"load", "calculator", "crash", "timeout", "out-of-memory"})
"""The failures of which a method's process says more than the message in what it printed: the lines of a traceback."""


def log_name(method: str, device: str, number: int) -> str:
    """Return the path, inside the run directory, of what a method's worker printed in one round."""
    return f"logs/{method}-{device.replace(':', '')}-round{number}.log"


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a method, or one of its structures, gave no result."""

    kind: str
    message: str
    """One line; text from a method is cleaned here."""

    def __post_init__(self) -> None:
        if self.kind not in FAILURES:
            raise ValueError(f"unknown failure class {self.kind!r}")
        object.__setattr__(self, "message", " ".join(clean(self.message).split()))
