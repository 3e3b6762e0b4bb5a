"""Runs the rounds of a campaign on the nodes of a cluster: a node measures one whole round of all methods.

A round's job is an ordinary ``pesbench run`` of one round, into a run directory of its own. Parsl's providers speak to
the scheduler; nothing else of Parsl is used. See "Many machines" in ``docs/decisions.md``.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import paths
from bench.errors import BadInput
from bench.machine.provenance import NODE
from bench.paths import SCRATCH
from bench.results import store

ATTEMPTS = 2
"""A round whose job ended early is measured again, once."""
POLL_S = 2.0
SUBMITTED = "cluster.json"
_NAME_NODE = f"export {NODE}=${{SLURMD_NODENAME:-$(hostname -s)}}"
_OVER = {"CANCELLED", "COMPLETED", "FAILED", "TIMEOUT", "MISSING", "SCALED_IN"}
_WAITING = {"PENDING", "HELD", "UNKNOWN"}


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked of the scheduler, and what each job runs."""

    scheduler: str
    nodes: int
    """How many jobs at most wait or run at once."""
    rounds: int
    command: tuple[str, ...]
    """The command line of ``pesbench run``, without the options of a round."""
    partition: str | None = None
    account: str | None = None
    time: str = "02:00:00"
    constraint: str | None = None
    options: tuple[str, ...] = ()
    """Lines for the scheduler, such as ``--qos=debug``."""
    wait_s: float = 3600.0
    """How long a first job may wait before the campaign gives up."""
    scratch: str = ""
    """The folder on a node's own disk, as it was given: its variables get their values on the node."""

    def exports(self) -> list[str]:
        """Return the lines of a job that set variables."""
        if not self.scratch:
            return [_NAME_NODE]
        return [
            _NAME_NODE,
            "# copies go to this folder on the node's own disk; pesbench fills in the variables there",
            f"export {SCRATCH}={shlex.quote(self.scratch)}",
        ]

    def folder(self, directory: Path, number: int) -> Path:
        """Return the folder in which a round's job puts its run."""
        return directory / "nodes" / f"round-{number}"

    def line(self, directory: Path, number: int | str) -> str:
        """Return the command line of a round's job; the number may be a variable of the shell."""
        place = f"{shlex.quote(str(directory))}/nodes/round-{number}"
        return f"{shlex.join(self.command)} --rounds 1 --order {number} --no-page --output {place}"


def _slurm(request: Request) -> Any:
    from parsl.launchers import SimpleLauncher
    from parsl.providers import SlurmProvider

    return SlurmProvider(
        partition=request.partition,
        account=request.account,
        constraint=request.constraint,
        walltime=request.time,
        exclusive=True,
        scheduler_options="\n".join(f"#SBATCH {option}" for option in ("--no-requeue", *request.options)),
        worker_init="\n".join(request.exports()),
        launcher=SimpleLauncher(),
    )


PROVIDERS: Mapping[str, Callable[[Request], Any]] = {"slurm": _slurm}
"""What makes the Parsl provider of each scheduler. Only Slurm has been tried."""


def script(request: Request, directory: Path) -> str:
    """Return a script that a site's people can edit and submit by hand: the same jobs, as an array."""
    lines = [
        "#!/bin/sh",
        "# One job for each round; every job takes a whole node. Submit it with: sbatch FILE",
        paths.told("# When all have ended, 'pesbench merge' joins the run directories in the folders below."),
        "#SBATCH --job-name=pesbench",
        f"#SBATCH --array=0-{request.rounds - 1}%{request.nodes}",
        "#SBATCH --nodes=1",
        "#SBATCH --exclusive",
        f"#SBATCH --time={request.time}",
        *(
            f"#SBATCH --{name}={value}"
            for name in ("partition", "account", "constraint")
            if (value := getattr(request, name))
        ),
        *(f"#SBATCH {option}" for option in request.options),
        "",
        "# the name of the node goes into the run, so that the differences between nodes can be told",
        *request.exports(),
        "",
        request.line(directory, "$SLURM_ARRAY_TASK_ID"),
        "",
    ]
    return "\n".join(lines)


