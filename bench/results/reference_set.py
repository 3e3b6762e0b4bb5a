"""What is kept of methods on a reference set: how far their forces are from labels near the basis limit."""

from __future__ import annotations

from collections.abc import Iterable

from bench.analysis.disagreement import apart
from bench.data.references import folders, read_labels
from bench.results.baselines import read_baseline

SET, LEVEL = "naphthalene-md17", "wb97m-v-def2-tzvp"
NAME = "naphthalene at 500 K, against wB97M-V/def2-TZVP"
"""In words."""


def errors(methods: Iterable[str]) -> dict[str, float]:
    """Return how far the forces of methods are from the labels, in meV/Angstrom (median over structures of the RMS).

    From the baselines that come with pesbench, and from those of the user; a method without one is missing. Raises
    BadInput where a file is damaged.
    """
    found: dict[str, float] = {}
    for path in (one for folder in folders() for one in sorted(folder.glob(f"{SET}-*/{LEVEL}.jsonl"))):
        labels = read_labels(path)
        for method in methods:
            baseline = read_baseline(method, labels.digest)
            # random weights have a baseline, too
            if baseline is not None and baseline.weights != "random":
                error = apart(dict(baseline.forces), labels.forces)
                found |= {} if error is None else {method: error}
    return found
