"""From the figures of a method's simulations to pass, warn or fail; ``docs/stability.md`` explains the limits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

from bench.analysis.events import INTACT, LEAST_PS, WARNING
from bench.protocols.md.seeds import Mean
from bench.protocols.md.table import Ensemble, Stability

PASS, WARN, FAIL = VERDICTS = ("pass", "warn", "fail")


@dataclasses.dataclass(frozen=True)
class Limit:
    """A value up to `passes` passes, up to `warns` warns, and above that fails; None: it never fails."""

    passes: float
    warns: float | None = None

    def judge(self, value: float, within: float = 0.0) -> str:
        """Return the verdict on a value that is known within so much: it passes or fails only with all its interval."""
        if value - within > (self.warns if self.warns is not None else float("inf")):
            return FAIL
        return PASS if value + within <= self.passes else WARN


LIMITS_K = 562.5  # of the internal motions of MD17's naphthalene, for which the limits were set
DRIFT = Limit(0.07, 0.7)  # meV/atom/ps
NOISE_EXPONENT = Limit(0.5)  # distance from 2; at 1.5, a quarter of the noise does not come from the time step
EQUIPARTITION = 0.1  # of the ratio of temperatures; a warning only beyond its error, because vibrations mix slowly
RIGID = Limit(0.001, 0.05)
ASYMMETRY = Limit(0.001, 0.01)
LOOP = Limit(0.0003, 0.003)  # a third of the asymmetry: this much of it does work around a circle
ROTATION = Limit(0.01, 0.1)


def judge(found: Stability) -> tuple[str | None, tuple[str, ...]]:
    """Return the worst verdict on a method, with the reasons in words; None where nothing was simulated."""
    if not any(ensemble.survival for ensemble in found.ensembles):
        return None, ()
    verdicts: list[tuple[str, str]] = [*_held(found), *_energies(found), *_forces(found)]
    worst = max((verdict for verdict, _ in verdicts), key=VERDICTS.index)
    return worst, tuple(dict.fromkeys(words for verdict, words in verdicts if verdict == worst != PASS))


def _held(found: Stability) -> Iterable[tuple[str, str]]:
    for ensemble in found.ensembles:
        for kind, count in ensemble.kinds.items():
            if kind != INTACT:
                first = min(one.step or 0 for one in ensemble.outcomes if one.kind == kind)
                total = len(ensemble.outcomes)
                yield FAIL, f"{kind} in {count} of {total} {ensemble.name.upper()} trajectories, first at step {first}"
        if ensemble.warned:
            far = "half of the limit" if found.periodic else f"{WARNING} Å"
            yield WARN, f"a bond beyond {far} in {ensemble.warned} {ensemble.name.upper()} trajectories"
        for kind, count in ensemble.lost.items():
            yield WARN, f"{count} {ensemble.name.upper()} trajectories were lost ({kind})"
        if ensemble.short:
            many = f"{ensemble.short} of {ensemble.planned} {ensemble.name.upper()} trajectories"
            yield WARN, f"not long enough: {many} did not reach {LEAST_PS:g} ps{_remedy(found, ensemble)}"
        yield PASS, ""


def _remedy(found: Stability, ensemble: Ensemble) -> str:
    """Return the budget with which all trajectories would be done; empty where they are not planned to be long."""
    if not found.budget_s or ensemble.planned_ps < ensemble.planned * LEAST_PS:
        return ""
    return f"; --budget {10 * math.ceil(found.budget_s / 10)} would do"


def _energies(found: Stability) -> Iterable[tuple[str, str]]:
    if any(ensemble.name == "nve" and ensemble.survival for ensemble in found.ensembles):
        yield _known(found.drift, 0.0, DRIFT, "drift", "drift")
        words = "noise does not shrink with the square of the time step"
        yield _known(found.noise_exponent, 2.0, NOISE_EXPONENT, words, "power of the noise")
    ratio, expected = found.light_ratio, found.expected_light_ratio
    if ratio is not None and expected is not None and ratio.half_width is not None:
        away = abs(ratio.value / expected - 1) - ratio.half_width / expected
        yield (WARN if away > EQUIPARTITION else PASS), "no equipartition"
    if found.rigid_share is not None:
        yield (
            RIGID.judge(found.rigid_share),
            f"the {'crystal' if found.periodic else 'molecule'} begins to translate"
            + " or rotate" * (not found.periodic),
        )


def _known(found: Mean | None, target: float, limit: Limit, words: str, name: str) -> tuple[str, str]:
    """Return the verdict on how far a mean over seeds is from its target; what is not known does not pass."""
    if found is None or found.half_width is None:
        return WARN, f"{name} not known"
    away = abs(found.value - target)
    verdict = limit.judge(away, found.half_width)
    surely = verdict == FAIL or away - found.half_width > limit.passes
    return verdict, words if surely else f"{name} not known well enough"


def _forces(found: Stability) -> Iterable[tuple[str, str]]:
    if found.asymmetry is None:
        yield WARN, "forces not examined"
    for value, limit, words in (
        (found.asymmetry, ASYMMETRY, "forces are not a derivative (Jacobian)"),
        (found.loop, LOOP, "work around a closed loop"),
        (found.rotation, ROTATION, "forces do not rotate with the molecule"),
    ):
        if value is not None:
            yield limit.judge(value), words
