"""The verb ``timeline``: the speed of a method over the releases of its package."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.commands import _declared, _options, _output
from bench.commands._declared import option
from bench.commands._output import print_text, say_what_was_read, to_stderr
from bench.core.device import CPU
from bench.core.protocol import REPLAY
from bench.core.settings import Settings
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.timelines import Release, Timeline
    from bench.core.description import ParallelSpeed
    from bench.data.structures import DataSet
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method

HELP = """\
Compare earlier releases of a method's package with the current one, call by
call in turn, and keep the results in results/timelines/. It can be stopped at
any time: results that are kept are not measured again, only new releases are.
Exit status: 1 if no release could be compared, 2 bad input, or nothing to show."""
ONLY_FOR_CUDA = """\
the package index has this torch only as a build for CUDA, gigabytes that a CPU does not need; \
--torch-backend cpu takes a CPU build from PyTorch's own index, --torch-backend index that for CUDA"""
EXAMPLES = (
    "pesbench timeline 7net-0 --versions 3",
    "pesbench timeline 7net-0 --versions 3 --prepare",
    "pesbench timeline 7net-0 --package torch --versions 2",
    "pesbench timeline 7net-0 --pin torch==2.12.0",
)


@dataclasses.dataclass(frozen=True)
class Options(_options.InTurn):
    """The options of the verb."""

    method: str = _options.method()
    versions: int = option(5, "earlier releases to compare with (default: %(default)s)", "N")
    package: str | None = option(
        None, "whose releases (default: the package that the method's family is about)", "NAME"
    )
    pin: tuple[str, ...] = option((), "with the same version of another package for all (repeatable)", "NAME==VERSION")
    again: tuple[str, ...] = option((), "measure this release again (repeatable)", "VERSION")
    adapter: tuple[Path, ...] = _options.adapter()
    torch_backend: str | None = _options.torch_backend()
    budget: float = _options.budget("per release (default: %(default)g)", 120.0)
    show: bool = option(False, "measure nothing: show what is there")
    prepare: bool = option(False, "measure nothing: make the environments of the releases")
    threads: int = _options.threads()
    structures: tuple[str, ...] = _options.structures()
    json: bool = _options.json("the releases")


def run(options: Options) -> int:
    """Measure what is missing, and show all releases; status 1 if none could be compared."""
    from bench.analysis.timelines import Timeline
    from bench.environments.catalogue import Catalogue
    from bench.environments.releases import current
    from bench.results import timelines

    if options.versions < 1:
        raise BadInput(f"--versions is {options.versions}; it must be a number above zero.")
    if options.show and options.prepare:
        raise BadInput("--show and --prepare cannot both be meant; give one of them.")
    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(options.method)
    if len(methods) != 1:
        raise BadInput("a timeline is of one method; name one.")
    (method,) = methods
    if method.native:
        raise BadInput(f"{method.name} uses its own optimiser and has no force calls to replay; take another method.")
    package, newest = current(catalogue.header(method), options.package, to_stderr)
    pins = _pins(options.pin, package)
    if options.prepare:
        return _prepare(options, catalogue, method, Timeline(method.name, method.label, package, pins=pins), newest)
    path = timelines.path_of(method.name, package, options.output, pins)
    kept = timelines.read(path) or Timeline(method.name, method.label, package, pins=pins)
    if options.show and not kept.releases:
        words = "".join(f" --pin {pin}" for pin in pins)
        raise BadInput(
            f"nothing is measured yet of earlier releases of {package} for {method.name}; "
            f"'pesbench timeline {method.name} --package {package}{words}' measures them."
        )
    if not options.show:
        kept = _measure_missing(options, catalogue, method, kept, newest, path)
    _show(options, kept, newest, path)
    return 0 if any(one.estimate is not None for one in kept.releases) else 1


