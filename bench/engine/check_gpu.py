"""Checks methods on a device in a few minutes: environment, conformance, a few rows, and what to change on a failure.

The time is divided over the methods, the smallest environment first; what does not fit in is told.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

from bench.core.device import is_accelerator
from bench.core.failure import Failure
from bench.core.message import Check
from bench.core.records import NotMeasured
from bench.engine.conform import conform
from bench.engine.ready import environment_of
from bench.engine.runner import Campaign
from bench.environments import environments
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.environments.uv import EnvironmentFailed

LEAST_SECONDS = 10.0
"""With less, no further method is begun."""
NO_TIME = Failure("no-time", "the time was over before its turn")


@dataclasses.dataclass
class Checked:
    """What was found out about one method."""

    method: str
    environment_bytes: int | None = None
    """Of its installed environment; None where it has none, or the user brought one."""
    checks: list[Check] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    failure: Failure | None = None
    """Why nothing was measured, as far as the harness knows before it measures."""


def cheapest_first(catalogue: Catalogue, methods: Sequence[Method]) -> list[Method]:
    """Return the methods by the size of their environments, then by memory; those of one environment together."""
    return sorted(
        methods, key=lambda one: (catalogue.header(one).download_mb, str(one.adapter), one.memory_mb, one.name)
    )


def check(
    campaign: Campaign,
    device: str,
    end: float,
    tell: Callable[[Checked], None],
) -> list[Checked]:
    """Check the methods of a campaign that has begun, until `end` (of time.monotonic), and measure one round of each.

    `tell` gets each method when it is done. The records are in the run directory of the campaign.
    """
    found = []
    names = campaign.settings.methods
    for position, name in enumerate(names):
        left = end - time.monotonic()
        one = Checked(name)
        found.append(one)
        if left < LEAST_SECONDS:
            one.failure = NO_TIME
            campaign.writer.append(NotMeasured(name, device, 0, NO_TIME))
        else:
            began = time.monotonic()
            # a cheap method leaves the rest of its share to those after it; one may use twice its share
            _one(campaign, one, device, began + min(left, 2 * left / (len(names) - position)))
            one.seconds = time.monotonic() - began
        tell(one)
    return found


def _one(campaign: Campaign, one: Checked, device: str, until: float) -> None:
    """Prepare, check and measure one method; nothing goes without the environment."""
    catalogue, settings, say = campaign.catalogue, campaign.settings, campaign.progress.say
    method = catalogue.methods[one.method]
    header = catalogue.header(method)
    if one.method not in settings.pythons and device.partition(":")[0] in method.devices:
        try:
            made = environment_of(method, header, settings, device, say, until)
            one.environment_bytes = environments.size(made)
        except EnvironmentFailed as error:
            one.failure = Failure("environment", str(error))
            campaign.writer.append(NotMeasured(one.method, device, 0, one.failure))
            return
    left = max(until - time.monotonic(), 1.0)
    one.checks = conform(
        catalogue, method, campaign.dataset, settings, device, campaign.parallel, say, limit_s=0.6 * left
    )
    campaign.structures([(method.name, device)], 0)
    campaign.later_phases(method, device, 0)


def what_is_there(catalogue: Catalogue, device: str, named: str | None) -> list[Method]:
    """Return the methods to check: those that are named, or all default ones that run on such a device."""
    kind = device.partition(":")[0]
    methods = catalogue.select(named)
    if named is None:
        methods = [one for one in methods if kind in one.devices and not (is_accelerator(kind) and one.kind == "dft")]
    return cheapest_first(catalogue, methods)
