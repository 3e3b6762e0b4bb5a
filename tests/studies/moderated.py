"""Would intervals be right if each method's scatter were moderated by that of the other methods of its campaign?

Empirical Bayes as in limma (Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004, article 3). The variances of the methods'
rounds are taken to come from one scaled inverse chi-square distribution, with d0 degrees of freedom and the typical
value s0^2; both are estimated from the logarithms of the variances. A method's variance is then the mean of its own,
with d degrees of freedom, and of s0^2, with d0. Methods whose variance is plainly larger are kept apart.

Writes one JSON line for each kind of campaign: how often the intervals contain the truth, over all methods and for the
method that scatters most. The last lines say what no such rule could do better: the least mean width of an interval
that covers as often as asked, whatever a method's scatter, if that of the others were known exactly.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from comparing import tell
from numpy.typing import NDArray
from scipy import optimize, special, stats

Floats = NDArray[np.float64]

FEWEST_METHODS = 5
"""With fewer methods that are alike, each keeps its own variance."""
APART = 1e-3
"""A variance that chance would make so much larger than the others' this often is kept apart."""
ROUNDS = 3


def trigamma_inverse(values: Floats) -> Floats:
    """Return x with trigamma(x) = `values`, by Newton's method on 1 / trigamma, which is nearly linear."""
    found = 0.5 + 1 / values
    for _ in range(50):
        now = special.polygamma(1, found)
        found = found + now * (1 - now / values) / special.polygamma(2, found)
    return found


