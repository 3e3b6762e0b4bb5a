"""One comparison by `pesbench regress`, and what each gate would have said to its rounds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import paths
from bench.analysis import regression
from bench.analysis.alternation import FEWEST_ALTERNATING, alternating_ratio
from bench.analysis.model import fit
from bench.analysis.times import per_round
from bench.results import dataframes

METHOD = "7net-0"
ADAPTER = paths.adapters_dir() / "sevennet.py"
KEPT = Path(__file__).parent / "kept"  # AMD EPYC, 2 cores; remove the files on another machine
GATES = (0.025, 0.05, 0.10)

SLOWED = '''

def _slowed(calculator, share):
    """Make each evaluation take longer by `share` of its own time, in a busy loop."""
    import time

    calculate = calculator.calculate

    def slow(*arguments, **named):
        start = time.perf_counter()
        calculate(*arguments, **named)
        end = time.perf_counter()
        end += share * (end - start)
        while time.perf_counter() < end:
            pass

    calculator.calculate = slow
    return calculator


_load = {adapter}.load
{adapter}.load = lambda self, *arguments: _slowed(_load(self, *arguments), {share})
'''


def slowed_adapter(share: float, folder: Path) -> Path:
    """Write a copy of the adapter whose force calls take longer by `share`; returns the file."""
    path = folder / f"slowed-{round(1000 * share)}" / ADAPTER.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ADAPTER.read_text() + SLOWED.format(adapter="SevenNet", share=share))
    return path


def compare(share: float, budget: float, gate: float, seed: int) -> dict[str, Any]:
    """Compare the method with a copy slowed by `share` (0: the same), and return what was found.

    The slowed copy is the old version, so that a ratio below 1 is expected; it is turned round here.
    """
    with tempfile.TemporaryDirectory() as folder:
        base = slowed_adapter(share, Path(folder)) if share else ADAPTER
        command = [
            *(sys.executable, "-m", "bench.cli", "regress", "--methods", METHOD, "--base-env", str(base)),
            *("--budget", str(budget), "--threshold", str(gate), "--seed", str(seed), "--output", folder),
        ]
        started = time.monotonic()
        done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        run = dataframes.load(next(path.parent for path in Path(folder).glob("*/campaign.json")))
        times = per_round(run.replays, "calculator_ns", "force_calls")
        watched = run.watched.drop_duplicates("round")
    slow, plain = times[f"{METHOD}@base", "cpu"], times[METHOD, "cpu"]
    ratio = alternating_ratio(slow, plain)
    assert ratio is not None and ratio.low is not None and ratio.high is not None
    return {
        "share": share,
        "seconds": round(seconds, 1),
        "rounds": slow.shape[1],
        "ratio": round(ratio.estimate, 4),
        "low": round(ratio.low, 4),
        "high": round(ratio.high, 4),
        "gates": {str(one): _sequential(plain, slow, one) for one in GATES},
        # (-1)^round times the effect of the starting order, and what rounds and single times add to it
        "logs_by_round": [round(float(one), 5) for one in np.log(slow / plain).dropna().mean()],
        "noise": round(float(np.sqrt(fit(logs := np.log(slow / plain).dropna()).rest * logs.shape[1])), 5),
        "structures": ratio.n,
        "seconds_a_round": round(float(watched["seconds"].mean()), 1),
        "disturbed": [list(reasons) for reasons in watched["disturbed"] if len(reasons)],
        "verdict": json.loads(done.stdout)["comparisons"][0]["verdict"],
    }


def _sequential(old: Any, new: Any, gate: float) -> dict[str, Any]:
    """Return the verdict of a gate, and after how many rounds it was reached, had it been the one asked for."""
    for rounds in range(FEWEST_ALTERNATING, old.shape[1] + 1):
        one, other = old.iloc[:, :rounds], new.iloc[:, :rounds]
        if regression.decided(one, other, gate):
            break
    return {"verdict": regression.in_turn(one, other, gate)[0], "rounds": rounds}


def tell(line: dict[str, Any], kept: Path | None = None) -> None:
    """Write one line of results, and keep it in a file of JSON lines."""
    print(json.dumps(line), flush=True)
    if kept is not None:
        with kept.open("a") as file:
            file.write(json.dumps(line) + "\n")


def told(kept: Path) -> list[dict[str, Any]]:
    """Return the lines that a study kept before it was interrupted."""
    return [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
