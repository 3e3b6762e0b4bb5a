"""The knobs of a method: the settings that a user may choose, declared in its header, and its precision."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from bench.core.device import Device
from bench.core.settings import Settings
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.errors import BadInput

DTYPE = "dtype"
"""The precision is chosen like a knob; its values are the dtypes of the header."""


def values(method: Method, device: str) -> dict[str, tuple[str, ...]]:
    """Return the values of each knob of a method on a device, ``dtype`` among them, the default first."""
    knobs = method.knobs_on(Device.parse(device).kind.name)
    return {name: knob.values for name, knob in knobs.items()} | {DTYPE: method.dtypes}


def check(method: Method, name: str, value: str, device: str) -> None:
    """Raise BadInput where a method has no such knob on a device, or where the knob has no such value."""
    known = values(method, device)
    if name not in known:
        where = method.knobs[name].devices if name in method.knobs else ()
        reason = f"it exists only on {' and '.join(where)}" if where else f"it has {', '.join(known)}"
        raise BadInput(f"{method.name} has no knob {name!r} on {device}; {reason}.")
    if value not in known[name]:
        raise BadInput(f"the knob {name} of {method.name} cannot be {value!r}; it can be {' or '.join(known[name])}.")


def with_knobs(method: Method, chosen: Mapping[str, str], devices: Iterable[str]) -> Method:
    """Return a method with chosen values of its knobs; its label says where they are not the defaults of a device."""
    every = [values(method, device) for device in devices]
    other = [f"{name}={value}" for name, value in chosen.items() if any(value != one[name][0] for one in every)]
    return dataclasses.replace(
        method,
        label=f"{method.label} [{', '.join(other)}]" if other else method.label,
        dtypes=(chosen.get(DTYPE, method.dtypes[0]),),
        chosen={name: value for name, value in chosen.items() if name != DTYPE},
        note=f"Measured with {', '.join(other)}; its note is about the defaults: {method.note}"
        if other and method.note
        else method.note,
    )


def choose(catalogue: Catalogue, settings: Settings) -> None:
    """Give the one method of a campaign the values that the user chose for its knobs; raises BadInput."""
    if not settings.knobs:
        return
    (name,) = settings.methods
    for knob, value in settings.knobs.items():
        for device in settings.devices:
            check(catalogue.methods[name], knob, value, device)
    catalogue.methods[name] = with_knobs(catalogue.methods[name], settings.knobs, settings.devices)
