"""What the stability table shows in every format: narrow blocks of figures, each with a question as its title."""

from __future__ import annotations

import math
from collections.abc import Callable

from bench.analysis.events import BROKEN, WARNING
from bench.analysis.neighbours import SHARE
from bench.core.device import Device
from bench.protocols.md.seeds import Mean
from bench.protocols.md.table import Distribution, Stability, StabilityTable
from bench.protocols.md.verdict import LIMITS_K, VERDICTS
from bench.render import numbers
from bench.render.blocks import Block, Column, Page, by_method, filled
from bench.render.cells import BAD, DASH, GOOD, Cell
from bench.render.cells import WARNING as DOUBTFUL
from bench.render.circumstances import damaged, disturbed, disturbed_in_short
from bench.render.heading import heading


def page(table: StabilityTable) -> Page:
    """Return the whole report."""
    return Page(heading(table), blocks(table), reasons(table), notes(table), urgent(table))


def blocks(table: StabilityTable) -> list[Block]:
    """Return the blocks of the report; columns without values are left out, and so are empty blocks."""
    shown = [row for row in table.rows if row.refused is None]
    several = len({row.device for row in table.rows}) > 1

    def block(title: str, *columns: Column) -> Block:
        return by_method(title, shown, lambda row: name(row, several), *columns)

    planar = numbers.plain(table.reference_planarity, 2)
    made = [
        *([_verdicts(table)] if table.methods else []),
        block(
            _together(table),
            ("MD", "", verdict),
            ("stable NVE", "ps", lambda row: stable(row, "nve")),
            ("stable NVT", "ps", lambda row: stable(row, "nvt")),
            ("largest", "stretch Å", _largest),
            ("weights", "", lambda row: row.weights if row.weights and row.weights != "none" else DASH),
        ),
        block(
            "Does it keep its energy? (NVE)",
            ("drift", "meV/atom/ps", drift),
            ("over", "std(KE)", lambda row: _small(row.drift_ratio)),
            ("noise", "meV/atom", lambda row: numbers.plain(row.noise, 2)),
            ("power", "of dt", lambda row: with_error(row.noise_exponent)),
        ),
        block(
            "Is its energy shared equally? (NVE)",
            ("T internal", _target(table), lambda row: _kelvin(row.temperature)),
            *((f"T({symbol})", "K", _of_element(symbol)) for symbol in _elements(table)),
            (_light_over_rest(table), _expected(table), _ratio),
            ("rigid", "share", lambda row: _small(row.rigid_share)),
        ),
        block(
            "Does it look like the reference? (value / noise floor)",
            ("frames", "", lambda row: numbers.whole(row.distribution.frames) if row.distribution else DASH),
            ("from", "", lambda row: row.distribution.ensemble.upper() if row.distribution else DASH),
            ("h(r)", "", _h),
            *((f"W1 {pair}", "mÅ", _wasserstein(pair)) for pair in _pairs(table)),
            ("planarity", f"Å ({planar})", _planarity),
        ),
        block(
            "Are its forces those of an energy?",
            ("asymmetry", "Jacobian", lambda row: _small(row.asymmetry)),
            ("loop", "work", lambda row: _small(row.loop)),
            ("rotation", "error", lambda row: _small(row.rotation)),
            ("net force", "eV/Å", lambda row: _small(row.net_force)),
            ("net torque", "eV", lambda row: _small(row.net_torque)),
            ("structures", "", lambda row: numbers.whole(row.examined or None)),
        ),
        block(
            "How fast is it, and how much was simulated?",
            ("ms/step", "", lambda row: numbers.with_interval(row.ms_per_step)),
            ("ns/day", "", lambda row: numbers.plain(row.ns_per_day)),
            ("hours", "per ns", lambda row: numbers.plain(24 / row.ns_per_day if row.ns_per_day else None)),
            ("NVE", "ps", lambda row: _reached(row, "nve")),
            ("NVT", "ps", lambda row: _reached(row, "nvt")),
        ),
    ]
    return filled(made)


def _together(table: StabilityTable) -> str:
    if table.methods:
        return "How long does each system hold together?"
    return "Does the crystal stay as it is?" if table.periodic else "Does it hold the molecule together?"


def _verdicts(table: StabilityTable) -> Block:
    """Return the block of methods over all systems."""
    several = len({row.device for row in table.methods}) > 1

    def count(wanted: str) -> Callable[[Stability], Cell]:
        return lambda row: numbers.whole(sum(one == wanted for one in row.systems.values()))

    return by_method(
        "Does it hold the systems together?",
        list(table.methods),
        lambda row: name(row, several),
        ("MD", "worst", verdict),
        *((one, "systems", count(one)) for one in VERDICTS),
        ("systems", "", lambda row: numbers.whole(len(row.systems))),
    )


