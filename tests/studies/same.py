"""Two copies of one method: how often is one called slower or faster, and how far do the ratios spread?

Beside every comparison the plain script runs, as often as the comparison's time allows, once for each copy in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from comparing import ADAPTER, GATES, KEPT, compare, tell, told

from bench import paths
from bench.environments import environments
from bench.environments.header import read_header

STRUCTURES = paths.PROJECT / "datasets" / "naphthalene-gfn2.extxyz"


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--scripts", type=int, default=20, help="comparisons that have the plain script beside them")
    parser.add_argument("--lines", type=Path, default=KEPT / "same.jsonl", help="kept results, continued")
    options = parser.parse_args()
    python = environments.prepare(read_header(ADAPTER)).python
    for number in range(options.count):
        found, plain = _split(told(options.lines))
        if number >= len(found):
            found.append(compare(0.0, options.budget, 0.05, seed=number))
            tell(found[-1], options.lines)
        if len(plain) <= number < options.scripts:
            tell({"plain": plain_ratio(python, found[number]["seconds"])}, options.lines)
    found, plain = _split(told(options.lines))
    tell(
        {
            "comparisons": len(found),
            "alarms": {
                str(g): sum(one["gates"][str(g)]["verdict"] in ("slower", "faster") for one in found) for g in GATES
            },
            "same": {str(g): sum(one["gates"][str(g)]["verdict"] == "same" for one in found) for g in GATES},
            "width": round(float(np.median([one["high"] / one["low"] - 1 for one in found])), 4),
            "seconds": float(np.median([one["seconds"] for one in found])),
            "starting_order": starting_order(found),
            "covered": sum(one["low"] <= 1 <= one["high"] for one in found),
            "spread_ours": spread([one["ratio"] for one in found[: len(plain)]]),
            "spread_ours_all": spread([one["ratio"] for one in found]),
            "spread_plain": spread([one["ratio"] for one in plain]),
            "spread_plain_single": spread([r for one in plain for r in one["ratios"]]),
        }
    )


def _split(lines: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the comparisons, and the plain scripts beside them."""
    return [line for line in lines if "plain" not in line], [line["plain"] for line in lines if "plain" in line]


def plain_ratio(python: Path, seconds: float) -> dict[str, object]:
    """Return the geometric mean ratio of pairs of plain scripts that took about `seconds` together."""
    started = time.monotonic()
    ratios: list[float] = []
    while not ratios or (time.monotonic() - started) * (1 + 1 / len(ratios)) < 1.1 * seconds:
        first, second = (script(python) for _ in range(2))
        ratios.append(first / second)
    return {
        "ratio": round(float(np.exp(np.mean(np.log(ratios)))), 4),
        "ratios": [round(ratio, 4) for ratio in ratios],
        "seconds": round(time.monotonic() - started, 1),
    }


def script(python: Path) -> float:
    """Run the plain script once, with one thread as the comparison has; returns milliseconds."""
    command = [str(python), "-I", str(Path(__file__).with_name("plain_script.py")), str(STRUCTURES)]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def starting_order(found: list[dict[str, Any]]) -> dict[str, float] | None:
    """Return what it does to a round's log ratio, in percent, which version starts first, with its standard error.

    In lines without single rounds only an odd number of them shows it: the last one is left over.
    """
    logs = []
    for number, one in enumerate(found):  # the number is the seed, which says who begins
        sign = 1 if number % 2 else -1
        if "logs_by_round" in one:
            rounds = np.array(one["logs_by_round"])
            logs.append(sign * (rounds[::2].mean() - rounds[1::2].mean()) / 2)
        elif one["rounds"] % 2:
            logs.append(sign * one["rounds"] * np.log(one["ratio"]))
    if len(logs) < 2:
        return None
    error = float(np.std(logs, ddof=1) / np.sqrt(len(logs)))
    return {"effect": round(100 * float(np.mean(logs)), 2), "error": round(100 * error, 2), "n": len(logs)}


def spread(ratios: list[float]) -> dict[str, float] | None:
    """Return the standard deviation and the range of the logarithms, in percent."""
    if len(ratios) < 2:
        return None
    logs = 100 * np.log(ratios)
    return {"sd": round(float(logs.std(ddof=1)), 2), "range": round(float(np.ptp(logs)), 2), "n": len(ratios)}


if __name__ == "__main__":
    main()
