"""What a method needs before it can be measured: nothing in its way, weights, an environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from bench.contract.failure import Failure
from bench.contract.protocol import MD
from bench.contract.settings import Settings
from bench.methods import checkpoints, weights
from bench.methods.catalogue import Catalogue
from bench.methods.doctor import obstacle
from bench.methods.environments import Environment, EnvironmentFailed
from bench.methods.header import Method
from bench.methods.weights import Weights

NOT_SIMULATED = "there are only random weights for it, and what those hold together is no molecule"


class Ready:
    """Makes the methods of a campaign ready; weights are chosen once, and `begun_with` are those of a resumed run."""

    def __init__(self, settings: Settings, catalogue: Catalogue, symbols: set[str], say: Callable[[str], None]) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.symbols = symbols
        self.say = say
        self.begun_with: dict[str, str] = {}
        self._weights: dict[str, Weights] = {}

    def of(self, method: Method, device: str) -> tuple[Environment, Weights] | Failure:
        """Return environment and weights of a method, or why it cannot be measured here."""
        header = self.catalogue.header(method)
        failure = obstacle(method, header, device, self.symbols)
        if failure is not None:
            return failure
        try:
            chosen = self._weights.get(method.name) or self._choose(method)
            environment = weights.environment_of(method, header, self.settings, device, self.say)
            if method.name not in self._weights:
                chosen = weights.build(chosen, method, header, environment, self.settings, self.say)
                self._weights[method.name] = chosen
                self._tell(method, chosen)
        except checkpoints.CheckpointMissing as error:
            return Failure("no-weights", str(error))
        except EnvironmentFailed as error:
            return Failure("environment", str(error))
        if chosen.mode == "random" and self.settings.protocols == (MD,):
            return Failure("no-weights", NOT_SIMULATED)
        return environment, chosen

    def _tell(self, method: Method, chosen: Weights) -> None:
        if chosen.mode == "random":
            self.say(f"{method.name}: random weights. {chosen.reason}".rstrip())
            if MD in self.settings.protocols and self.settings.protocols != (MD,):
                self.say(f"{method.name}: not simulated: {NOT_SIMULATED}")

    def _choose(self, method: Method) -> Weights:
        """Return the weights of a method; a resumed run goes on with those it began with."""
        begun = self.begun_with.get(method.name, "none")
        settings = self.settings if begun == "none" else dataclasses.replace(self.settings, weights=begun)
        return weights.choose(method, settings, self.say)
