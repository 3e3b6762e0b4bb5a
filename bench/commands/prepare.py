"""The verb ``prepare``: fetches and builds everything a run needs, so that the run needs no network."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.commands import _declared, _options, _values
from bench.commands._declared import word
from bench.core.settings import Settings
from bench.errors import BadInput

HELP = """\
Make methods' environments and fetch their checkpoints.
Random weights are built where no checkpoint is available. After that a run
needs no network. Exit status: 1 if one of the methods is not ready."""
EXAMPLES = ("pesbench prepare 7net-0 nequix-mp-1", "pesbench prepare pet-mad-1.5-s --trust-checkpoint")


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    methods: tuple[str, ...] = word("default: the methods that 'run' measures by default", "METHOD", (), nargs="*")
    """Empty: the methods that are measured by default."""
    device: str = _options.device()
    torch_backend: str | None = _options.torch_backend()
    on_top_of: str | None = _options.on_top_of()
    weights: str = _options.weights()
    trust_checkpoint: bool = _options.trust_checkpoint()
    adapter: tuple[Path, ...] = _options.adapter()


def run(options: Options) -> int:
    """Prepare environments and checkpoints; status 1 where one of them is missing in the end."""
    from bench.engine.ready import Ready
    from bench.environments.catalogue import Catalogue
    from bench.machine.cores import measure_parallel_speed

    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(",".join(options.methods) or None)
    settings = Settings(
        methods=tuple(method.name for method in methods),
        devices=(options.device,),
        on_top_of=_values.on_top_of(options.on_top_of),
        **_declared.settings(options, Settings),
    )
    parallel = measure_parallel_speed(settings.threads)
    missing = 0
    for method in methods:

        def say(line: str, name: str = method.name) -> None:
            # some lines name their method already
            print(line if line.startswith(f"{name}:") else f"{name}: {line} ...", flush=True)

        try:
            chosen = Ready(settings, catalogue, None, parallel, say).or_refuse(method, options.device).weights
            print(f"{method.name}: ready, weights: {chosen.mode}")
        except BadInput as error:
            print(f"{method.name}: not ready. {error}")
            missing += 1
    return 1 if missing else 0
