"""The formulas of ``docs/timing.md`` a second time, with dense matrices: what the model of times is checked against.

Nothing is imported from pesbench and nothing is clever: every value has a line in one design matrix, and its covariance
matrix is written down in full.
"""

import math

import numpy as np
from scipy import stats

MOST = 1 - 1e-7
"""The largest share of structures in the variance; at 1 the covariance matrix is singular."""


def row(logs, systems=None):
    """Return the mean of logarithms, (structures, rounds), and both parts of its variance with degrees of freedom."""
    table = np.asarray(logs, dtype=float)
    systems = _separable(systems, [table])
    s, r = np.nonzero(~np.isnan(table))
    y = table[s, r]
    rounds, count = table.shape[1], 1 if systems is None else len(set(systems))
    design = _design(s, r, rounds, systems)
    of_structures, rest = components(table, systems)
    total = of_structures + rest
    share = min(of_structures / total, MOST) if total > 0 else 0.0
    covariance = (1 - share) * np.eye(len(y)) + share * (s[:, None] == s)
    means, errors = _least_squares(y, design, covariance)
    return _over_rounds(means[:rounds], total * errors[:rounds, :rounds], len(table), count)


def ratio(one, other, systems=None):
    """Return the same of the mean of `one` less `other`, of methods in the same rounds; all structures are of use."""
    tables = [np.asarray(one, dtype=float), np.asarray(other, dtype=float)]
    systems = _separable(systems, tables)
    common = ~np.isnan(tables[0]) & ~np.isnan(tables[1])
    both = np.where(common, tables[0] - tables[1], np.nan)
    lines = common.any(axis=1)
    own = [
        components(each[(~np.isnan(each)).any(axis=1)], _part(systems, (~np.isnan(each)).any(axis=1)))
        for each in tables
    ]
    apart = both[lines][:, common.any(axis=0)]
    apart_by = components(apart, _separable(_part(systems, lines), [apart]))[0]
    most = math.sqrt(own[0][0] * own[1][0])
    between = float(np.clip((own[0][0] + own[1][0] - apart_by) / 2, -most, most))
    of_structures = np.array([[own[0][0], between], [between, own[1][0]]])
    rounds = tables[0].shape[1]
    s, r, y, which, designs = [], [], [], [], []
    for number, table in enumerate(tables):
        lines_of, rounds_of = np.nonzero(~np.isnan(table))
        s.append(lines_of)
        r.append(rounds_of)
        y.append(table[lines_of, rounds_of])
        which.append(np.full(len(lines_of), number))
        designs.append(_design(lines_of, rounds_of, rounds, systems))
    size = designs[0].shape[1]
    design = np.block([[designs[0], np.zeros((len(y[0]), size))], [np.zeros((len(y[1]), size)), designs[1]]])
    s, which = np.concatenate(s), np.concatenate(which)
    rest = np.array([max(own[0][1], 1e-14), max(own[1][1], 1e-14)])
    covariance = of_structures[which][:, which] * (s[:, None] == s) + np.diag(rest[which])
    means, errors = _least_squares(np.concatenate(y), design, covariance)
    less = np.hstack([np.eye(rounds), np.zeros((rounds, size - rounds))])
    less = np.hstack([less, -less])
    count = 1 if systems is None else len(set(systems))
    return _over_rounds(less @ means, less @ errors @ less.T, int(lines.sum()), count)


def components(table, systems):
    """Return the variances of structures and of the rest, by C. R. Henderson's method 3."""
    s, r = np.nonzero(~np.isnan(table))
    y = table[s, r]
    rounds, structures = len(set(r)), np.array([s == one for one in sorted(set(s))], dtype=float).T
    fixed = _design(s, r, table.shape[1], systems)
    left, of_fixed = _residuals(y, fixed)
    rest, freedom = _residuals(y, np.hstack([fixed, structures]))
    projector = np.eye(len(y)) - fixed @ np.linalg.pinv(fixed)
    of_structures = float(np.trace(structures.T @ projector @ structures))
    if freedom == 0:  # all of it counts as that of the structures
        if of_fixed > 0:
            return float(left @ left) / of_fixed, 0.0
        return (float(np.var([y[r == one].mean() for one in set(r)], ddof=1)) if rounds > 1 else 0.0), 0.0
    single = float(rest @ rest) / freedom
    within = max(0.0, (float(left @ left) - of_fixed * single) / of_structures) if of_structures > 1e-6 else 0.0
    if systems is None:  # the whole is what is left within rounds, also where the rest alone is larger
        single = min(single, float(left @ left) / of_fixed)
    return within, single


def half_width(parts, confidence=0.95):
    """Return how far an interval reaches: Student's factor is the mean of those of both parts."""
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return 0.0
    factors = [variance * stats.t.ppf((1 + confidence) / 2, freedom) for variance, freedom in parts]
    return sum(factors) / total * math.sqrt(total)


def _design(s, r, rounds, systems):
    columns = [r == one for one in range(rounds)]
    if systems is not None:
        names = sorted(set(systems))
        mine = np.asarray(systems)[s]
        columns += [(mine == one) * 1.0 - (mine == names[-1]) for one in names[:-1]]
    return np.array(columns, dtype=float).T


def _part(systems, lines):
    return None if systems is None else np.asarray(systems)[lines]


def _separable(systems, tables):
    """Return systems whose effects can be told from those of the rounds; None where they cannot in some table."""
    if systems is None or len(set(systems)) < 2:
        return None
    for table in tables:
        known = (~np.isnan(table)).any(axis=1)
        names = set(np.asarray(systems)[known])
        if names != set(systems):
            return None
        design = _design(*np.nonzero(~np.isnan(table)), table.shape[1], systems)
        if np.linalg.matrix_rank(design) < design.shape[1]:
            return None
    return np.asarray(systems)


def _residuals(y, design):
    found = np.linalg.lstsq(design, y, rcond=None)[0]
    return y - design @ found, len(y) - np.linalg.matrix_rank(design)


def _least_squares(y, design, covariance):
    weights = np.linalg.inv(covariance)
    errors = np.linalg.inv(design.T @ weights @ design)
    return errors @ design.T @ weights @ y, errors


def _over_rounds(means, errors, structures, systems):
    rounds = len(means)
    if rounds < 2:
        return float(means.mean()), []
    common = (errors.sum() - np.trace(errors)) / (rounds * (rounds - 1))
    parts = [(means.var(ddof=1) / rounds, rounds - 1), (max(0.0, common), max(structures - systems, 1))]
    return float(means.mean()), parts