def _pins(texts: tuple[str, ...], package: str) -> tuple[str, ...]:
    """Return what is the same for all releases, in order; raises BadInput for anything but ``NAME==VERSION``."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    found = {}
    for text in texts:
        try:
            wanted = Requirement(text)
            (specifier,) = wanted.specifier
        except (InvalidRequirement, ValueError):
            raise BadInput(f"--pin {text}: give one version of a package, like torch==2.12.0.") from None
        name = str(canonicalize_name(wanted.name))
        if specifier.operator != "==" or "*" in specifier.version:
            raise BadInput(f"--pin {text}: give one version of a package, like torch==2.12.0.")
        if name == canonicalize_name(package):
            raise BadInput(f"--pin {text}: the timeline is of {package} itself; hold another package.")
        found[name] = f"{name}=={specifier.version}"
    return tuple(found[name] for name in sorted(found))


def _prepare(options: Options, catalogue: Catalogue, method: Method, what: Timeline, newest: str) -> int:
    """Make the environments of all releases, so that measuring installs nothing; status 1 if none can be made."""
    from bench.environments import environments
    from bench.environments.releases import before, only_for_cuda
    from bench.environments.uv import EnvironmentFailed

    made = 0
    package = what.package
    for version in (newest, *before(catalogue.header(method), package, newest, options.versions)):
        with tempfile.TemporaryDirectory() as folder:
            pins = what.pins if version == newest else (f"{package}=={version}", *what.pins)
            old = _release(catalogue, method, pins, f"@{version}", Path(folder))
            header = catalogue.header(old)
            try:
                if not options.torch_backend and _about_torch(what) and only_for_cuda(header):
                    raise EnvironmentFailed(ONLY_FOR_CUDA)
                environments.prepare(header, torch_backend=options.torch_backend, say=to_stderr)
            except EnvironmentFailed as error:
                print_text(f"{package} {version}: {error}")
                continue
        print_text(f"{package} {version}: ready")
        made += version != newest
    return 0 if made else 1


def _about_torch(what: Timeline) -> bool:
    return what.package == "torch" or any(pin.startswith("torch==") for pin in what.pins)


def _refuse_cuda(catalogue: Catalogue, method: Method, kept: Timeline, missing: list[str]) -> None:
    """Raise BadInput where torch, as a timeline varies or pins it, can only be had as a build for CUDA."""
    from bench.environments.releases import only_for_cuda

    if not _about_torch(kept):
        return
    for version in missing:
        with tempfile.TemporaryDirectory() as folder:
            old = _release(catalogue, method, (f"{kept.package}=={version}", *kept.pins), f"@{version}", Path(folder))
            if only_for_cuda(catalogue.header(old)):
                raise BadInput(f"{kept.package} {version}: {ONLY_FOR_CUDA}.")


def _release(catalogue: Catalogue, method: Method, pins: tuple[str, ...], suffix: str, folder: Path) -> Method:
    """Return the method with other versions of packages; its adapter file is written to `folder`."""
    from bench.engine import versions

    text = versions.with_pins(method.adapter, pins, add=True)
    return catalogue.add_version(method, versions.write(folder, method.adapter, text), suffix)


class Setting(NamedTuple):
    """What all comparisons of a timeline share."""

    catalogue: Catalogue
    dataset: DataSet
    parallel: ParallelSpeed
    work: str
    """See :attr:`bench.analysis.timelines.Release.work`."""


def _measure_missing(
    options: Options, catalogue: Catalogue, method: Method, kept: Timeline, newest: str, path: Path
) -> Timeline:
    """Return the timeline with the releases that were missing; each is written as soon as it is measured."""
    from bench.environments.releases import before
    from bench.machine.alone import hold
    from bench.machine.cores import measure_parallel_speed
    from bench.paths import shown
    from bench.render import numbers
    from bench.results import timelines

    wanted = before(catalogue.header(method), kept.package, newest, options.versions)
    if not wanted:
        raise BadInput(f"there is no release of {kept.package} before {newest}.")
    order = wanted[::-1]
    if unknown := [version for version in options.again if version not in wanted]:
        which = f"releases before {newest} are" if len(wanted) > 1 else f"release before {newest} is"
        raise BadInput(f"--again {unknown[0]}: the last {which} {', '.join(wanted)}.")
    kept = dataclasses.replace(kept, releases=tuple(one for one in kept.releases if one.version not in options.again))
    dataset = options.load()
    say_what_was_read(dataset)
    work = f"{dataset.name} {dataset.digest[-12:]}, {numbers.of(options.threads, 'thread')}"
    if other := next((one for one in kept.releases if one.work not in ("", work)), None):
        raise BadInput(
            f"{shown(path)} has {kept.package} {other.version} measured at {other.work}, and this is {work}; "
            "give the same, or --output FOLDER for another timeline."
        )
    there = {one.version for one in kept.releases}
    missing = [version for version in wanted if version not in there]
    if not missing:
        return kept
    if not options.torch_backend:
        _refuse_cuda(catalogue, method, kept, missing)
    if min(len(dataset.atoms), options.limit or 2) < 2:
        raise BadInput("a timeline needs several structures for its intervals, and this is one; give more of them.")
    hold("pesbench timeline", to_stderr, options.beside)
    parallel = measure_parallel_speed(options.threads)
    for version in missing:
        to_stderr(f"{kept.package} {version}, compared with {newest}")
        found = _compared(options, Setting(catalogue, dataset, parallel, work), method, kept, version, newest)
        known = [*kept.releases, found]
        known.sort(key=lambda one: order.index(one.version) if one.version in order else -1)
        kept = dataclasses.replace(kept, releases=tuple(known))
        timelines.write(path, kept)
    return kept


def _compared(options: Options, setting: Setting, method: Method, kept: Timeline, version: str, newest: str) -> Release:
    """Return a release compared with the newest one; what cannot be measured is a release with the reason."""
    from bench.analysis.timelines import CHANGE, Release, differing
    from bench.engine.describing import new_directory
    from bench.engine.regress import TwoVersions, begin
    from bench.engine.turns import POINTS
    from bench.machine.provenance import machine
    from bench.results.comparisons import Versions, packages
    from bench.results.dataframes import load

    directory = new_directory(options.output)
    package, pins, catalogue = kept.package, kept.pins, setting.catalogue
    old = _release(catalogue, method, (f"{package}=={version}", *pins), f"@{version}", directory / "base")
    new = _release(catalogue, method, pins, "@pinned", directory / "pinned") if pins else method
    settings = Settings(
        methods=(old.name, new.name),
        protocols=(REPLAY,),
        replay_points=POINTS,
        **_declared.settings(options, Settings),
    )
    release = Release(
        version,
        newest,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(setting.parallel).cpu or "",
        work=setting.work,
    )
    both = Versions(directory, old.name, new.name, CPU, CHANGE)
    try:
        pair = TwoVersions(old, new, catalogue, settings, setting.dataset, setting.parallel, to_stderr)
        writer = begin(directory, settings, catalogue, setting.dataset, setting.parallel)
        try:
            pair.run(writer, options.budget, both.decided)
        finally:
            writer.close()
    except BadInput as error:
        to_stderr(f"{package} {version}: {error}")
        if not (directory / "campaign.json").exists():
            shutil.rmtree(directory, ignore_errors=True)
        return dataclasses.replace(release, why=str(error).rstrip("."))
    found = both.compared()
    ratio = found.ratio
    if ratio is None or ratio.low is None or ratio.high is None:
        return dataclasses.replace(release, why=found.why or "too few rounds for an interval", run=directory.name)
    there = packages(load(directory))
    return dataclasses.replace(
        release,
        estimate=1 / ratio.estimate,
        low=1 / ratio.high,
        high=1 / ratio.low,
        answers=found.answers,
        others=differing(there[old.name], there[new.name], package),
        run=directory.name,
    )


def _show(options: Options, kept: Timeline, newest: str, path: Path) -> None:
    from bench.paths import shown
    from bench.render import timeline

    if options.json:
        _output.print_json(timeline.as_object(kept, newest))
        return
    print_text(timeline.text(kept, newest, color=sys.stdout.isatty()))
    if any(one.estimate is not None for one in kept.releases):
        figure = path.with_suffix(".svg")
        timeline.draw(kept, newest).savefig(figure)
        to_stderr(f"figure: {shown(figure)}")
