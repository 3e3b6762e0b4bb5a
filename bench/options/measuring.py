"""The options of the verbs that measure, and of those that prepare it."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.options.shared import add_adapter, add_json, add_verb, add_weights, budget


def list_methods(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``list``."""
    verb = add_verb(verbs, "list", "List the methods, with kind, parameters, devices and licence.", "pesbench list")
    add_adapter(verb)
    add_json(verb, "the methods")


def doctor(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``doctor``."""
    verb = add_verb(
        verbs,
        "doctor",
        "Tell for every method whether it can run here and if not why.\nImports no model and fetches nothing.",
        "pesbench doctor --device cuda",
    )
    verb.add_argument("--device", default="cpu", help="cpu or cuda[:N] (default: cpu)")
    add_adapter(verb)
    add_json(verb, "the findings")


def prepare(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``prepare``."""
    verb = add_verb(
        verbs,
        "prepare",
        "Make methods' environments and fetch their checkpoints.\nAfter that a run needs no network.",
        "pesbench prepare 7net-0 nequix-mp-1",
    )
    verb.add_argument(
        "methods", nargs="*", metavar="METHOD", help="default: the methods that 'run' measures by default"
    )
    verb.add_argument("--device", default="cpu", help="cpu or cuda[:N] (default: cpu)")
    verb.add_argument(
        "--torch-backend", metavar="NAME", help="passed to uv: cpu, auto, cu128, ... (default: by device)"
    )
    add_adapter(verb)


def run(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``run``."""
    verb = add_verb(
        verbs,
        "run",
        "Measure: relax every structure with every method, time each step, and print the\n"
        "table. Everything is kept in results/<run-id>/; a run that was stopped goes on\nwith --resume.",
        "pesbench run --methods uff,gfn2-xtb,7net-0 --limit 10 --budget 60\n"
        "  pesbench run --methods gfn2-xtb --protocols relax,md --limit 2 --duration 5",
    )
    what = verb.add_argument_group("what is measured")
    what.add_argument(
        "--methods",
        metavar="A,B,...",
        help="names from 'pesbench list', or 'all' (default: the default ones)",
    )
    add_adapter(what)
    what.add_argument(
        "--structures",
        metavar="NAME|FILE",
        help="naphthalene-md17, naphthalene-gfn2 or a file that ASE reads (default: the first that can be had)",
    )
    what.add_argument(
        "--limit", type=int, metavar="N", help="only N structures, spread evenly over the set, and N seeds of dynamics"
    )
    what.add_argument("--protocols", default="relax", metavar="A,B,...", help="relax, replay, md (default: relax)")
    how = verb.add_argument_group("how")
    how.add_argument("--optimizer", default="BFGS", help="BFGS or CG, ASE's SciPyFminCG (default: %(default)s)")
    how.add_argument(
        "--fmax",
        type=float,
        default=0.05,
        metavar="X",
        help="converged below this force in eV/Angstrom (default: %(default)s)",
    )
    how.add_argument(
        "--replay-points",
        type=int,
        default=10,
        metavar="N",
        help="geometries of a replayed path (default: %(default)s)",
    )
    how.add_argument("--max-steps", type=int, default=500, metavar="N", help="step cap (default: %(default)s)")
    _dynamics(verb.add_argument_group("dynamics (--protocols md)"))
    weights = verb.add_argument_group("weights")
    add_weights(weights)
    weights.add_argument("--checkpoint", type=Path, metavar="FILE", help="your own checkpoint, for one method")
    where = verb.add_argument_group("where")
    where.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="METHOD=PATH",
        help="measure METHOD in an interpreter that you bring (repeatable)",
    )
    where.add_argument(
        "--device",
        metavar="cpu|cuda[:N]",
        help="several with commas (default: cpu, and cuda where there is a GPU)",
    )
    where.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="default: physical cores up to 4, fewer where the machine gives less",
    )
    where.add_argument(
        "--torch-backend", metavar="NAME", help="passed to uv: cpu, auto, cu128, ... (default: by device)"
    )
    much = verb.add_argument_group("how much")
    much.add_argument(
        "--rounds", type=int, default=3, metavar="R", help="fresh processes a method (default: %(default)s)"
    )
    much.add_argument("--no-repeats", action="store_true", help="do not measure disturbed rounds again")
    much.add_argument(
        "--budget",
        type=budget,
        default=argparse.SUPPRESS,
        metavar="SECONDS|none",
        help="measuring time a method, all rounds together, and as much for its dynamics (default: shared so that "
        "the whole takes half an hour)",
    )
    much.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="end a silent worker after (default: 900, for DFT 3600)",
    )
    much.add_argument(
        "--memory-limit",
        type=float,
        metavar="GB",
        help="end a worker that uses more (default: 90 %% of the memory)",
    )
    much.add_argument("--seed", type=int, default=0, metavar="N", help="of the order of methods (default: %(default)s)")
    kept = verb.add_argument_group("what is kept")
    kept.add_argument("--output", type=Path, metavar="DIR", help="folder of run directories (default: results)")
    kept.add_argument("--resume", metavar="RUN", help="go on with this run; only --budget can be changed")
    add_json(verb, "the table")


def _dynamics(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--ensembles", default="nve,nvt", metavar="A,B", help="nve, at constant energy; nvt, with a thermostat (both)"
    )
    group.add_argument(
        "--duration", type=float, default=20.0, metavar="PS", help="of each nve trajectory (default: %(default)g)"
    )
    group.add_argument(
        "--nvt-duration",
        type=float,
        default=30.0,
        metavar="PS",
        help="of each nvt trajectory; 300 for distributions to rely on (default: %(default)g)",
    )
    group.add_argument("--time-step", type=float, default=0.5, metavar="FS", help="default: %(default)g")
    group.add_argument(
        "--temperature",
        type=float,
        default=500.0,
        metavar="K",
        help="over all 3N velocities, as in MD17 (default: %(default)g)",
    )


def env(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``env``."""
    verb = add_verb(
        verbs,
        "env",
        "List the methods' environments, or remove some.",
        "pesbench env\n  pesbench env --remove stale",
    )
    verb.add_argument("--remove", nargs="+", metavar="NAME", help="names from the list, or 'stale', or 'all'")
    add_adapter(verb)
    add_json(verb, "the list")


def conform(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``conform``."""
    verb = add_verb(
        verbs,
        "conform",
        "Check whether an adapter does what its interface promises.\n"
        "Units, derivatives, invariances, state, threads, parameter count, header.",
        "pesbench conform 7net-0\n  pesbench conform my_adapter.py",
    )
    verb.add_argument("what", metavar="METHOD|FILE", help="a method, or an adapter file with all its methods")
    verb.add_argument("--device", default="cpu", help="cpu or cuda[:N] (default: cpu)")
    verb.add_argument("--threads", type=int, default=1, metavar="N", help="default: %(default)s")
    verb.add_argument("--structures", metavar="NAME|FILE", help="as in 'run' (default: naphthalene-gfn2)")
    add_weights(verb)
    add_adapter(verb)
    add_json(verb, "the checks")


def overhead(verbs: argparse._SubParsersAction) -> None:
    """Add the verb ``overhead``."""
    verb = add_verb(
        verbs,
        "overhead",
        "Measure what the harness adds to a step.\n"
        "The same relaxations run bare (a plain ASE script) and through the harness, in\nturn, in one process.",
        "pesbench overhead --methods uff-ase,gfn2-xtb,7net-0",
    )
    verb.add_argument("--methods", default="uff-ase,gfn2-xtb,7net-0", metavar="A,B,...", help="default: %(default)s")
    verb.add_argument("--limit", type=int, default=20, metavar="N", help="structures (default: %(default)s)")
    verb.add_argument("--structures", metavar="NAME|FILE", help="as in 'run'")
    verb.add_argument("--threads", type=int, default=1, metavar="N", help="default: %(default)s")
    add_adapter(verb)
    add_json(verb, "the ratios")