def prior(variances: Floats, freedom: float, among: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return d0 and s0^2 of each campaign; d0 is infinite where the variances differ no more than by chance.

    With e = log s^2 - digamma(d/2) + log(d/2): trigamma(d0/2) = var(e) - trigamma(d/2), and log s0^2 = mean(e) +
    digamma(d0/2) - log(d0/2). `variances` and `among`, the methods that count, have the shape (campaigns, methods).
    """
    e = np.log(variances) - special.digamma(freedom / 2) + np.log(freedom / 2)
    n = np.maximum(among.sum(axis=1), 1)
    mean = np.where(among, e, 0.0).sum(axis=1) / n
    spread = np.where(among, (e - mean[:, None]) ** 2, 0.0).sum(axis=1) / np.maximum(n - 1, 1)
    excess = spread - special.polygamma(1, freedom / 2)
    unlike = excess > 1e-6
    half = trigamma_inverse(np.where(unlike, excess, 1.0))
    typical = np.where(unlike, np.exp(mean + special.digamma(half) - np.log(half)), 0.0)
    alike = np.where(among, variances, 0.0).sum(axis=1) / n
    return np.where(unlike, 2 * half, np.inf), np.where(unlike, typical, alike)


def alike(variances: Floats, freedom: float) -> NDArray[np.bool_]:
    """Return which methods scatter like the others: an F test of each against the others that are left."""
    among = np.ones(variances.shape, dtype=bool)
    for _ in range(3):
        left = np.where(among, variances, 0.0)
        others = among.sum(axis=1, keepdims=True) - among
        pooled = (left.sum(axis=1, keepdims=True) - left) / np.maximum(others, 1)
        limit = stats.f.isf(APART, freedom, freedom * np.maximum(others, 1)) * pooled
        among &= (variances <= limit) | (others == 0)
    return among


def moderate(variances: Floats, freedom: float, never_smaller: bool = False) -> tuple[Floats, Floats]:
    """Return moderated variances and their degrees of freedom, both of shape (campaigns, methods).

    Degrees of freedom are at most those of all methods together. `never_smaller`: no variance becomes smaller than
    the method's own.
    """
    among = alike(variances, freedom)
    d0, typical = (one[:, None] for one in prior(variances, freedom, among))
    weight = np.where(np.isinf(d0), 1.0, d0 / (np.where(np.isinf(d0), 0.0, d0) + freedom))
    mixed = weight * typical + (1 - weight) * variances
    if never_smaller:
        mixed = np.maximum(mixed, variances)
    n = among.sum(axis=1, keepdims=True)
    taken = among & (n >= FEWEST_METHODS)
    return np.where(taken, mixed, variances), np.where(taken, np.minimum(d0 + freedom, freedom * n), freedom)


def scatters(kind: str, rng: np.random.Generator, campaigns: int, methods: int) -> Floats:
    """Return the true standard deviation of the rounds of each method, in units of the usual one."""
    ones = np.ones((campaigns, methods))
    if kind.startswith("one"):
        return np.where(np.arange(methods) == 0, float(kind.split()[1]), ones)
    return {
        "alike": lambda: ones,
        "unlike": lambda: np.exp(rng.normal(0.0, 0.7, ones.shape)),
        "half 3": lambda: np.where(np.arange(methods) % 2, 3.0, ones),
    }[kind]()


KINDS = ("alike", "unlike", "half 3", "one 2", "one 3", "one 5", "one 10")


def covered(kind: str, methods: int, campaigns: int, shared: float, never_smaller: bool) -> dict[str, Any]:
    """Return how often intervals cover the truth; `shared` is what a round does to all methods alike."""
    rng = np.random.default_rng(7)
    sd = scatters(kind, rng, campaigns, methods)
    rounds = sd[..., None] * rng.normal(size=(campaigns, methods, ROUNDS))
    rounds = rounds + shared * rng.normal(size=(campaigns, 1, ROUNDS))
    error, own = np.abs(rounds.mean(axis=2)), rounds.var(axis=2, ddof=1)
    variances, freedoms = moderate(own, ROUNDS - 1, never_smaller)
    reach = stats.t.ppf(0.975, freedoms) * np.sqrt(variances / ROUNDS)
    usual = stats.t.ppf(0.975, ROUNDS - 1) * np.sqrt(own / ROUNDS)
    most = sd == sd.max(axis=1, keepdims=True)
    return {
        "scatter": kind,
        "methods": methods,
        "shared": shared,
        "never_smaller": never_smaller,
        "covered": round(float((error <= reach).mean()), 4),
        "covered_of_the_most_scattered": round(float((error <= reach)[most].mean()), 4),
        "covered_before": round(float((error <= usual).mean()), 4),
        "width_over_before": round(float(np.median(reach) / np.median(usual)), 3),
        "mean_width_over_before": round(float(reach.mean() / usual.mean()), 3),
    }


def least_width(least: float) -> float:
    """Return the least mean width, over that of Student's t, of intervals whose coverage is at least `least`.

    Of three rounds, for a method that scatters like the others, whose scatter is known: coverage is 95 % for such a
    method, and at least `least` for one that scatters up to five times as much. Half-widths are any function of the
    method's own standard deviation; coverage is concave in them, so the minimum is the only one.
    """
    own = np.linspace(0.02, 8.0, 160)
    sds = np.array([1, 1.25, 1.5, 2, 2.5, 3, 4, 5])
    density = own / sds[:, None] ** 2 * np.exp(-((own / sds[:, None]) ** 2))
    density /= density.sum(axis=1, keepdims=True)
    beyond = np.exp(-((own[-1] / sds) ** 2))
    wanted = np.array([0.95, *[least] * (len(sds) - 1)])

    def slack(half: Floats) -> Floats:
        inside = 2 * stats.norm.cdf(half / sds[:, None]) - 1
        return (1 - beyond) * (density * inside).sum(axis=1) + beyond - wanted

    def slope(half: Floats) -> Floats:
        return (1 - beyond)[:, None] * density * 2 * stats.norm.pdf(half / sds[:, None]) / sds[:, None]

    student = float(stats.t.ppf(0.975, 2)) * own
    found = optimize.minimize(
        lambda half: density[0] @ half,
        student + 0.5,
        jac=lambda half: density[0],
        constraints={"type": "ineq", "fun": slack, "jac": slope},
        bounds=[(0.0, 60.0)] * len(own),
        method="SLSQP",
        options={"maxiter": 300},
    )
    assert found.success
    return float(found.fun / (density[0] @ student))


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=4000)
    options = parser.parse_args()
    for never_smaller in (False, True):
        for kind in KINDS:
            for methods in (3, 6, 12, 20):
                tell(covered(kind, methods, options.campaigns, 0.0, never_smaller))
        for shared in (0.5, 1.0, 2.0):
            tell(covered("alike", 12, options.campaigns, shared, never_smaller))
    for least in (0.95, 0.93, 0.90, 0.85):
        tell({"covered_at_least": least, "least_mean_width": round(least_width(least), 3)})


if __name__ == "__main__":
    main()
