"""From the figures of a method's simulations to pass, warn or fail; ``docs/stability.md`` explains the limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from bench.analysis.events import INTACT, WARNING
from bench.analysis.simulated import Stability

PASS, WARN, FAIL = VERDICTS = ("pass", "warn", "fail")


@dataclasses.dataclass(frozen=True)
class Limit:
    """A value up to `passes` passes, up to `warns` warns, and above that fails; None: it never fails."""

    passes: float
    warns: float | None = None

    def judge(self, value: float, error: float = 0.0) -> str:
        """Return the verdict on a value; within 1.96 standard errors of a limit the better one, but not a pass."""
        if value - 1.96 * error > (self.warns if self.warns is not None else float("inf")):
            return FAIL
        return PASS if value + 1.96 * error <= self.passes else WARN


LEAST_PS = 5.0  # all seeds together: a shorter simulation cannot pass
DRIFT = Limit(0.07, 0.7)  # meV/atom/ps
NOISE_EXPONENT = Limit(0.5)  # distance from 2
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
            yield WARN, f"a bond beyond {WARNING} Å in {ensemble.warned} {ensemble.name.upper()} trajectories"
        for kind, count in ensemble.lost.items():
            yield WARN, f"{count} {ensemble.name.upper()} trajectories were lost ({kind})"
        short = ensemble.simulated_ps < LEAST_PS
        yield (WARN, f"only {ensemble.simulated_ps:.2g} ps of {ensemble.name.upper()}") if short else (PASS, "")


def _energies(found: Stability) -> Iterable[tuple[str, str]]:
    if found.drift is not None:
        slope, error = found.drift
        verdict = DRIFT.judge(abs(slope), error)
        known = verdict == FAIL or abs(slope) - 1.96 * error > DRIFT.passes
        yield verdict, "drift" if known else "drift not known well enough"
    if found.noise_exponent is not None:
        yield NOISE_EXPONENT.judge(abs(found.noise_exponent - 2)), "noise does not shrink with the time step"
    if found.light_ratio is not None and found.expected_light_ratio is not None and found.light_ratio[1] is not None:
        ratio, error = (value / found.expected_light_ratio for value in (found.light_ratio[0], found.light_ratio[1]))
        yield (WARN if abs(ratio - 1) - 1.96 * error > EQUIPARTITION else PASS), "no equipartition"
    if found.rigid_share is not None:
        yield RIGID.judge(found.rigid_share), "the molecule begins to translate or rotate"


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
