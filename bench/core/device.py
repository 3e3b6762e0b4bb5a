"""Devices: their names, the environment of a worker on one, and the published column to compare with.

A kind of device is one entry of :data:`DEVICES`. :mod:`bench.machine` finds the devices of this machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bench.errors import BadInput


@dataclasses.dataclass(frozen=True)
class DeviceKind:
    """A kind of device: the CPU, or one make of accelerator."""

    name: str
    """As users and adapters write it."""
    label: str
    """As a table prints it."""
    accelerator: bool
    torch_backends: tuple[str | None, ...]
    """Values for uv's ``--torch-backend``, in the order in which they are tried; None: torch from the usual index."""
    published: str
    """The field of a published row with which it is compared."""
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Environment variables of a worker on it."""
    hidden_by: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Environment variables that hide these devices from a worker on another kind of device."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """How users may write it."""
        return (self.name, f"{self.name}:N") if self.accelerator else (self.name,)


DEVICES: dict[str, DeviceKind] = {
    kind.name: kind
    for kind in (
        DeviceKind("cpu", "CPU", False, ("cpu", None), "cpu_ms_per_step", variables={"JAX_PLATFORMS": "cpu"}),
        DeviceKind("cuda", "GPU", True, ("auto", None), "gpu_ms_per_step", hidden_by={"CUDA_VISIBLE_DEVICES": ""}),
    )
}
CPU = "cpu"


@dataclasses.dataclass(frozen=True)
class Device:
    """One device: a kind and, for accelerators, an index where the user gave one."""

    kind: DeviceKind
    index: int | None = None

    @classmethod
    def parse(cls, text: str) -> Device:
        """Read ``cpu``, ``cuda`` or ``cuda:1``; raises BadInput for anything else."""
        name, colon, number = text.partition(":")
        kind = DEVICES.get(name)
        if kind is None or (colon and not (kind.accelerator and number.isdecimal())):
            *others, last = (name for one in DEVICES.values() for name in one.spellings)
            raise BadInput(f"there is no device {text!r}; use {', '.join(others)} or {last}.")
        return cls(kind, int(number) if colon else None)

    @property
    def number(self) -> int:
        """The index, 0 where none was given."""
        return self.index or 0

    @property
    def exact(self) -> str:
        """The name with an index, as an adapter's ``load`` gets it: ``cpu``, ``cuda:0``."""
        return f"{self.kind.name}:{self.number}" if self.kind.accelerator else self.kind.name

    @property
    def label(self) -> str:
        """As a table prints it: ``CPU``, ``GPU``, ``GPU 1``."""
        return self.kind.label if self.index is None else f"{self.kind.label} {self.index}"

    def variables(self) -> dict[str, str]:
        """Return the environment variables of a worker on it; they hide all other accelerators."""
        found: dict[str, str] = {}
        for other in DEVICES.values():
            if other is not self.kind:
                found |= other.hidden_by
        return found | dict(self.kind.variables)


def is_accelerator(device: str) -> bool:
    """Return whether the device of a record is not the CPU."""
    return device != CPU


def computes_in_tf32(device: str, settings: Mapping[str, Any]) -> bool:
    """Return whether an adapter's settings report TF32, on a device that has it: ten bits of each factor's mantissa."""
    matmul = {str(value) for key, value in settings.items() if "matmul_precision" in key}
    return is_accelerator(device) and bool(settings.get("tf32") or matmul & {"high", "medium", "tensorfloat32"})
