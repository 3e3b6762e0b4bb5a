"""What the verbs of the command line do, each in a few calls to the rest of the house.

Imports that take long (pandas, SciPy, matplotlib) are made where they are needed, so that a short answer and a
refusal come at once.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table as RichTable

from bench import doctor as diagnosis
from bench import paths, provenance
from bench.adapter import Method
from bench.campaign import checkpoints, environments
from bench.campaign.plan import AS_BEFORE, Settings, default_budgets, settings_from
from bench.catalogue import Catalogue
from bench.cli import parser
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.table import Table


def list_methods(options: argparse.Namespace) -> int:
    """Print the methods."""
    catalogue = Catalogue(options.adapter)
    methods = catalogue.select("all")
    if options.json:
        return _print_json([_facts(method) for method in methods])
    table = _plain_table("method", "what it is", "kind", "parameters", "devices", "licence of the weights")
    for method in methods:
        table.add_row(
            method.name if method.default else f"{method.name} *",
            method.label,
            method.kind,
            f"{method.parameters:,}" if method.parameters else "-",
            " ".join(method.devices),
            method.checkpoint.licence if method.checkpoint else "-",
        )
    _out().print(table)
    _out().print("* measured only when named with --methods")
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
        return _print_json({"machine": machine, "methods": findings})
    memory, disk = machine["free_memory_bytes"] / 1e9, machine["free_disk_bytes"] / 1e9
    parallel = machine["parallel_speed"]
    out = _out()
    out.print(
        f"{machine['cpu']}, {machine['usable_cores']} cores, {', '.join(machine['gpus']) or 'no GPU'}; "
        f"free: {memory:.0f} GB of memory, {disk:.0f} GB of disk"
    )
    out.print(
        f"{parallel['threads']} processes at once do {parallel['speed']} times the work of one: "
        f"'run' uses {machine['default_threads']} thread(s) unless told otherwise"
    )
    table = _plain_table("method", "state", "why")
    for finding in findings:
        table.add_row(finding["method"], finding["state"], finding["reason"])
    out.print(table)
    return 0


def prepare(options: argparse.Namespace) -> int:
    """Make environments and fetch checkpoints; status 1 where one of them could not be had."""
    Settings(methods=(), devices=(options.device,))
    catalogue = Catalogue(options.adapter)
    missing = 0
    for method in catalogue.select(",".join(options.methods) or None):
        header = catalogue.header(method)
        failure = diagnosis.obstacle(method, header, options.device)
        reason = failure.message if failure else _prepared(method, catalogue, options)
        print(f"{method.name}: {reason or 'ready'}")
        missing += bool(reason)
    return 1 if missing else 0


def _prepared(method: Method, catalogue: Catalogue, options: argparse.Namespace) -> str | None:
    def say(line: str) -> None:
        print(f"{method.name}: {line} ...", flush=True)

    try:
        checkpoints.prepare(method, say)
        environments.prepare(catalogue.header(method), options.device, options.torch_backend, say)
    except (checkpoints.CheckpointMissing, environments.EnvironmentFailed) as error:
        return str(error)
    return None


def run(options: argparse.Namespace) -> int:
    """Run or resume a campaign and print its table; status 1 where nothing could be measured."""
    from bench import store
    from bench.campaign.runner import Campaign, methods_of, new_directory
    from bench.progress import progress
    from bench.structures import load_dataset

    paths.weights_dir()  # refuses a folder that is not there before anything is written
    if options.resume is None:
        catalogue = Catalogue(options.adapter)
        parallel = provenance.measure_parallel_speed()
        settings = _settings(options, catalogue, parallel)
        dataset = load_dataset(options.structures)
        directory = new_directory(options.output)
    else:
        _refuse_changes(options)
        directory = store.find(options.resume, options.output)
        stored = store.read(directory).campaign
        extra = [*map(Path, stored["extra_adapters"]), *(path.resolve() for path in options.adapter)]
        catalogue = Catalogue(dict.fromkeys(extra))
        dataset = store.stored_dataset(directory, stored)
        parallel = stored["machine"]["parallel_speed"]
        methods_of(catalogue, stored["settings"]["methods"])
        settings = settings_from(stored["settings"], getattr(options, "budget", AS_BEFORE))
    with progress(settings) as display:
        campaign = Campaign(directory, settings, catalogue, dataset, display, parallel)
        campaign.begin() if options.resume is None else campaign.resume()
        display.say(
            f"run {directory.name}: {len(settings.methods)} methods, {dataset.name}, {settings.threads} thread(s)"
        )
        stopped = False
        try:
            campaign.run()
        except KeyboardInterrupt:
            stopped = True
    table = _table_of(directory)
    _show(table, "json" if options.json else "terminal")
    if stopped:
        print(f"pesbench: stopped; go on with 'pesbench run --resume {directory.name}'.", file=sys.stderr)
        return 130
    return 0 if any(row.ms_per_step for row in table.rows) else 1


def _refuse_changes(options: argparse.Namespace) -> None:
    """Refuse options that a resumed run would have to pass over."""
    plain = vars(parser().parse_args(["run"]))
    may_change = {"resume", "budget", "output", "json", "adapter"}
    for name, value in vars(options).items():
        if name not in may_change and value != plain[name]:
            option = "--" + name.replace("_", "-")
            raise BadInput(f"a resumed run goes on as it was planned; leave out {option}, or start a new run.")


def _settings(options: argparse.Namespace, catalogue: Catalogue, parallel: dict[str, Any]) -> Settings:
    methods = catalogue.select(options.methods)
    if options.device is None:
        devices = ("cpu", "cuda") if provenance.gpus() else ("cpu",)
    else:
        devices = tuple(dict.fromkeys(options.device.split(",")))
    budgets = (
        {method.name: options.budget for method in methods}
        if hasattr(options, "budget")
        else default_budgets(methods, devices)
    )
    return Settings(
        methods=tuple(method.name for method in methods),
        devices=devices,
        protocols=tuple(options.protocols.split(",")),
        optimizer=options.optimizer,
        fmax=options.fmax,
        max_steps=options.max_steps,
        threads=options.threads if options.threads is not None else provenance.default_threads(parallel),
        rounds=options.rounds,
        budget_s=budgets,
        timeout_s=options.timeout,
        memory_limit_bytes=int(options.memory_limit * 1e9) if options.memory_limit is not None else None,
        seed=options.seed,
        limit=options.limit,
        torch_backend=options.torch_backend,
    )


def table(options: argparse.Namespace) -> int:
    """Print a table."""
    _show(_table_of(options.run), options.format)
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draw a figure."""
    from bench import store
    from bench.report.figure import plot

    table = _table_of(options.run)
    if options.output is not None:
        stem = options.output
    elif options.run == "paper":
        stem = Path("ms-per-step-paper")
    else:
        stem = store.find(options.run) / "ms-per-step"
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for path in plot(table, stem):
            print(path)
    except OSError as error:
        raise BadInput(f"cannot write {stem}: {error.strerror}; choose another place with --output.") from None
    return 0


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
        return _print_json(found)
    listing = _plain_table("environment", "family", "device", "size", "")
    for entry in found:
        size = f"{entry['bytes'] / 1e9:.2f} GB"
        listing.add_row(entry["name"], entry["family"], entry["device"], size, "stale" if entry["stale"] else "")
    _out().print(listing if found else "no environment is made yet; 'pesbench prepare' makes them.")
    return 0


