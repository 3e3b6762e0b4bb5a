"""What ``pesbench advise`` prints: what each method costs on a system, how far they disagree, and the advice."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.choice import SAME_MINIMUM, Advised, Choice
from bench.analysis.plans import MD, SCREEN, Plan, Wish
from bench.analysis.prediction import CALLS_PER_NS, PROCESSES, TIME_STEP_FS
from bench.analysis.statistics import Estimate
from bench.render import numbers
from bench.render.cells import DASH, Cell
from bench.render.console import fitting, hidden, labelled, notes, printed, styled, table, width_of

GUESSED = "~"
"""Before a time whose steps are guessed from those of other methods."""
FAR = 200.0
"""meV/Angstrom: more than good levels of theory differ by."""
UNLIKE_ORDER = 0.7
"""Kendall's tau-b below which two methods order conformers differently."""
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))


@dataclasses.dataclass(frozen=True)
class Report:
    """The contents of the report."""

    title: Sequence[tuple[str, str]]
    """Labelled lines above the table."""
    run: str
    choice: Choice
    wish: Wish
    plans: Mapping[str, Plan]
    """By method."""
    theories: Mapping[str, str]
    """The functional of each method."""
    reference_set: str = ""
    """What the errors on a reference set are of, in words."""
    script: str = ""
    """The source of a plain ASE script for the fastest method that agrees."""
    told: str = ""
    """Where the script lies, and the command that runs it."""
    notes: Sequence[str] = ()
    earlier_runs: int = 0
    """Of this machine, that say how processes differ."""
    process_sds: Sequence[float] = (PROCESSES.sd,)
    """How the processes of the methods are taken to differ: standard deviations of logarithms."""


def render(report: Report, form: str, width: int | None = None, color: bool = False) -> str:
    """Return the report as text: ``terminal`` or ``json``."""
    return _json(report) if form == "json" else _terminal(report, width_of(width), color)


def duration(found: Estimate | None) -> str:
    """Return a time with its interval in the unit that suits it, with two digits each: ``4.2 min [3.1, 5.7]``."""
    if found is None:
        return DASH
    factor, unit = next((one for one in _UNITS if found.estimate >= one[0]), _UNITS[-1])
    value, low, high = (
        numbers.magnitude(one / factor) for one in (found.estimate, found.low or 0.0, found.high or 0.0)
    )
    return f"{value} {unit} [{low}, {high}]"


def plain_duration(seconds: float) -> str:
    """Return a time without an interval: ``1 h``, ``90 s``."""
    factor, unit = next((one for one in _UNITS if seconds >= one[0] and seconds % one[0] == 0), (1.0, "s"))
    return f"{seconds / factor:g} {unit}"


def sentences(report: Report) -> list[str]:
    """Return the advice in three sentences: the fastest that agrees, the most trusted, what to check."""
    return [_fastest(report), _trusted(report), _check(report)]


def _fastest(report: Report) -> str:
    one, wish, trusted = report.choice.fastest, report.wish, report.choice.trusted
    if one is None:
        return "No method showed a time on this system, so none can be called the fastest."
    if wish.task != MD and one.seconds_per_relaxation is not None:
        cost = f"{duration(one.seconds_per_relaxation)} a relaxation"
    else:
        assert one.hours_per_ns is not None  # the fastest has a time
        ns = one.hours_per_ns.scaled(3600)
        call = f"{duration(ns.scaled(1 / CALLS_PER_NS))} a force call, and none relaxed it in this time"
        cost = f"{duration(ns)} for a ns" if wish.task == MD else call
    beside, measured = "", report.choice.measured
    if len(measured) == 1:
        begins = f"The only method that was measured is {one.label}"
    elif trusted is None or measured[0].method == one.method == trusted.method:
        begins = f"The fastest is {one.label}{', which is also the most trusted' if trusted else ''}"
    elif one.method == trusted.method:
        begins = f"No faster method agrees with {one.label}, the most trusted"
    else:
        begins = f"The fastest that agrees is {one.label}"
        apart = numbers.magnitude(one.to_trusted_mev_per_angstrom or 0.0)
        beside = f", with forces {apart} meV/Å from those of {trusted.label}"
    return f"{begins}: {cost}{beside}{_planned(report, one)}."


