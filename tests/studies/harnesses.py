"""Two checkouts of pesbench measure the same method in turn: does the newer harness change a time?

    .venv/bin/python tests/studies/harnesses.py OLD NEW --rounds 10

Each round starts a worker of both checkouts. When both are warm, one makes a force call while the other waits, A B,
then B A, along the same paths, as `pesbench regress` does with two versions of an adapter. The adapter file and the
method's environment are the same on both sides, so that what differs is the harness: the ratio should be 1.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

from bench.analysis.times import paired_ratio, per_round

PYTHON = sys.executable

# Prints the task of a paced worker, its command, its environment variables, and the line that gives it a turn of one
# call. Each checkout's own copy of this text is run with its own code.
TASK = """
import dataclasses, json, sys, time
from bench.engine import start, tasks
from bench.engine.ready import Ready
from bench.core.task import Item
from bench.core.turn import Turn
from bench.core.settings import Settings
from bench.data.selection import measuring_order
from bench.data.structures import load_dataset
from bench.environments.catalogue import Catalogue
name, limit, round_number, adapter = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
found = Catalogue()
settings = Settings(methods=(name,), protocols=("replay",), replay_points=4)
dataset = load_dataset("naphthalene-gfn2")
prepared = Ready(settings, found, dataset, None, lambda line: None).or_refuse(found.methods[name], "cpu")
items = [Item("replay", index) for index in measuring_order(101)[:limit]]
task = tasks.measure(prepared, settings, dataset, items, round_number, paced=True)
task = dataclasses.replace(task, subject=dataclasses.replace(task.subject, adapter=adapter),
                           told=dataclasses.replace(task.told, launched_ns=time.monotonic_ns()))
command = [str(prepared.environment.python), "-I", str(start.WORKER)]
print(json.dumps([task.to_json(), command, start.variables(task, None), Turn(calls=1).to_line()]))
"""


def _own_text(checkout: Path) -> str:
    """Return a checkout's own text that prints a task; it was called NEW before."""
    source = ast.parse((checkout / "tests" / "studies" / "harnesses.py").read_text())
    texts = {
        statement.targets[0].id: statement.value.value
        for statement in source.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant)
    }
    return str(texts.get("TASK") or texts["NEW"])


class Side:
    """A paced worker of one checkout."""

    def __init__(self, checkout: Path, name: str, limit: int, round_number: int, adapter: Path) -> None:
        command = [PYTHON, "-c", _own_text(checkout), name, str(limit), str(round_number), str(adapter)]
        environ = {**os.environ, "PYTHONPATH": str(checkout)}
        done = subprocess.run(command, env=environ, cwd=checkout, capture_output=True, text=True, check=True)
        task, worker, variables, *turn = json.loads(done.stdout.splitlines()[-1])
        self.turn = turn[0] if turn else "1"  # before 30 November 2026, a turn was a number of calls
        self.process = subprocess.Popen(
            worker, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.records: list[dict[str, Any]] = []
        self.say(task)
        self.listen()

    def say(self, line: str) -> None:
        """Write a line to the worker."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def listen(self) -> None:
        """Keep the records that the worker tells, until it waits or ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "waits" in (said.get("message"), *said):
                return
            record = said.get("record") if isinstance(said.get("record"), dict) else said
            if record.get("record") == "replay":
                self.records.append(record)

    def end(self) -> None:
        """Let the worker end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.listen()
        self.process.wait()


def main() -> None:
    """Measure rounds, and print the ratio new over old with its interval."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("old", type=Path)
    options.add_argument("new", type=Path)
    options.add_argument("--method", default="7net-0")
    options.add_argument("--adapter", default="sevennet.py", help="of the old checkout; both load it")
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--limit", type=int, default=10, help="structures, with four geometries each")
    given = options.parse_args()
    checkouts = {"old": given.old.resolve(), "new": given.new.resolve()}
    adapter = checkouts["old"] / "adapters" / given.adapter
    records: dict[str, list[dict[str, Any]]] = {"old": [], "new": []}
    for number in range(given.rounds):
        began = time.monotonic()
        order = ["old", "new"] if number % 2 else ["new", "old"]
        sides = {name: Side(checkouts[name], given.method, given.limit, number, adapter) for name in order}
        for _ in range(4 * given.limit):
            for name in order:
                sides[name].say(sides[name].turn)
                sides[name].listen()
            order.reverse()
        for name, side in sides.items():
            side.end()
            records[name] += side.records
        print(f"round {number + 1}: {time.monotonic() - began:.0f} s, {_ratio(records)}", flush=True)


def _ratio(records: dict[str, list[dict[str, Any]]]) -> str:
    times = {}
    for name, rows in records.items():
        frame = pd.DataFrame(rows)
        frame = frame.assign(force_calls=frame["calculator_ns"].map(len), calculator_ns=frame["calculator_ns"].map(sum))
        times[name] = next(iter(per_round(frame, "calculator_ns", "force_calls").values()))
    ratio = paired_ratio(times["new"], times["old"])
    if ratio is None or ratio.low is None or ratio.high is None:
        return "no interval yet"
    width = 100 * (ratio.high - ratio.low) / ratio.estimate
    return f"new over old {ratio.estimate:.4f} [{ratio.low:.4f}, {ratio.high:.4f}], {width:.1f} % wide"


if __name__ == "__main__":
    main()