def measured(request: Request, directory: Path) -> dict[int, Path]:
    """Return the finished run directory of each round that has one."""
    found = {}
    for number in range(request.rounds):
        for path in sorted(request.folder(directory, number).glob("*/campaign.json")):
            if not (path.parent / store.UNFINISHED).exists():
                found[number] = path.parent
    return found


PARSL = "parsl>=2024.11"


def _install(requirement: str) -> str:
    """Return the command that installs a package beside pesbench, which comes from a checkout and not from an index."""
    python, wanted = shlex.quote(sys.executable), shlex.quote(requirement)
    if importlib.util.find_spec("pip") is None:  # an environment that uv made
        return f"uv pip install --python {python} {wanted}"
    return f"{python} -m pip install {wanted}"


class Cluster:
    """The jobs of one campaign."""

    def __init__(self, request: Request, directory: Path, say: Callable[[str], None]) -> None:
        self.request = request
        self.directory = directory
        self.say = say
        self.jobs: dict[str, int] = {}
        """The round of each job that has not ended."""
        self.attempts: dict[int, int] = {}
        scripts = directory / "jobs"
        scripts.mkdir(parents=True, exist_ok=True)
        try:
            self.provider = PROVIDERS[request.scheduler](request)
        except ImportError:
            raise BadInput(f"--cluster needs Parsl, which is not here; install it: {_install(PARSL)}.") from None
        self.provider.script_dir = str(scripts)
        (directory / SUBMITTED).write_text(json.dumps(dataclasses.asdict(request), indent=1) + "\n")

    def run(self) -> dict[int, Path]:
        """Measure all rounds that are missing; returns the run directory of each round that was measured.

        Ctrl-C cancels the jobs. Raises BadInput where the scheduler takes no job, or starts none in time.
        """
        done = measured(self.request, self.directory)
        waiting = [number for number in range(self.request.rounds) if number not in done]
        began, started = time.monotonic(), False
        try:
            while waiting or self.jobs:
                while waiting and len(self.jobs) < self.request.nodes:
                    self._submit(waiting.pop(0))
                time.sleep(POLL_S)
                states = self._states()
                started = started or any(state not in _WAITING for state in states.values())
                if not started and time.monotonic() - began > self.request.wait_s:
                    raise BadInput(
                        f"no job has started within {self.request.wait_s:g} s; the scheduler may say why "
                        f"(squeue), and --wait changes the time. Submit them again with: "
                        f"{paths.resume_command(self.directory)}"
                    )
                waiting += [
                    number for job, state in states.items() if state in _OVER for number in self._ended(job, state)
                ]
        finally:
            if self.jobs:
                self.provider.cancel(list(self.jobs))
        return measured(self.request, self.directory)

    def _submit(self, number: int) -> None:
        from parsl.providers.errors import SubmitException

        self.attempts[number] = self.attempts.get(number, 0) + 1
        try:
            job = self.provider.submit(self.request.line(self.directory, number), 1, f"pesbench-round-{number}")
        except SubmitException as error:
            reason = str(getattr(error, "stderr", "") or error).strip().splitlines()
            raise BadInput(f"the scheduler took no job: {reason[-1] if reason else 'it gave no reason'}") from None
        self.jobs[str(job)] = number
        self.say(f"round {number + 1} of {self.request.rounds}: job {job}")

    def _states(self) -> dict[str, str]:
        jobs = list(self.jobs)
        found = self.provider.status(jobs)
        return {job: status.state.name for job, status in zip(jobs, found, strict=True)}

    def _ended(self, job: str, state: str) -> Sequence[int]:
        """Take note of a job that has ended; returns its round where that has to be measured again."""
        number = self.jobs.pop(job)
        if number in measured(self.request, self.directory):
            self.say(f"round {number + 1} is done")
            return ()
        again = self.attempts[number] < ATTEMPTS
        what = "measured again" if again else "missing"
        self.say(f"round {number + 1}: job {job} ended early ({state.lower()}), so the round is {what}")
        return (number,) if again else ()


def request_of(directory: Path) -> Request | None:
    """Return what was asked for in an earlier session; None for a run that belongs to no cluster."""
    path = directory / SUBMITTED
    if not path.exists():
        return None
    try:
        fields = json.loads(path.read_text())
        return Request(**{**fields, "command": tuple(fields["command"]), "options": tuple(fields["options"])})
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"{path} cannot be read; begin a new run.") from None