def _planned(report: Report, one: Advised) -> str:
    """Return what a plan adds to the sentence about a method."""
    wish, plan = report.wish, report.plans.get(one.method)
    if plan is None:
        return ""
    if wish.task == MD:
        return "" if plan.most is None else f"; {numbers.magnitude(plan.most)} ps fit into {_within(wish)}"
    if wish.task != SCREEN and wish.within_s is None:
        return ""
    how = f" in {plan.processes} processes of {_threads(plan.threads)}" if plan.processes > 1 else ""
    takes = "takes" if wish.molecules == 1 else "take"
    many = numbers.of(wish.molecules, "relaxation")
    found = f"; {many} {takes} {duration(plan.seconds)}{how}, the start included"
    if wish.within_s is None:
        return found
    return f"{found}: this {_fits(plan)} into {_within(wish)}"


def _fits(plan: Plan) -> str:
    return {True: "fits", False: "does not fit", None: "may or may not fit"}[plan.fits]


def _within(wish: Wish) -> str:
    return plain_duration(wish.within_s or 0.0)


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"


def _trusted(report: Report) -> str:
    one = report.choice.trusted
    if one is None:
        return "No method gave forces on this system, so none can be trusted."
    theory = report.theories.get(one.method, "")
    of = f" ({theory})" if theory and theory not in one.label and one.kind in ("mlip", "dft") else ""
    if one.disagreement_mev_per_angstrom is None:
        return f"{one.label}{of} has no other method beside it, so only its level of theory speaks for it."
    apart = numbers.magnitude(one.disagreement_mev_per_angstrom)
    why = "the highest level of theory among those that disagree least"
    but = f", although {one.warnings[0]}" if one.warnings else ""
    return f"The most trusted is {one.label}{of}, {why}: {apart} meV/Å from the others{but}."


def _check(report: Report) -> str:
    """Return what the user should look at, the most doubtful first."""
    choice = report.choice
    fastest, trusted = choice.fastest, choice.trusted
    if trusted is None:
        return "Check the reasons above, and name other methods with --methods."
    if trusted.disagreement_mev_per_angstrom is None:
        return "Check it against another method: disagreement is the only sign of trust where there is no reference."
    near = [one for one in choice.measured if one.method in choice.agreeing and one.method != trusted.method]
    unlike = [one for one in near if one.order_like_trusted is not None and one.order_like_trusted < UNLIKE_ORDER]
    if unlike:
        return (
            f"Check the order of the structures by energy: {unlike[0].label} and {trusted.label} put them into "
            f"different orders (Kendall's tau {unlike[0].order_like_trusted:.2f})."
        )
    elsewhere = [one for one in choice.measured if (one.rmsd_to_trusted or 0.0) > SAME_MINIMUM and not one.warnings]
    if elsewhere:
        one = min(elsewhere, key=lambda one: one.to_trusted_mev_per_angstrom or 0.0)
        return (
            f"Check the relaxed geometry: {one.label} ends {one.rmsd_to_trusted:.2f} Å (RMSD) from the minimum of "
            f"{trusted.label}."
        )
    if trusted.disagreement_mev_per_angstrom > FAR and trusted.kind != "dft":
        return (
            f"Check the forces against DFT: even the most trusted method is "
            f"{numbers.magnitude(trusted.disagreement_mev_per_angstrom)} meV/Å from the others, and good levels of "
            "theory differ by about 100."
        )
    if report.wish.task == MD:
        return (
            "Check that the simulation holds the molecule together and keeps its energy: 10 ps show it, and "
            "'pesbench run --protocols md' judges them."
        )
    if fastest is not None and fastest.method != trusted.method:
        return (
            f"Check a few structures: relax them with {trusted.label}, too, and compare geometries and the order of "
            "energies."
        )
    by = "a larger basis" if trusted.kind == "dft" else "DFT"
    return f"Check a few structures against {by}, because methods that agree may share an error."


