"""Prepares a method for measuring: checks that it can run here, chooses weights, makes its environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from bench import paths
from bench.core.description import ParallelSpeed, ScratchFacts
from bench.core.device import Device
from bench.core.failure import Failure
from bench.core.settings import Settings
from bench.data.structures import DataSet
from bench.engine.conversion import NotConverted, converted
from bench.engine.copies import Copies
from bench.engine.coverage import LeftOut, left_out, takes_none
from bench.engine.plan import protocols
from bench.engine.random_weights import build
from bench.engine.tasks import Prepared
from bench.environments import environments, interpreters
from bench.environments.catalogue import Catalogue
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.doctor import obstacle
from bench.environments.environments import Environment
from bench.environments.header import Header, Method
from bench.environments.optimizers import prepared
from bench.environments.uv import EnvironmentFailed
from bench.environments.weights import Weights, choose
from bench.errors import BadInput
from bench.protocols import PROTOCOLS, phases

ONLY_RANDOM = "it has only random weights, whose energies mean nothing"


class Ready:
    """Prepares the methods of a campaign; weights are chosen once.

    `dataset` has the structures to measure, or is None where they do not matter.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        dataset: DataSet | None,
        parallel: ParallelSpeed | None,
        say: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.dataset = dataset
        self.parallel = parallel
        self.say = say
        self._begun_with: dict[str, str] = {}
        self._weights: dict[str, Weights] = {}
        self._copies = Copies(say)
        self._said: set[str] = set()

    def resume(self, weights: dict[str, str]) -> None:
        """Keep the kind of weights with which each method of a run began, and make copies for the rest of it."""
        self._begun_with = weights
        self.copy()

    def copy(self) -> ScratchFacts | None:
        """Copy what the campaign needs to the machine's own disk; returns what the run says about it.

        It is done before the first round, so that the disk is at rest while something is measured. Does nothing where
        PESBENCH_SCRATCH is not set.
        """
        if paths.scratch_dir() is None:
            return None
        found = [
            self.of(self.catalogue.methods[name], device)
            for device in self.settings.devices
            for name in self.settings.methods
        ]
        return self._copies.make([one for one in found if isinstance(one, Prepared)])

    def of(self, method: Method, device: str) -> Prepared | Failure:
        """Return a method with its environment and weights, or why it cannot be measured here."""
        header = self.catalogue.header(method)
        failure = obstacle(method, header, Device.parse(device), periodic=self.settings.periodic)
        if failure is None and self.dataset is not None:
            failure = takes_none(method, self.dataset, self.settings.relax_cell)
        if failure is not None:
            return failure
        try:
            chosen = self._weights.get(method.name) or self._choose(method)
            if not protocols(self.settings, chosen.mode):  # before anything is made for it
                self._weights[method.name] = chosen
                return Failure("no-weights", ONLY_RANDOM)
            environment = environment_of(method, header, self.settings, device, self._say_once)
            if method.name not in self._weights:
                chosen = self._made(chosen, method, header, environment, device)
                self._weights[method.name] = chosen
                self._tell(method, chosen)
        except CheckpointMissing as error:
            return Failure("conversion" if isinstance(error, NotConverted) else "no-weights", str(error))
        except EnvironmentFailed as error:
            return Failure("environment", str(error))
        except OSError as error:  # a folder of pesbench's own is full or read-only; other methods may need none
            return Failure("environment", f"{error.filename or 'a file'}: {error.strerror}")
        out = LeftOut()
        if self.dataset is not None:
            out = left_out(method, self.dataset, self.settings.sizes, self.settings.relax_cell)
        named = dict.fromkeys([self.settings.optimizer, *self.settings.optimizers])
        optimizers = prepared(tuple(named), self._say_once)
        return self._copies.of(Prepared(method, header, device, environment, chosen, out, optimizers))

    def _made(self, chosen: Weights, method: Method, header: Header, environment: Environment, device: str) -> Weights:
        """Return weights with the file that the method reads: a random checkpoint is built, an engine's converted."""
        reference = self.catalogue.methods.get(method.engine_of, method)
        theirs = self.catalogue.header(reference)
        if chosen.mode == "random":
            if reference is not method:
                environment = environment_of(reference, theirs, self.settings, device, self._say_once)
            chosen = build(chosen, reference, theirs, environment, self.settings, self.parallel, self.say)
        if header.conversion is None:
            return chosen
        return converted(chosen, method, header, theirs, self.settings.torch_backend, self.say)

    def _say_once(self, line: str) -> None:
        """Say a line, unless it was said in an earlier round."""
        if line not in self._said:
            self._said.add(line)
            self.say(line)

    def or_refuse(self, method: Method, device: str) -> Prepared:
        """Return a method with its environment and weights; raises BadInput where it cannot run here."""
        found = self.of(method, device)
        if isinstance(found, Failure):
            why = found.message.rstrip(".")
            if self.dataset is not None and takes_none(method, self.dataset, self.settings.relax_cell) == found:
                raise BadInput(f"{method.name} cannot take {self.dataset.name}: {why}; --structures takes others.")
            raise BadInput(f"{method.name} cannot run here: {why}.")
        return found

    def _tell(self, method: Method, chosen: Weights) -> None:
        if chosen.mode == "random":
            self.say(f"{method.name}: random weights. {chosen.reason}".rstrip())
            has = phases(protocols(self.settings, chosen.mode))
            told = {*has, *self.settings.phase_s}  # nobody asked for what a run adds by itself
            lacks = [name for name in self.settings.protocols if PROTOCOLS[name].phase not in told]
            if lacks:
                self.say(f"{method.name}: not measured by {', '.join(lacks)}: {ONLY_RANDOM}")

    def _choose(self, method: Method) -> Weights:
        """Return the weights of a method; a resumed run keeps those it began with."""
        begun = self._begun_with.get(method.name, "none")
        settings = self.settings if begun == "none" else dataclasses.replace(self.settings, weights=begun)
        return choose(method, settings, self.say)


def environment_of(
    method: Method,
    header: Header,
    settings: Settings,
    device: str,
    say: Callable[[str], None] = lambda line: None,
    until: float | None = None,
) -> Environment:
    """Return the environment of a method: the user's interpreter, or ours; raises EnvironmentFailed.

    One that is not made by `until`, a reading of time.monotonic(), fails.
    """
    brought = settings.pythons.get(method.name)
    if brought is not None:
        environment = environments.bring(header, Path(brought))
    else:
        base = interpreters.chosen(settings.on_top_of)
        brought = str(base.python) if base else None
        environment = environments.prepare(header, device, settings.torch_backend, say, until, base)
    for difference in environment.differences or ():
        say(f"{method.name}: {brought} has {difference}")
    return environment