def _table_of(run: str | Path | None) -> Table:
    from bench import store
    from bench.analysis.statistics import FEWEST
    from bench.analysis.summary import summarise
    from bench.report import paper

    if run == "paper":
        return paper.table()
    loaded = store.load(run)
    measured = loaded.structures.groupby(["method", "device"]).structure.nunique()
    # steps are looked at only for a method with too few structures for an interval over those
    steps = loaded.steps if (measured < FEWEST).any() else None
    return summarise(loaded.campaign, loaded.methods, loaded.structures, steps, paper=paper.read())


def _show(table: Table, form: str) -> None:
    from bench.report.tables import render

    sys.stdout.write(render(table, form, color=sys.stdout.isatty()).rstrip("\n") + "\n")
    sys.stdout.flush()


def _print_json(value: Any) -> int:
    print(json.dumps(value, indent=1))
    return 0


def _plain_table(*columns: str) -> RichTable:
    made = RichTable(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def _out() -> Console:
    return Console(highlight=False)


def overhead(options: argparse.Namespace) -> int:
    """Print what the harness adds to a step."""
    import dataclasses

    from bench.analysis.overhead import summarise as overhead_of
    from bench.campaign.overhead import measure
    from bench.report.numbers import with_interval
    from bench.structures import load_dataset

    catalogue = Catalogue(options.adapter)
    parallel = provenance.measure_parallel_speed()
    pairs = measure(
        catalogue,
        catalogue.select(options.methods),
        load_dataset(options.structures),
        options.limit,
        options.threads,
        parallel,
    )
    found = [overhead_of(method, measured) for method, measured in pairs.items()]
    if options.json:
        return _print_json([dataclasses.asdict(entry) for entry in found])
    shown = _plain_table("method", "bare ms/step", "harness / bare", "added us/step", "of it bookkeeping")
    for entry in found:
        shown.add_row(
            entry.method,
            f"{entry.bare_ms_per_step:.3g}",
            with_interval(entry.ratio),
            with_interval(entry.added_us_per_step),
            f"{entry.bookkeeping_us_per_step:.1f}",
        )
    _out().print(shown)
    _out().print(
        "intervals: 95 % BCa bootstrap over structures, paired; one process a method, bare and harness in turn"
    )
    return 0


VERBS = {
    "list": list_methods,
    "doctor": doctor,
    "prepare": prepare,
    "run": run,
    "table": table,
    "plot": plot,
    "env": env,
    "overhead": overhead,
}