def _time(found: Estimate | None, guessed: bool = False) -> Cell:
    if found is None:
        return DASH
    return Cell(GUESSED * guessed + duration(found), found.estimate, found.low, found.high)


def _cells(one: Advised) -> list[str]:
    apart = one.disagreement_mev_per_angstrom
    return [
        one.label + "*" * bool(one.warnings),
        _time(one.seconds_per_relaxation, guessed=not one.steps_measured),
        _time(one.hours_per_ns.scaled(3600) if one.hours_per_ns else None),
        numbers.size(one.peak_memory_bytes),
        DASH if apart is None else numbers.magnitude(apart),
        numbers.fixed(one.rmsd_to_trusted, 2),
    ]


COLUMNS = ("method", "relaxation", "1 ns of md", "memory", "forces,\nmeV/Å", "RMSD,\nÅ")
_NAME = 16
"""The least width of the names, which are wrapped."""


def _shown(report: Report, width: int) -> list[int]:
    """Return the columns for which there is room."""
    least = ("RMSD,\nÅ", "memory", "relaxation" if report.wish.task == MD else "1 ns of md")
    return fitting(COLUMNS, [_cells(one) for one in report.choice.measured], width, least, _NAME)


def _grid(report: Report, shown: Sequence[int]) -> RenderableType:
    grid = table()
    choice = report.choice
    for number in shown:
        side: Any = "right" if number else "left"
        grid.add_column(
            Text(COLUMNS[number], justify=side),
            justify=side,
            overflow="fold",
            no_wrap=number > 0,
            min_width=None if number else 12,
        )
    advised = {one.method for one in (choice.fastest, choice.trusted) if one is not None}
    for one in choice.measured:
        style, cells = "bold" if one.method in advised else "", _cells(one)
        grid.add_row(*(styled(cells[number], style) for number in shown))
    return grid


