"""``run --cluster``: the rounds of a run as jobs of a cluster, joined into one run at the end."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands import _declared, _results
from bench.commands._groups import Cluster
from bench.commands._output import to_stderr
from bench.commands._planning import Planned
from bench.commands._values import Budget
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.engine.cluster import Request

_OF_A_CLUSTER = {field.name for field in dataclasses.fields(Cluster)} - {"cluster"}
_OF_THE_FRONT = (
    *("cluster", *_OF_A_CLUSTER),
    *("methods", "threads", "rounds", "budget", "order", "output", "resume", "format", "name", "checkpoint"),
)
"""Options that a round's job does not take, or takes with other values."""


def refuse_alone(options: Any) -> None:
    """Raise BadInput for an option of a cluster where none is named."""
    for field in _declared.changed(options):
        if field.name in _OF_A_CLUSTER:
            option = _declared.flag(field.name)
            raise BadInput(f"{option} belongs to --cluster; name the scheduler, such as slurm.")


def run(options: Any, plan: Planned) -> int:
    """Submit the rounds of a plan, wait for them and join them; with --dry-run only print the script."""
    from bench.engine import cluster
    from bench.engine.ready import Ready

    if options.name is not None:
        raise BadInput(
            "--name has nothing to name until the rounds are joined; then 'pesbench runs name RUN aspirin' does."
        )
    request = _request(options, plan)
    if options.dry_run:
        print(cluster.script(request, plan.directory.resolve()), end="")
        return 0
    ready = Ready(plan.settings, plan.catalogue, plan.dataset, plan.parallel, to_stderr)
    for name in plan.settings.methods:  # once, here, where there may be a network
        for device in plan.settings.devices:
            ready.of(plan.catalogue.methods[name], device)
    return _submit(request, plan.directory)


def resume(directory: Path) -> int:
    """Submit the rounds that an earlier session did not get."""
    from bench.engine.cluster import request_of

    request = request_of(directory)
    assert request is not None
    return _submit(request, directory)


def begun(run: str, results: Path | None) -> Path | None:
    """Return the directory of a run that was submitted to a cluster; None for any other run."""
    from bench import paths
    from bench.engine.cluster import SUBMITTED

    places = (Path(run), (results or paths.results_dir()) / run)
    return next((place for place in places if (place / SUBMITTED).is_file()), None)


def _submit(request: Request, directory: Path) -> int:
    from bench import paths
    from bench.engine.cluster import Cluster
    from bench.results import merging

    directory = directory.resolve()
    to_stderr(f"run {directory.name}: {request.rounds} rounds on at most {request.nodes} nodes of {request.scheduler}")
    try:
        done = Cluster(request, directory, to_stderr).run()
    except KeyboardInterrupt:
        command = paths.resume_command(directory)
        print(f"pesbench: stopped, and the jobs are cancelled; continue with: {command}", file=sys.stderr)
        return 130
    missing = [number + 1 for number in range(request.rounds) if number not in done]
    if not done:
        to_stderr(f"pesbench: no round was measured; the logs are in {directory / 'jobs'}")
        return 1
    if missing:
        to_stderr(
            f"pesbench: missing: round {', '.join(map(str, missing))} of {request.rounds}; "
            f"submit what is missing with: {paths.resume_command(directory)}"
        )
    (directory / "campaign.json").unlink(missing_ok=True)  # of an earlier session with fewer rounds
    for line in merging.merge([done[number] for number in sorted(done)], directory):
        to_stderr(f"pesbench: {line}")
    return _results.finish(directory)


def _request(options: Any, plan: Planned) -> Request:
    from bench import paths
    from bench.engine.cluster import PROVIDERS, Request
    from bench.results.merging import MERGED

    settings = plan.settings
    if options.cluster not in PROVIDERS:
        raise BadInput(f"there is no cluster {options.cluster!r}; use {', '.join(PROVIDERS)}.")
    others = [name for name in settings.protocols if name not in MERGED]
    if others:
        raise BadInput(
            f"--cluster distributes rounds, and {', '.join(others)} has none to share; use {', '.join(MERGED)}."
        )
    nodes = settings.rounds if options.nodes is None else options.nodes
    if nodes < 1:
        raise BadInput("--nodes must be at least 1.")
    paths.scratch_dir()  # a relative path is refused here, and not on each node
    methods = ",".join(plan.catalogue.methods[name].typed for name in settings.methods)
    words = [sys.executable, "-m", "bench.cli", "run", "--methods", methods]
    words += ["--threads", str(settings.threads), *_words(options)]
    if isinstance(options.budget, Budget):
        seconds = options.budget.seconds
        words += ["--budget", "none" if seconds is None else f"{seconds / settings.rounds:g}"]
    return Request(
        scheduler=options.cluster,
        nodes=min(nodes, settings.rounds),
        rounds=settings.rounds,
        command=tuple(words),
        partition=options.partition,
        account=options.account,
        time=options.time,
        constraint=options.constraint,
        options=tuple(options.cluster_option),
        wait_s=options.wait,
        scratch=os.environ.get(paths.SCRATCH, ""),
    )


def _words(options: Any) -> list[str]:
    """Return the options of a run as words of a command line: what is not at its default."""
    from bench.data.structures import DATA_SETS

    words: list[str] = []
    for field in _declared.changed(options):
        if field.name in _OF_THE_FRONT:
            continue
        name, value = _declared.flag(field.name), getattr(options, field.name)
        if value is True:
            words.append(name)
        elif isinstance(value, tuple) and _declared.declared(field).commas:
            words += [name, ",".join(value)]
        else:
            for one in value if isinstance(value, tuple) else (value,):
                # a job may start in another folder
                is_file = isinstance(one, Path) or (field.name == "structures" and one not in DATA_SETS)
                words += [name, os.path.abspath(one) if is_file else str(one)]  # noqa: PTH100 (it may be a pattern)
    return words
