"""Why something failed: an expected outcome of a method, which has a class and is never a blank."""

from __future__ import annotations

import dataclasses

FAILURES = {
    "environment": "the method's environment could not be made",
    "no-weights": "the checkpoint is not there",
    "no-program": "a program that the method needs is not on PATH",
    "no-device": "the device is not there",
    "load": "the method could not be loaded",
    "elements": "the method does not know an element of the structure",
    "explosion": "the atoms flew apart",
    "nan": "an energy or a force was not a finite number",
    "calculator": "the calculator raised an error",
    "optimizer": "the optimiser gave up",
    "out-of-memory": "the memory did not suffice",
    "crash": "the process died",
    "timeout": "no sign of life within the time-out",
}


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a method, or one structure of it, gave no result."""

    kind: str
    message: str

    def __post_init__(self) -> None:
        if self.kind not in FAILURES:
            raise ValueError(f"unknown failure class {self.kind!r}")
