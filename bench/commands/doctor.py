"""The verb ``doctor``: which methods can run here, and why the others cannot."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from bench.commands import _options, _output
from bench.core.device import Device

HELP = """\
Report for every method whether it can run here and, if not, why.
It imports no model and fetches nothing."""
EXAMPLES = ("pesbench doctor", "pesbench doctor --device cuda")


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    device: str = _options.device()
    adapter: tuple[Path, ...] = _options.adapter()
    json: bool = _options.json("the findings")


def run(options: Options) -> int:
    """Print which methods can run here, and why the others cannot."""
    from bench.environments import doctor
    from bench.environments.catalogue import Catalogue

    Device.parse(options.device)  # bad input is refused before the machine is examined
    findings = doctor.examine(Catalogue(options.adapter), options.device)
    machine = doctor.surroundings()
    if options.json:
        _output.print_json({"machine": machine, "methods": findings})
        return 0
    _print_machine(machine)
    _print_findings(findings)
    return 0


def _print_machine(machine: dict[str, Any]) -> None:
    memory, disk = machine["free_memory_bytes"] / 1e9, machine["free_disk_bytes"] / 1e9
    parallel = machine["parallel_speed"]
    console = _output.out()
    console.print(
        f"{machine['cpu']}, {machine['usable_cores']} cores, {', '.join(machine['gpus']) or 'no GPU'}; "
        f"free: {memory:.0f} GB of memory, {disk:.0f} GB of disk"
    )
    threads = machine["default_threads"]
    console.print(
        f"{parallel['threads']} processes at once do {parallel['speed']} times the work of one: "
        f"'run' uses {threads} thread{'s' if threads != 1 else ''} unless --threads says otherwise"
    )
    for device, counter in machine["energy"].items():
        label = Device.parse(device).label
        if counter["missing"]:
            console.print(f"no joules on the {label}: {counter['missing']}")
        else:
            console.print(f"joules on the {label}: by the counters of {', '.join(counter['names'])}")


def _print_findings(findings: list[dict[str, Any]]) -> None:
    width = max(len(finding["method"]) for finding in findings)
    for finding in findings:
        print(f"{finding['method']:<{width}}  {finding['state']:<10}  {finding['weights']}")
        if finding["reason"]:
            _output.print_below(finding["reason"])
