"""The verbs that get things ready: list, doctor, prepare, env."""

from __future__ import annotations

import argparse
from typing import Any

from rich.padding import Padding
from rich.text import Text

from bench.commands.output import out, plain_table, print_json
from bench.contract.settings import Settings
from bench.errors import BadInput
from bench.methods import doctor as diagnosis
from bench.methods import environments
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method


def list_methods(options: argparse.Namespace) -> int:
    """Print the methods."""
    catalogue = Catalogue(options.adapter)
    methods = catalogue.select("all")
    if options.json:
        return print_json([_facts(method) for method in methods])
    table = plain_table("method", "what it is", "kind", "parameters", "devices", "licence of the weights")
    for method in methods:
        table.add_row(
            method.name if method.default else f"{method.name} *",
            method.label,
            method.kind,
            f"{method.parameters:,}" if method.parameters else "-",
            " ".join(method.devices),
            method.checkpoint.licence if method.checkpoint else "-",
        )
    out().print(table)
    out().print("* measured only when named with --methods")
    return 0


def _facts(method: Method) -> dict[str, Any]:
    return {
        "method": method.name,
        "label": method.label,
        "kind": method.kind,
        "parameters": method.parameters,
        "devices": method.devices,
        "licence": method.checkpoint.licence if method.checkpoint else None,
        "default": method.default,
        "note": method.note,
    }


def doctor(options: argparse.Namespace) -> int:
    """Print what can run here and what stands in the way of the rest."""
    Settings(methods=(), devices=(options.device,))  # refuses a device that there is not
    findings = diagnosis.examine(Catalogue(options.adapter), options.device)
    machine = diagnosis.surroundings()
    if options.json:
        return print_json({"machine": machine, "methods": findings})
    memory, disk = machine["free_memory_bytes"] / 1e9, machine["free_disk_bytes"] / 1e9
    parallel = machine["parallel_speed"]
    console = out()
    console.print(
        f"{machine['cpu']}, {machine['usable_cores']} cores, {', '.join(machine['gpus']) or 'no GPU'}; "
        f"free: {memory:.0f} GB of memory, {disk:.0f} GB of disk"
    )
    console.print(
        f"{parallel['threads']} processes at once do {parallel['speed']} times the work of one: "
        f"'run' uses {machine['default_threads']} thread(s) unless told otherwise"
    )
    width = max(len(finding["method"]) for finding in findings)
    for finding in findings:
        console.print(f"{finding['method']:<{width}}  {finding['state']:<10}  {finding['weights']}")
        if finding["reason"]:
            console.print(Padding(Text(finding["reason"], style="dim", overflow="fold"), (0, 0, 0, 4)))
    return 0


def prepare(options: argparse.Namespace) -> int:
    """Make environments and checkpoints; status 1 where one of them could not be had."""
    from bench.methods import weights

    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(",".join(options.methods) or None)
    settings = Settings(
        methods=tuple(method.name for method in methods),
        devices=(options.device,),
        weights=options.weights,
        trust=options.trust_checkpoint,
        torch_backend=options.torch_backend,
    )
    missing = 0
    for method in methods:

        def say(line: str, name: str = method.name) -> None:
            print(f"{name}: {line} ...", flush=True)

        try:
            _, chosen = weights.ready(method, catalogue.header(method), settings, options.device, say)
            reason = f". {chosen.reason}" if chosen.reason else ""
            print(f"{method.name}: ready, weights: {chosen.mode}{reason}")
        except BadInput as error:
            print(f"{method.name}: not ready. {error}")
            missing += 1
    return 1 if missing else 0


def env(options: argparse.Namespace) -> int:
    """List or remove environments."""
    found = environments.listing(Catalogue(options.adapter).headers)
    if options.remove:
        names = {entry["name"] for entry in found}
        stale = {entry["name"] for entry in found if entry["stale"]}
        for wanted in options.remove:
            chosen = names if wanted == "all" else stale if wanted == "stale" else {wanted}
            if not chosen <= names:
                raise BadInput(f"there is no environment {wanted!r}; 'pesbench env' lists them.")
            for name in sorted(chosen):
                environments.remove(name)
                print(f"removed {name}")
        return 0
    if options.json:
        return print_json(found)
    listing = plain_table("environment", "family", "device", "size", "")
    for entry in found:
        size = f"{entry['bytes'] / 1e9:.2f} GB"
        listing.add_row(entry["name"], entry["family"], entry["device"], size, "stale" if entry["stale"] else "")
    out().print(listing if found else "no environment is made yet; 'pesbench prepare' makes them.")
    return 0
