"""Do 95 % intervals cover the truth in 95 % of simulated campaigns, when processes and structures both scatter?"""

from __future__ import annotations

import argparse
import math

import numpy as np
from comparing import tell

from bench.analysis.statistics import between_rounds, geometric_mean

TRUTH = 4.0
# rounds, structures, and the standard deviations of processes, structures and single times, in logarithms
CAMPAIGNS = (
    (3, 101, 0.05, 0.10, 0.03),
    (3, 101, 0.15, 0.10, 0.03),
    (3, 12, 0.05, 0.10, 0.03),
    (3, 6, 0.03, 0.10, 0.05),
    (5, 30, 0.05, 0.10, 0.03),
    (10, 101, 0.05, 0.10, 0.03),
    (16, 5, 0.03, 0.05, 0.03),
    # as in a ratio, in which structures hardly differ and single times do
    (3, 30, 0.02, 0.01, 0.10),
    (3, 10, 0.0, 0.0, 0.10),
    (6, 10, 0.01, 0.01, 0.10),
)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    for case, (rounds, structures, process, structure, residual) in enumerate(CAMPAIGNS):
        rng = np.random.default_rng(case)
        with_rounds, without, widths, twice = 0, 0, [], []
        for _ in range(options.count):
            logs = (
                TRUTH
                + rng.normal(0.0, process, (rounds, 1))
                + structure * (rng.gamma(4.0, 0.5, (1, structures)) - 2.0)  # skewed, as hard structures are
                + rng.normal(0.0, residual, (rounds, structures))
            )
            values = np.exp(logs.mean(axis=0))
            between = between_rounds(logs)
            full = geometric_mean(values, between=between)
            double = geometric_mean(values, between=between._replace(noise=0.0))
            alone = geometric_mean(values)
            with_rounds += full.low <= math.exp(TRUTH) <= full.high
            without += alone.low <= math.exp(TRUTH) <= alone.high
            widths.append(full.high / full.low - 1)
            twice.append(double.high / double.low - 1)
        tell(
            {
                **dict(zip(("rounds", "structures", "process", "structure", "residual"), CAMPAIGNS[case], strict=True)),
                "covered": with_rounds / options.count,
                "covered_without_rounds": without / options.count,
                "width": round(float(np.median(widths)), 4),
                "width_if_noise_counted_twice": round(float(np.median(twice)), 4),
            }
        )


if __name__ == "__main__":
    main()
