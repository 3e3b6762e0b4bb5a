"""The verb ``advise``: which method to take for the user's own system, how long it takes, and what to check."""

from __future__ import annotations

import argparse
import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _options
from bench.commands._declared import option, word
from bench.commands._output import print_text, say_notes, to_stderr, warn
from bench.core.settings import Settings
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.choice import Advised, Choice, Known
    from bench.analysis.plans import Wish
    from bench.core.description import ParallelSpeed
    from bench.data.structures import DataSet
    from bench.engine.plain import Work
    from bench.engine.runner import Campaign
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method
    from bench.render.advising import Report

TASKS = ("relax", "md", "screen")
HELP = """\
Say which method to take for your own system, and how long it takes.
It tries all methods that are ready and can take the system, for at most three
minutes; nothing is fetched unless you name methods. It prints what each costs,
how far they disagree, three sentences of advice, and a plain ASE script."""
EXAMPLES = (
    "pesbench advise aspirin.xyz",
    "pesbench advise aspirin.xyz --task md --methods gfn2-xtb,so3lr",
    "pesbench advise aspirin.xyz --task screen --molecules 10000 --within 1h",
)
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _duration(text: str) -> float:
    """Read a time: ``90s``, ``30min``, ``1h``, ``2d``, or seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(s|min|h|d)?", text.strip())
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 90s, 30min, 1h or 2d.")
    return float(found[1]) * _UNITS[found[2] or "s"]


@dataclasses.dataclass(frozen=True)
class Options(_options.Structures):
    """The options of the verb."""

    structures: tuple[str, ...] = word("your structures: files, folders, patterns, or a data set", "FILE", nargs="+")
    """At least one: there is no default set that advice would be about."""
    task: str = option(
        "relax",
        "relax, md, or screen: relax many molecules in several processes (default: %(default)s)",
        "NAME",
        choices=TASKS,
    )
    within: float | None = option(
        None, "say whether the task fits into this time: 90s, 30min, 1h, 2d", "TIME", parse=_duration
    )
    """Seconds."""
    molecules: int | None = option(None, "how many molecules are to be relaxed (default: those of the files)", "N")
    methods: str | None = _options.methods(
        "only these; missing environments and weights are fetched (default: what is ready)"
    )
    adapter: tuple[Path, ...] = _options.adapter()
    budget: float = _options.budget("measuring time of all methods (default: %(default)g)", 165.0)
    """The starts of the methods included; the script needs some more."""
    device: str = _options.device()
    threads: int | None = _options.threads("default: as in 'run', and 1 for a screen", None)
    """None: one for a screen, otherwise what the machine has."""
    trust_checkpoint: bool = _options.trust_checkpoint()
    seed: int = _options.seed()
    beside: bool = _options.beside()
    output: Path | None = _options.output_folder()
    json: bool = _options.json("the advice")


def run(options: Options) -> int:
    """Measure, and print the advice; status 1 where nothing could be measured."""
    from bench.engine import advising
    from bench.environments.catalogue import Catalogue
    from bench.machine.alone import hold
    from bench.machine.cores import default_threads, measure_parallel_speed
    from bench.render.advising import render
    from bench.results.reference_set import errors

    _check(options)
    catalogue = Catalogue(options.adapter)
    dataset = options.load()
    say_notes(dataset)
    named = options.methods is not None
    methods = catalogue.select("all" if options.methods is None else options.methods)
    selected = advising.select(catalogue, methods, dataset, options.device, named, options.trust_checkpoint)
    if not selected.methods:
        raise BadInput(_none(selected.excluded, named))
    hold("pesbench advise", to_stderr, options.beside)
    parallel = measure_parallel_speed()
    threads = options.threads or (1 if options.task == "screen" else default_threads(parallel))
    settings = advising.settings(
        selected.methods, options.device, threads, options.seed, options.trust_checkpoint, dataset
    )
    campaign = _measured(options, settings, catalogue, dataset, parallel)
    kept = errors(one.name for one in selected.methods)
    known = {
        one.name: _known(advising.original(catalogue, one), dataset, options.task, kept.get(one.name))
        for one in selected.methods
    }
    report = _report(options, campaign, known, _unmeasured(catalogue.methods, selected.excluded))
    print_text(render(report, "json" if options.json else "terminal"))
    return 0 if report.choice.measured else 1


def _check(options: Options) -> None:
    """Refuse options that make no sense, before anything is read."""
    if options.molecules is not None and options.molecules < 1:
        raise BadInput(f"--molecules is {options.molecules}; it must be a number above zero.")
    if options.molecules is not None and options.task == "md":
        raise BadInput("--molecules belongs to --task relax and screen; md has one molecule.")
    if options.threads is not None and options.threads < 1:
        raise BadInput(f"--threads is {options.threads}; it must be a number above zero.")


def _none(excluded: dict[str, str], named: bool) -> str:
    """Return why no method is left, with what can be done."""
    from bench.data.systems import some

    reasons: dict[str, list[str]] = {}
    for name, reason in excluded.items():
        reasons.setdefault(reason, []).append(name)
    listed = "; ".join(f"{some(names, 4)}: {reason}" for reason, names in reasons.items())
    hint = "" if named else " 'pesbench prepare' makes environments and fetches weights."
    return f"no method can be tried on this system ({listed}).{hint}"


def _measured(
    options: Options, settings: Settings, catalogue: Catalogue, dataset: DataSet, parallel: ParallelSpeed
) -> Campaign:
    """Return the campaign, measured."""
    from bench.engine.advising import measure
    from bench.engine.describing import new_directory
    from bench.engine.display import progress
    from bench.engine.runner import Campaign
    from bench.render import numbers
    from bench.results import store

    with progress(settings) as display:
        campaign = Campaign(new_directory(options.output), settings, catalogue, dataset, display, parallel)
        campaign.begin()
        store.start(campaign.directory)
        display.say(
            f"run {campaign.directory.name}: {numbers.of(len(settings.methods), 'method')}, "
            f"{settings.limit} of {numbers.of(len(dataset.atoms), 'structure')}, "
            f"{numbers.of(settings.threads, 'thread')}; at most about {options.budget:g} s"
        )
        measure(campaign, options.budget)
        store.finish(campaign.directory)
    return campaign


def _known(method: Method, dataset: DataSet, task: str, reference: float | None) -> Known:
    from bench.analysis.choice import Known
    from bench.engine.advising import warnings
    from bench.protocols.accuracy.levels import functional, rung

    theory = vars(method.theory) if method.theory else {}
    # a force field is below everything else that has no place among the functionals
    trust = -1 if method.kind == "force-field" else rung(theory)
    level = functional(theory) or method.name
    # two potentials of one level are two models; two programs for GFN2-xTB are one method
    twin = method.name if method.kind == "mlip" else level
    return Known(level, twin, trust, warnings(method, dataset, task == "md"), reference)


def _unmeasured(methods: dict[str, Method], excluded: dict[str, str]) -> dict[str, Advised]:
    from bench.analysis.choice import Advised

    return {
        name: Advised(name, methods[name].label, methods[name].kind, excluded=reason)
        for name, reason in excluded.items()
    }


def _report(options: Options, campaign: Campaign, known: dict[str, Known], excluded: dict[str, Advised]) -> Report:
    from bench.analysis.choice import choose
    from bench.analysis.plans import SCREEN, plan
    from bench.analysis.processes import priors
    from bench.engine.advising import original
    from bench.render.advising import Report
    from bench.results.dataframes import load
    from bench.results.earlier import rounds_here
    from bench.results.reference_set import NAME

    run = load(campaign.directory, warn)
    earlier = rounds_here(run.description, campaign.directory.parent)
    processes = priors(known, earlier)
    wish = _wish(options, campaign)

    def screened(one: Advised) -> float | None:
        found = plan(one, wish)
        return None if found is None or found.seconds is None else found.seconds.estimate

    whole_task = screened if options.task == SCREEN else None
    choice = choose(run.measurements(), known, excluded, options.task == "md", processes, whole_task)
    plans = {one.method: found for one in choice.measured if (found := plan(one, wish)) is not None}
    methods = campaign.catalogue.methods
    report = Report(
        title=_title(options, campaign),
        run=campaign.directory.name,
        choice=choice,
        wish=wish,
        plans=plans,
        theories={
            name: theory.functional
            for name in known
            if (theory := original(campaign.catalogue, methods[name]).theory) is not None
        },
        reference_set=NAME,
        earlier_runs=len(earlier),
        process_sds=[one.sd for one in processes.values()],
    )
    return _with_script(report, options, campaign, choice)


def _wish(options: Options, campaign: Campaign) -> Wish:
    from bench.analysis.plans import Wish
    from bench.engine.runner import available_memory
    from bench.machine.cores import usable_cores

    parallel, cores = campaign.parallel, usable_cores()
    return Wish(
        task=options.task,
        molecules=options.molecules or len(campaign.dataset.atoms),
        within_s=options.within,
        threads=campaign.settings.threads,
        cores=cores,
        # the speed is measured of at most four cores, and others are taken to be like them
        speed=parallel.speed * cores / parallel.threads,
        free_bytes=available_memory(),
    )


def _title(options: Options, campaign: Campaign) -> list[tuple[str, str]]:
    from bench.data.systems import some
    from bench.render import numbers

    dataset = campaign.dataset
    frames = len(dataset.atoms)
    systems = some((_described(one) for one in dataset.systems), 3)
    found = [
        ("Systems", f"{systems}; {frames} structure{'s' * (frames > 1)}"),
        ("Task", options.task),
        ("Run", f"{campaign.directory}; {numbers.of(campaign.settings.threads, 'thread')} on {options.device}"),
        ("Not used", "; ".join(dataset.unused)),
        # in the head: advice for another charge than the user's is wrong from the first sentence on
        ("Note", " ".join(dataset.notes)),
    ]
    return [(label, text) for label, text in found if text]


def _described(system: object) -> str:
    from bench.data.systems import System

    assert isinstance(system, System)
    facts = [system.formula, f"{len(system.reference)} atoms"]
    facts += [f"charge {system.charge:+d}"] if system.charge else []
    facts += [] if system.lowest_spin else [f"multiplicity {system.spin}"]
    facts += ["periodic"] if system.periodic else []
    return f"{system.name} ({', '.join(facts)})"


def _with_script(report: Report, options: Options, campaign: Campaign, choice: Choice) -> Report:
    """Return the report with the plain script of the advised method, which is kept in the run's folder."""
    from bench.engine import plain

    one = choice.fastest or choice.trusted
    if one is None:
        return report
    method = campaign.catalogue.methods[one.method]
    path = campaign.directory / f"{options.task}.py"
    work = _work(report, campaign, one)
    try:
        script = plain.make(campaign.ready, method, options.device, campaign.dataset.order[0], work, str(path))
        path.write_text(script.text, encoding="utf-8")
    except BadInput as error:  # an adapter of the user need not have one
        return dataclasses.replace(report, notes=[*report.notes, f"There is no script: {error}"])
    return dataclasses.replace(report, script=script.text, told=f"A plain ASE script, also in {path}:")


def _work(report: Report, campaign: Campaign, one: Advised) -> Work:
    from bench.engine.plain import Work

    plan = report.plans.get(one.method)
    structures = str((campaign.directory / "structures.xyz").resolve())
    return Work(report.wish.task, structures, plan.processes if plan else 1)