STATES = {"pass": GOOD, "warn": DOUBTFUL, "fail": BAD}


def verdict(row: Stability) -> Cell:
    """Return the verdict on a method."""
    return Cell(row.verdict, state=STATES[row.verdict]) if row.verdict else DASH


def stable(row: Stability, ensemble: str) -> Cell:
    """Return the median stable time in ps, with the number of trajectories that ended: ``> 20 (0/5)``."""
    found = next((one for one in row.ensembles if one.name == ensemble), None)
    if found is None or found.survival is None:
        return DASH
    times = found.survival
    longest = numbers.plain(times.longest_ps)
    known = longest.with_text(f"> {longest}") if times.median_ps is None else numbers.plain(times.median_ps)
    return known + f" ({times.ended}/{times.count})"


def drift(row: Stability) -> Cell:
    """Return the drift with its standard error, which has two digits: ``0.012 ± 0.023``."""
    return with_error(row.drift)


def with_error(found: Mean | None) -> Cell:
    """Return a mean with its standard error, which has two digits; ``0.012 ± ?`` where the error is not known."""
    if found is None:
        return DASH
    if found.error is None:
        return numbers.plain(found.value, 2) + " ± ?"
    decimals = min(max(0, 1 - math.floor(math.log10(found.error))), 6) if found.error > 0 else 6
    return numbers.fixed(found.value, decimals) + f" ± {found.error:.{decimals}f}"


def _reached(row: Stability, ensemble: str) -> Cell:
    found = next((one for one in row.ensembles if one.name == ensemble), None)
    return DASH if found is None else numbers.plain(found.simulated_ps, 3) + f" of {found.planned_ps:g}"


def _small(value: float | None) -> Cell:
    """Return two digits, as a power of ten for values far below one."""
    if value is None:
        return DASH
    return Cell(f"{value:.0e}".replace("e-0", "e-"), value) if 0 < value < 1e-3 else numbers.plain(value, 2)


def _largest(row: Stability) -> Cell:
    known = [one.largest for one in row.ensembles if one.largest is not None]
    if not known:
        return DASH
    largest = numbers.fixed(max(known), 2)
    return largest if max(known) < 100 else largest.with_text("> 100")


def _kelvin(value: float | None) -> Cell:
    return numbers.fixed(value, 0)


def _target(table: StabilityTable) -> str:
    targets = [row.expected_temperature for row in table.rows if row.expected_temperature is not None]
    return f"K ({targets[0]:.0f})" if targets else "K"


def _elements(table: StabilityTable) -> list[str]:
    """Return the elements of the molecule, the lightest last."""
    return list(dict.fromkeys(symbol for row in table.rows for symbol in row.temperatures))[::-1]


def _of_element(symbol: str) -> Callable[[Stability], Cell]:
    return lambda row: _kelvin(row.temperatures.get(symbol))


def _light_over_rest(table: StabilityTable) -> str:
    elements = _elements(table) or [""]
    return f"T({elements[-1]})/T({elements[0] if len(elements) == 2 else 'rest'})"


def _expected(table: StabilityTable) -> str:
    values = [row.expected_light_ratio for row in table.rows if row.expected_light_ratio is not None]
    return f"({values[0]:.2f})" if len({round(one, 2) for one in values}) == 1 else ""


def _ratio(row: Stability) -> Cell:
    if row.light_ratio is None:
        return DASH
    value, error = row.light_ratio.value, row.light_ratio.error
    return numbers.fixed(value, 2) + (f" ± {error:.2f}" if error is not None else "")


def _h(row: Stability) -> Cell:
    found = row.distribution
    return DASH if found is None else numbers.fixed(found.h_error, 3) + f" / {_at_least(found)}{found.h_floor:.3f}"


def _at_least(found: Distribution) -> str:
    return "≥ " if found.lower_bound else ""


def _pairs(table: StabilityTable) -> list[str]:
    return list(dict.fromkeys(pair for row in table.rows if row.distribution for pair in row.distribution.wasserstein))


def _wasserstein(pair: str) -> Callable[[Stability], Cell]:
    def text(row: Stability) -> Cell:
        if row.distribution is None:
            return DASH
        if pair not in row.distribution.wasserstein:
            return DASH
        value, floor = row.distribution.wasserstein[pair]
        return numbers.fixed(1000 * value, 0) + f" / {_at_least(row.distribution)}{1000 * floor:.0f}"

    return text


