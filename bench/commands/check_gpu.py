"""The verb ``check-gpu``: what runs on the GPU of this machine, and what to change where something does not."""

from __future__ import annotations

import dataclasses
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import paths
from bench.commands import _declared, _options, _output, _values
from bench.commands._declared import option, word
from bench.core.device import DEVICES, Device
from bench.core.protocol import RELAX, REPLAY
from bench.core.settings import Settings
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.engine.check_gpu import Checked
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method

HELP = """\
Try the methods on the GPU of this machine, in a few minutes.
For each: its environment, the conformance checks, the real precision of its
matrix products, and a few relaxed and replayed structures; what did not fit
into the time is listed. It writes a run directory with a log that says for each
failure what to change. Exit status: 1 where nothing could be measured."""
EXAMPLES = (
    "pesbench check-gpu",
    "pesbench check-gpu --minutes 4 7net-0 so3lr",
    "pesbench check-gpu --device cpu uff",
)
GPU = next(name for name, kind in DEVICES.items() if kind.accelerator)
STRUCTURES, POINTS = 2, 5
MEASURING_SHARE = 0.25
"""Of a method's time; the rest is for its environment, its start and the checks."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    methods: tuple[str, ...] = word("default: those that run on a GPU, without DFT", "METHOD", (), nargs="*")
    """Empty: the default methods that run on the device, without DFT on a GPU."""
    minutes: float = option(8.0, "in all (default: %(default)g)", "N", parse=_values.positive)
    device: str = option(GPU, "default: %(default)s; cpu to try this verb", _options.DEVICE)
    adapter: tuple[Path, ...] = _options.adapter()
    python: tuple[str, ...] = _options.python("check")
    """METHOD=PATH each."""
    torch_backend: str | None = _options.torch_backend()
    on_top_of: str | None = _options.on_top_of()
    weights: str = _options.weights()
    trust_checkpoint: bool = _options.trust_checkpoint()
    output: Path | None = _options.output_folder()


def run(options: Options) -> int:
    """Check the methods, and print the log; status 1 where nothing could be measured."""
    from bench.data.structures import GFN2, load_dataset
    from bench.engine.check_gpu import check, what_is_there
    from bench.engine.describing import new_directory
    from bench.engine.display import progress
    from bench.engine.runner import Campaign
    from bench.environments.catalogue import Catalogue
    from bench.machine import accelerators
    from bench.machine.cores import default_threads, measure_parallel_speed

    end = time.monotonic() + 60 * options.minutes
    device = Device.parse(options.device)
    absent = accelerators.missing(device)
    if absent is not None:
        raise BadInput(f"{absent}; 'pesbench check-gpu --device cpu uff' shows here what it would do.")
    paths.weights_dir()  # refuses a missing folder before anything is written
    catalogue = Catalogue(options.adapter)
    methods = what_is_there(catalogue, options.device, ",".join(options.methods) or None)
    parallel = measure_parallel_speed()
    settings = _settings(options, catalogue, methods, default_threads(parallel))
    directory = new_directory(options.output)
    told: list[list[str]] = []
    with progress(settings) as display:
        campaign = Campaign(directory, settings, catalogue, load_dataset(GFN2), display, parallel)
        campaign.begin()
        title = [
            f"check-gpu on {', '.join(accelerators.found(device.kind.name)) or device.label}, "
            f"{len(methods)} methods, at most {options.minutes:g} min",
            f"run {directory.name}",
        ]

        def tell(one: Checked) -> None:
            told.append(_lines(directory, one))
            _write(directory, title, told)  # after each method, because a GPU machine may be taken away

        try:
            check(campaign, options.device, end, tell)
        finally:
            campaign.writer.close()
    return _end(directory, title, told)


def _settings(options: Options, catalogue: Catalogue, methods: list[Method], threads: int) -> Settings:
    seconds = 60 * options.minutes / len(methods)
    return Settings(
        methods=tuple(method.name for method in methods),
        devices=(options.device,),
        protocols=(RELAX, REPLAY),
        threads=threads,
        rounds=1,
        limit=STRUCTURES,
        replay_points=POINTS,
        repeats=False,
        budget_s=dict.fromkeys((method.name for method in methods), max(MEASURING_SHARE * seconds, 2.0)),
        timeout_s=max(60.0, 15 * options.minutes),
        on_top_of=_values.on_top_of(options.on_top_of),
        pythons={catalogue.select(name)[0].name: path for name, path in _values.interpreters(options.python).items()},
        **_declared.settings(options, Settings),
    )


def _lines(directory: Path, one: Checked) -> list[str]:
    from bench.render.check_gpu import lines
    from bench.results import store

    records = store.read(directory).records
    failure = one.failure.message if one.failure else None
    return lines(one.method, one.seconds, one.environment_bytes, one.checks, records, failure)


def _write(directory: Path, title: list[str], told: list[list[str]]) -> None:
    from bench.render.check_gpu import render

    (directory / "check-gpu.log").write_text(render(title, told))


def _end(directory: Path, title: list[str], told: list[list[str]]) -> int:
    """Print the log, pack the run directory into one file, and say how it is read."""
    from bench.render.check_gpu import render
    from bench.results import store

    _output.print_text(render(title, told, _output.out().width))
    packed = directory.with_suffix(".tar.gz")
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(directory, directory.name)
    print(paths.told(f"'pesbench table {directory}' shows the rows.\n{packed}"))
    print(f"has everything in one file ({packed.stat().st_size / 1e3:.0f} kB); unpacked into the results folder of")
    print("another machine, it is a run there.")
    contents = store.read(directory)
    measured = any(one.failure is None for one in contents.relaxations + contents.replays)
    return 0 if measured else 1