def _left_out(choice: Choice) -> list[tuple[str, str]]:
    """Return why methods were not measured; those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for one in choice.methods:
        if one.excluded is not None:
            reasons.setdefault(one.excluded, []).append(one.method)
    return [("Not measured", f"{', '.join(names)}: {reason}") for reason, names in reasons.items()]


def _notes(report: Report) -> list[str]:
    measured = report.choice.measured
    found = [
        "relaxation: the time of a step on this system times the number of steps; md is at "
        f"{TIME_STEP_FS:g} fs. The 95 % intervals are for another process of the method; {_processes(report)}.",
        "forces: how far they are from those of the other methods at your structures (median over levels of theory). "
        "RMSD: of the relaxed geometry, from that of the most trusted method.",
    ]
    if any(one.seconds_per_relaxation and not one.steps_measured for one in measured):
        found.append(f"{GUESSED} no relaxation ended in this time; the steps are guessed from those of other methods.")
    warned: dict[str, list[str]] = {}
    for one in measured:
        for warning in one.warnings:
            warned.setdefault(warning, []).append(one.label)
    found += [f"* {warning}: {', '.join(labels)}." for warning, labels in warned.items()]
    errors = [
        f"{one.label} {numbers.magnitude(one.reference_mev_per_angstrom)}"
        for one in sorted(measured, key=lambda one: one.reference_mev_per_angstrom or 0.0)
        if one.reference_mev_per_angstrom is not None
    ]
    if errors:
        found.append(f"Known force errors, meV/Å, of {report.reference_set}: {', '.join(errors)}.")
    failed = [f"{one.label} ({one.unconverged})" for one in measured if one.unconverged]
    found += [f"Structures that failed or did not converge: {', '.join(failed)}."] if failed else []
    return [*found, *_would_fit(report), *report.notes]


def _processes(report: Report) -> str:
    """Return by how much processes are taken to differ, and from what."""
    least, most = (f"{100 * find(report.process_sds, default=PROCESSES.sd):.0f}" for find in (min, max))
    why = "because no earlier run of this machine shows by how much"
    if report.earlier_runs:
        why = f"from {numbers.of(report.earlier_runs, 'earlier run')} of this machine"
    return f"processes are taken to differ by {most if least == most else f'{least} to {most}'} %, {why}"


def _would_fit(report: Report) -> list[str]:
    """Return what would fit, where the advised method may not."""
    wish, one = report.wish, report.choice.fastest
    plan = None if one is None else report.plans.get(one.method)
    if one is None or plan is None or plan.fits is not False or wish.within_s is None or plan.most is None:
        return []
    if plan.most:
        found = f"In {_within(wish)} {one.label} relaxes about {plan.most:,.0f} of the {wish.molecules:,} molecules"
    else:
        found = f"In {_within(wish)} {one.label} relaxes no molecule, however many cores there are"
    if plan.cores_needed is not None:
        found += f"; all of them would need about {plan.cores_needed:,} cores like these"
    fit = [other for other in report.choice.measured if _in_time(report, other)]
    agree = [other.label for other in fit if other.method in report.choice.agreeing]
    apart = [other.label for other in fit if other.method not in report.choice.agreeing]
    others = f" These would fit: {', '.join(agree)}." if agree else ""
    others += f" These would fit, but do not agree: {', '.join(apart)}." if apart else ""
    return [f"{found}.{others or ' No method that was measured fits.'}"]


def _in_time(report: Report, one: Advised) -> bool:
    plan = report.plans.get(one.method)
    return plan is not None and plan.fits is True


def _terminal(report: Report, width: int, color: bool) -> str:
    advice = zip(("Fastest", "Trusted", "Check"), sentences(report), strict=True)
    parts: list[RenderableType] = [labelled(report.title, width), Text()]
    if report.choice.measured:
        shown = _shown(report, width)
        parts += [_grid(report, shown), Text()]
    if left_out := _left_out(report.choice):
        parts += [labelled(left_out, width, ""), Text()]
    parts += (
        [notes([*hidden([title for i, title in enumerate(COLUMNS) if i not in shown]), *_notes(report)]), Text()]
        if report.choice.measured
        else []
    )
    parts.append(labelled(list(advice), width))
    script = f"\n{report.told}\n\n{report.script}" if report.script else ""  # code is never wrapped
    return printed(parts, width, color) + script


def _json(report: Report) -> str:
    choice = report.choice
    return (
        json.dumps(
            {
                "format": 1,
                "run": report.run,
                "title": dict(report.title),
                "task": report.wish.task,
                "molecules": report.wish.molecules,
                "within_s": report.wish.within_s,
                "methods": [_object(report, one) for one in choice.methods],
                "advice": {
                    "fastest": choice.fastest.method if choice.fastest else None,
                    "trusted": choice.trusted.method if choice.trusted else None,
                    "agreeing": list(choice.agreeing),
                    "sentences": sentences(report),
                    "script": report.script or None,
                },
                "notes": _notes(report),
            },
            indent=1,
            ensure_ascii=False,
            allow_nan=False,
        )
        + "\n"
    )


def _object(report: Report, one: Advised) -> dict[str, Any]:
    plan = report.plans.get(one.method)
    return {
        "method": one.method,
        "label": one.label,
        "seconds_per_relaxation": _interval(one.seconds_per_relaxation),
        "hours_per_ns": _interval(one.hours_per_ns),
        "peak_memory_bytes": one.peak_memory_bytes,
        "disagreement_mev_per_angstrom": one.disagreement_mev_per_angstrom,
        "reference_mev_per_angstrom": one.reference_mev_per_angstrom,
        "excluded": one.excluded,
        "warnings": list(one.warnings),
        "steps": one.steps,
        "steps_measured": one.steps_measured,
        "structures": one.structures,
        "unconverged": one.unconverged,
        "to_trusted_mev_per_angstrom": one.to_trusted_mev_per_angstrom,
        "rmsd_to_trusted": one.rmsd_to_trusted,
        "order_like_trusted": one.order_like_trusted,
        "plan": None
        if plan is None
        else {
            "threads": plan.threads,
            "processes": plan.processes,
            "seconds": _interval(plan.seconds),
            "fits": plan.fits,
            "most": plan.most,
            "cores_needed": plan.cores_needed,
        },
    }


def _interval(found: Estimate | None) -> dict[str, float | None] | None:
    return None if found is None else {"estimate": found.estimate, "low": found.low, "high": found.high}
