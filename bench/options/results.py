"""The options of the verbs that show and compare results."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.options.shared import add_adapter, add_json, add_threshold, add_verb, add_weights, positive


def table(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``table``."""
    verb = add_verb(
        verbs,
        "table",
        "Print the table of a run, or of the paper.",
        "pesbench table --format markdown\n  pesbench table --protocol md\n  pesbench table paper",
    )
    verb.add_argument("run", nargs="?", metavar="RUN|paper", help="a run id or directory (default: the newest run)")
    _add_protocol(verb)
    verb.add_argument("--format", default="terminal", help="terminal (default), markdown, latex, csv or json")


def _add_protocol(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--protocol",
        choices=("speed", "md"),
        default="speed",
        help="md: what the run's dynamics is like (default: speed, the times)",
    )


def plot(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``plot``."""
    verb = add_verb(
        verbs,
        "plot",
        "Draw milliseconds per step of all methods, or their dynamics, as SVG and PNG.",
        "pesbench plot --output speed",
    )
    verb.add_argument("run", nargs="?", metavar="RUN|paper", help="a run id or directory (default: the newest run)")
    _add_protocol(verb)
    verb.add_argument(
        "--output",
        type=Path,
        metavar="STEM",
        help="without ending (default: ms-per-step or stability in the run directory)",
    )


def compare(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``compare``."""
    verb = add_verb(
        verbs,
        "compare",
        "Compare two runs of one machine: what got faster, what got slower.\n"
        "Exit status: 0 nothing got slower, 1 something did, 2 bad input or unlike runs.",
        "pesbench compare 20261122-101500 20261123-091200",
    )
    verb.add_argument("a", metavar="A", help="the old run: an id or a directory")
    verb.add_argument("b", metavar="B", help="the new run")
    add_threshold(verb, 0.05)
    verb.add_argument("--force", action="store_true", help="compare runs of unlike machines, data or settings")
    verb.add_argument("--format", default="terminal", help="terminal (default), markdown or json")


def regress(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``regress``."""
    verb = add_verb(
        verbs,
        "regress",
        "Measure an old version of methods and the present one in turn, on this machine.\n"
        "It ends when they are told apart or found the same, or with the budget.\n"
        "Exit status: 0 nothing got slower, 1 something did, 2 bad input,\n"
        "or a version that cannot be measured.",
        "pesbench regress --methods 7net-0 --base main\n  pesbench regress --methods 7net-0 --base-with sevenn==0.12.1",
    )
    verb.add_argument("--methods", required=True, metavar="A,B,...", help="names from 'pesbench list'")
    old = verb.add_mutually_exclusive_group(required=True)
    old.add_argument("--base", metavar="REV", help="the adapter file at this commit, tag or branch")
    old.add_argument("--base-env", type=Path, metavar="FILE", help="another adapter file that has the methods")
    old.add_argument(
        "--base-with", action="append", metavar="PIN", help="the adapter file with this pin changed (repeatable)"
    )
    add_adapter(verb)
    add_threshold(verb, 0.10)
    verb.add_argument(
        "--budget", type=positive, default=300.0, metavar="SECONDS", help="for each method (default: %(default)g)"
    )
    verb.add_argument("--device", default="cpu", help="cpu or cuda[:N] (default: cpu)")
    verb.add_argument("--threads", type=int, default=1, metavar="N", help="default: %(default)s")
    verb.add_argument("--structures", metavar="NAME|FILE", help="as in 'run'")
    verb.add_argument("--limit", type=int, metavar="N", help="only N structures")
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="of the order (default: %(default)s)")
    add_weights(verb)
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder of run directories (default: results)")
    verb.add_argument("--format", default="terminal", help="terminal (default), markdown or json")


def baseline(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``baseline``."""
    verb = add_verb(
        verbs,
        "baseline",
        "Keep the answers of a run as baselines, which later runs are held against.\n"
        "Energies and forces of five structures, relaxed energies and bonds, by method.",
        "pesbench baseline 20261122-101500",
    )
    verb.add_argument("run", nargs="?", metavar="RUN", help="a run id or directory (default: the newest run)")


def history(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``history``."""
    verb = add_verb(
        verbs,
        "history",
        "Keep the times of one machine's runs as lines of results/history/, and find steps in them.",
        "pesbench history add\n  pesbench history show\n  pesbench history plot --output speed\n"
        "  pesbench history export --output benchmark.json",
    )
    verb.add_argument("action", choices=("add", "show", "plot", "export"), help="export: for github-action-benchmark")
    verb.add_argument("run", nargs="?", metavar="RUN", help="with add: a run id or directory (default: the newest run)")
    verb.add_argument("--machine", metavar="NAME", help="a part of a history's name, where there are several")
    verb.add_argument("--output", type=Path, metavar="FILE|STEM", help="of plot (without ending) and export")
    add_json(verb, "the lines (show)")
