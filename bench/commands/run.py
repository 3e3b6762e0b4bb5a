"""The verb that measures: run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import paths
from bench.campaign.plan import default_budgets
from bench.cli import parser
from bench.commands.results import show, show_stability, table_of
from bench.contract.protocol import MD
from bench.contract.settings import MdSettings, Settings
from bench.errors import BadInput
from bench.machine import provenance
from bench.methods.catalogue import Catalogue
from bench.runs.store import AS_BEFORE, settings_from


def run(options: argparse.Namespace) -> int:
    """Run or resume a campaign and print its table; status 1 where nothing could be measured."""
    from bench.campaign.description import methods_of, new_directory
    from bench.campaign.display import progress
    from bench.campaign.runner import Campaign
    from bench.data.structures import load_dataset
    from bench.runs import store

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
    form = "json" if options.json else "terminal"
    if settings.protocols == (MD,):
        show_stability(directory, form)
        measured = any(one.steps for one in store.read(directory).trajectories)
    else:
        table = table_of(directory)
        show(table, form)
        measured = any(row.time for row in table.rows)
    if stopped:
        print(f"pesbench: stopped; go on with 'pesbench run --resume {directory.name}'.", file=sys.stderr)
        return 130
    return 0 if measured else 1


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
    protocols = tuple(dict.fromkeys(options.protocols.split(",")))
    if options.device is None:
        devices = ("cpu", "cuda") if provenance.gpus() else ("cpu",)
    else:
        devices = tuple(dict.fromkeys(options.device.split(",")))
    budgets = (
        {method.name: options.budget for method in methods}
        if hasattr(options, "budget")
        else default_budgets(methods, devices, options.rounds, protocols)
    )
    return Settings(
        methods=tuple(method.name for method in methods),
        devices=devices,
        protocols=protocols,
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
        repeats=not options.no_repeats,
        torch_backend=options.torch_backend,
        weights=options.weights,
        replay_points=options.replay_points,
        md=MdSettings(
            ensembles=tuple(dict.fromkeys(options.ensembles.split(","))),
            duration_ps=options.duration,
            nvt_duration_ps=options.nvt_duration,
            time_step_fs=options.time_step,
            temperature_k=options.temperature,
            seeds=5 if options.limit is None else min(options.limit, 5),
        ),
        checkpoint=str(options.checkpoint.resolve()) if options.checkpoint else None,
        trust=options.trust_checkpoint,
        pythons=_pythons(options.python, catalogue),
    )


def _pythons(pairs: Sequence[str], catalogue: Catalogue) -> dict[str, str]:
    """Return the interpreters that METHOD=PATH pairs name."""
    found = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        if not equals or not Path(path).expanduser().is_file():
            raise BadInput(f"--python {pair}: give METHOD=PATH with the path of an interpreter.")
        found[catalogue.select(name)[0].name] = str(Path(path).expanduser().absolute())
    return found
