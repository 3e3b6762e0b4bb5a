r"""Does what `pesbench advise` predicts come true, and is what it advises the fastest?

    .venv/bin/python tests/studies/advised.py --output advised

For each system, `advise` looks at it for a minute; then a run with fresh processes relaxes the same structures to the
end, which is the truth. A pair is a method with a task at a system: the time of a relaxation, and that of a nanosecond
of md by the price of a force call. Ends with how many predicted intervals contain the truth, and by how much the
advised method is slower than the fastest of those that it could have been.

With little time for the larger molecules, methods relax nothing to the end and their steps are guessed from those of
the others; the table marks these predictions with ~ and counts them apart:

    .venv/bin/python tests/studies/advised.py --output guessed --systems lidocaine,captopril,clopidogrel,fluoxetine \
        --methods uff-ase,gfn2-xtb,7net-0,mace-mp-0-small --seconds 25 --rounds 1 --budget 60 --minutes 8

Lines of JSON are kept in the folder `--output`, one for each system, beside the runs; the same command continues.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bench.analysis.per_molecule import changed
from bench.analysis.prediction import CALLS_PER_NS
from bench.core.records import CENSORED, CONVERGED
from bench.results import dataframes

METHODS = "uff,uff-ase,gfn2-xtb,ani-1ccx,so3lr,7net-0,mace-mp-0-small"
CASES = (
    *((name, ("druglike", "--systems", name)) for name in ("isoniazid", "metformin", "sevoflurane")),
    ("naphthalene", ("naphthalene-md17",)),
    *((name, ("druglike", "--systems", name)) for name in ("fluorouracil", "caffeine")),
    *((name, ("ions", "--systems", name)) for name in ("phenoxyl", "acetate")),
    *((name, ("druglike", "--systems", name)) for name in ("ibuprofen", "nicotine")),
)
"""A name, and what `advise` and `run` are given as structures."""
LARGER = tuple(
    (name, ("druglike", "--systems", name)) for name in ("lidocaine", "captopril", "clopidogrel", "fluoxetine")
)
"""The same, only where they are named: too long for some methods in a short time."""
RELAX, MD = "relax", "md"
LIMIT = 24
"""Structures of a set that are relaxed for the truth: three times as many as `advise` looks at."""


class Truth(NamedTuple):
    """What a method really took at a system."""

    seconds: float | None
    """Of a relaxation, mean over the structures; None where one was cut off or none converged."""
    hours_per_ns: float | None


def truths(structures: pd.DataFrame) -> dict[str, Truth]:
    """Return the truth of each method, from the relaxations of a run."""
    return {str(name): _truth(rows) for name, rows in structures.groupby("method")}


def _truth(rows: pd.DataFrame) -> Truth:
    whole = rows[(rows["status"] == CONVERGED) & ~changed(rows)]
    unknown = set(rows.loc[rows["status"] == CENSORED, "structure"]) - set(whole["structure"])
    step, every, of_steps = (whole[name].astype(float) for name in ("step_ns", "calculator_ns", "step_calculator_ns"))
    # the force call before the first step is one of a relaxation; a native optimiser makes it in its first step
    each = (step + (every - of_steps).fillna(0.0)).groupby(whole["structure"]).mean() / 1e9
    calls = float(rows["step_force_calls"].astype(float).sum())
    per_call = float(rows["step_calculator_ns"].astype(float).sum()) / calls if calls else 0.0
    return Truth(
        None if unknown or each.empty else float(each.mean()), per_call * CALLS_PER_NS / 3.6e12 if per_call else None
    )


def pairs(case: str, advice: Mapping[str, Any], truth: Mapping[str, Truth]) -> list[dict[str, Any]]:
    """Return a line for each method and task for which there are both a prediction and the truth."""
    found = []
    for one in advice["methods"]:
        true = truth.get(one["method"], Truth(None, None))
        for task, field, value in (
            (RELAX, "seconds_per_relaxation", true.seconds),
            (MD, "hours_per_ns", true.hours_per_ns),
        ):
            predicted = one[field]
            if value is None or not predicted or predicted["estimate"] is None:
                continue
            found.append(
                {
                    "system": case,
                    "task": task,
                    "method": one["method"],
                    "predicted": predicted,
                    "true": value,
                    "inside": predicted["low"] <= value <= predicted["high"],
                    "steps_measured": one["steps_measured"],
                }
            )
    return found


def choice(case: str, advice: Mapping[str, Any], truth: Mapping[str, Truth]) -> dict[str, Any]:
    """Return how far the advised method is from the fastest that it could have been, and from the fastest of all.

    It can be one that agrees with the most trusted method, and is not far from what it was made for where one is not.
    """
    times = {name: one.seconds for name, one in truth.items() if one.seconds is not None}
    warned = {one["method"] for one in advice["methods"] if one["warnings"]}
    agreeing = [name for name in advice["advice"]["agreeing"] if name in times]
    allowed = [name for name in agreeing if name not in warned] or agreeing
    advised = advice["advice"]["fastest"]
    best = min(allowed, key=times.__getitem__, default=None)
    return {
        "system": case,
        "advised": advised,
        "trusted": advice["advice"]["trusted"],
        "best": best,
        "over_best": times[advised] / times[best] if advised in times and best else None,
        "fastest_of_all": min(times, key=times.__getitem__, default=None),
        "seconds": times,
    }


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the pairs and what they come to, as text."""
    every = [pair for line in lines for pair in line["pairs"]]
    rows = [f"{'system':14}{'task':7}{'method':18}{'predicted':>32}{'true':>11}{'ratio':>8}  inside"]
    for one in every:
        unit, where = ("s" if one["task"] == RELAX else "h", one["predicted"])
        interval = f"{where['estimate']:.4g} {unit} [{where['low']:.3g}, {where['high']:.3g}]"
        guessed = "" if one["steps_measured"] or one["task"] == MD else "~"
        rows.append(
            f"{one['system']:14}{one['task']:7}{guessed + one['method']:18}{interval:>32}{one['true']:11.4g}"
            f"{one['true'] / where['estimate']:8.2f}  {'yes' if one['inside'] else 'NO'}"
        )
    rows.append("")
    for task in (RELAX, MD):
        mine = [one for one in every if one["task"] == task]
        rows.append(f"{task}: {sum(one['inside'] for one in mine)} of {len(mine)} intervals contain the truth")
    guessed = [one for one in every if one["task"] == RELAX and not one["steps_measured"]]
    rows.append(f"with guessed steps: {sum(one['inside'] for one in guessed)} of {len(guessed)}")
    for line in lines:
        one = line["choice"]
        over = "–" if one["over_best"] is None else f"{100 * (one['over_best'] - 1):.0f} % slower than"
        rows.append(f"{one['system']}: advised {one['advised']}, {over} {one['best']} (all: {one['fastest_of_all']})")
    near = [line["choice"]["over_best"] for line in lines if line["choice"]["over_best"] is not None]
    rows.append(f"within 10 % of the best: {sum(one <= 1.1 for one in near)} of {len(near)}")
    return "\n".join(rows)