def _planarity(row: Stability) -> Cell:
    return DASH if row.distribution is None else numbers.plain(row.distribution.planarity, 2)


def name(row: Stability, several: bool) -> str:
    """Return the name of a method, with its device where there are several, and its system where that is named."""
    label = f"{row.label} ({Device.parse(row.device).label})" if several else row.label
    return f"{label}, {row.system}" if row.system else label


def reasons(table: StabilityTable) -> list[tuple[str, str]]:
    """Return why each method that does not pass, or was not simulated, has this verdict."""
    several = len({row.device for row in table.rows}) > 1
    found = []
    for row in table.rows:
        if row.refused is not None:
            found.append((name(row, several), f"not simulated: {row.refused}"))
        elif row.reasons:
            found.append((name(row, several), f"{row.verdict}: {'; '.join(row.reasons)}"))
    return found


def urgent(table: StabilityTable) -> list[str]:
    """Return the notes without which a reader would take the figures for something else."""
    short = disturbed_in_short(table.disturbances, {row.method: row.label for row in table.rows})
    timed = f"{short} This affects only ms/step." if short else ""
    found = (_compared_with(table), _other_temperature(table), timed, damaged(table.damaged))
    return [note for note in found if note]


def _other_temperature(table: StabilityTable) -> str:
    """Return what must be said where the molecule is not as warm as the one for which the limits were set."""
    targets = [row.expected_temperature for row in table.rows if row.expected_temperature is not None]
    if not targets or abs(targets[0] - LIMITS_K) < 0.01 * LIMITS_K:
        return ""
    return (
        f"The limits of the drift and of a bond's stretch were set for naphthalene at {LIMITS_K:g} K of its internal "
        f"motions; here these have {targets[0]:.0f} K."
    )


def _compared_with(table: StabilityTable) -> str:
    if table.periodic:
        return "Distances of neighbours are compared with those in each method's own minimum."
    if table.mixed:
        return (
            "Bonds, and distances of neighbours in crystals, are compared with each method's own minimum, other "
            f"distances of a molecule with {table.reference}."
        )
    if table.own_minimum:
        return f"Bonds are compared with each method's own minimum, distances with {table.reference}."
    return f"Bonds and distances are compared with {table.reference}."


def _stable(table: StabilityTable) -> str:
    """Return what ends the stable time."""
    over = "median over seeds (Kaplan-Meier), with the number of seeds for which this happened"
    if table.periodic:
        return (
            f"Stable: until the distance of two neighbours is more than {BROKEN:g} Å and {SHARE:.0%} away from that in "
            f"the minimum, {over}; half of that is a warning."
        )
    crystals = f"; in crystals, more than {BROKEN:g} Å and {SHARE:.0%} for neighbours" if table.mixed else ""
    of = "in the minimum" if table.own_minimum else "in the reference"
    mean = "length" if table.own_minimum else "mean length"
    return (
        f"Stable: until a bond is more than {BROKEN:g} Å from its {mean} {of}{crystals}, {over}; a "
        f"bond beyond {WARNING} Å is a warning."
    )


def notes(table: StabilityTable) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    while_measured = disturbed(table.disturbances, {row.method: row.label for row in table.rows})
    return [
        _compared_with(table),
        _stable(table),
        "Drift: least-squares slope of the total energy after 1 ps and the first tenth, ± one standard error over the "
        "seeds (? where it is not known); the verdict takes Student's t for their number. Noise floors: what chance "
        "gives, from the differences between trajectories; with a single one only a lower bound (≥) is known.",
        "T internal: over the vibrations alone; T of an element: over all its atoms' velocities. ms/step: 95 % "
        "interval over blocks of the trajectories and over rounds.",
        *([said] if (said := _other_temperature(table)) else []),
        *([f"{while_measured} This affects only ms/step."] if while_measured else []),
        *([said] if (said := damaged(table.damaged)) else []),
    ]


def drifts(table: StabilityTable) -> bool:
    """Return whether the figure has a panel of drifts: a simulation was long enough for one."""
    return any(row.refused is None and row.ms_per_step is not None and row.drift is not None for row in table.rows)


def pictured(table: StabilityTable) -> str:
    """Return what the figure shows."""
    stable = "the share of simulations that are still stable, by simulated time."
    if drifts(table):
        said = f"Left: the drift of the total energy against the time of an MD step. Right: {stable}"
    else:
        said = stable[0].upper() + stable[1:]
    return f"{said} The tables below have the numbers."
