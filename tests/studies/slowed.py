"""A copy slowed by a known share: how often is it found, how wide is the interval, and how long does it take?"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from comparing import GATES, KEPT, compare, tell, told

SHARES = (0.20, 0.10, 0.05, 0.03)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10, help="comparisons for each share")
    parser.add_argument("--budget", type=float, default=300.0)
    parser.add_argument("--gate", type=float, default=0.025)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    parser.add_argument("--lines", type=Path, default=KEPT / "slowed.jsonl", help="kept results, continued")
    options = parser.parse_args()
    for share in options.shares:
        found = [line for line in told(options.lines) if line["share"] == share][: options.count]
        for number in range(len(found), options.count):
            found.append(compare(share, options.budget, options.gate, seed=number))
            tell(found[-1], options.lines)
        tell(
            {
                "share": share,
                "comparisons": len(found),
                "found": {str(g): sum(one["gates"][str(g)]["verdict"] == "slower" for one in found) for g in GATES},
                "rounds": {str(g): float(np.median([one["gates"][str(g)]["rounds"] for one in found])) for g in GATES},
                "clear_of_1": sum(one["low"] > 1 for one in found),
                "seconds": float(np.median([one["seconds"] for one in found])),
                "width": round(float(np.median([one["high"] / one["low"] - 1 for one in found])), 4),
                "covered": sum(one["low"] <= 1 + share <= one["high"] for one in found),
                "mean_ratio": round(float(np.exp(np.mean(np.log([one["ratio"] for one in found])))), 4),
            }
        )


if __name__ == "__main__":
    main()