def measured(case: str, structures: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """Return the line of a system: let `advise` predict, and measure the truth."""
    shared = ["--methods", options.methods, *(["--threads", str(options.threads)] if options.threads else [])]
    advice = _pesbench(
        ["advise", *structures, *shared, "--budget", str(options.seconds), "--json", *_output(options, "advised")]
    )
    measuring = f"--rounds {options.rounds} --budget {options.budget} --limit {LIMIT} --no-page --no-repeats --json"
    what = ["--structures", *structures, "--protocols", RELAX, "--weights", "pretrained"]
    run = _pesbench(["run", *what, *shared, *measuring.split(), *_output(options, "measured")])
    identity = run["head"]["run_id"]
    truth = truths(dataframes.load(options.output / "measured" / identity).structures)
    return {
        "system": case,
        "advice": advice["run"],
        "run": identity,
        "pairs": pairs(case, advice, truth),
        "choice": choice(case, advice, truth),
    }


def _output(options: argparse.Namespace, name: str) -> list[str]:
    return ["--output", str(options.output / name), *(["--beside"] if options.beside else [])]


def _pesbench(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the JSON that pesbench prints; what it tells meanwhile goes to the terminal."""
    done = subprocess.run([sys.executable, "-m", "bench.cli", *arguments], stdout=subprocess.PIPE, text=True)
    if not done.stdout:
        sys.exit(f"'pesbench {' '.join(arguments)}' ended with status {done.returncode}; see above.")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("advised"), help="folder of the lines and the runs")
    parser.add_argument(
        "--systems",
        help=f"some of {','.join(name for name, _ in (*CASES, *LARGER))} (default: all but the last {len(LARGER)})",
    )
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--seconds", type=float, default=60.0, help="of advise, for each system")
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of each method for the truth")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--minutes", type=float, default=25.0, help="begin no further system after this")
    parser.add_argument("--beside", action="store_true")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    kept = options.output / "lines.jsonl"
    lines = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    wanted = options.systems.split(",") if options.systems else [name for name, _ in CASES]
    end = time.monotonic() + 60 * options.minutes
    for name, structures in (*CASES, *LARGER):
        if name not in wanted or name in {line["system"] for line in lines} or time.monotonic() > end:
            continue
        lines.append(measured(name, structures, options))
        with kept.open("a") as file:
            file.write(json.dumps(lines[-1]) + "\n")
    print(table(lines))


if __name__ == "__main__":
    main()
