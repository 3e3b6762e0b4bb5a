"""How well a run orders its methods: the widths of the intervals of all ratios, and what the process leaves.

.venv/bin/python tests/studies/widths.py [RUN] [--device cpu]
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

from bench.analysis import ordering
from bench.analysis.summary import all_times, summarise
from bench.analysis.table import chosen, times_of
from bench.results.dataframes import load


def main() -> None:
    """Print a line for each quantile, and each method's width to the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    measurements = load(options.run).measurements()
    table = summarise(measurements)
    placed = [row for row in chosen(table.rows) if row.device == options.device]
    times = times_of(placed, all_times(measurements))
    for title, rows in (("all", placed), ("without DFT", [row for row in placed if row.kind != "dft"])):
        widths, missing = [], 0
        for one, other in itertools.combinations([row.key for row in rows], 2):
            found = ordering.between(times, one, other)
            ratio = found.estimate() if found is not None else None
            if ratio is None or ratio.low is None or ratio.high is None:
                missing += 1
            else:
                widths.append(ratio.high / ratio.low - 1)
        quantiles = ", ".join(f"{100 * np.percentile(widths, share):.1f} % ({share}th)" for share in (10, 50, 90))
        print(f"{title}: {len(widths)} pairs with an interval, {missing} without; widths by percentile: {quantiles}")
    for row in placed:
        ratio = row.relative
        if ratio is not None and ratio.low and ratio.high and row.time is not None:
            own = f"{100 * (row.time.high / row.time.low - 1):.1f} %" if row.time.low and row.time.high else "-"
            rank = f"{row.rank.low}-{row.rank.high}" if row.rank else "-"
            width = 100 * (ratio.high / ratio.low - 1)
            print(f"{row.label}: rounds {row.rounds}, rank {rank}, ratio {width:.1f} % wide, time {own} wide")


if __name__ == "__main__":
    main()
