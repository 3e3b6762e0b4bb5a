"""The command line: verbs and their options; what they do is elsewhere."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from bench import __version__
from bench.errors import BadInput


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 nothing could be measured, 2 bad input."""
    options = parser().parse_args(arguments)
    from bench import commands  # only now: --help need not wait for it

    try:
        return commands.VERBS[options.verb](options)
    except BadInput as error:
        print(f"pesbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("pesbench: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        sys.stderr.close()
        return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    top = argparse.ArgumentParser(
        prog="pesbench",
        description="How fast is this interatomic potential on this machine, and what do I give up for it?",
        epilog="Each verb has its own --help. Exit status: 0 done, 1 nothing could be measured, 2 bad input.",
    )
    top.add_argument("--version", action="version", version=f"pesbench {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    _list(verbs)
    _doctor(verbs)
    _prepare(verbs)
    _run(verbs)
    _table(verbs)
    _plot(verbs)
    _env(verbs)
    _conform(verbs)
    _overhead(verbs)
    return top


def _verb(verbs: argparse._SubParsersAction, name: str, text: str, example: str) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=text[0].lower() + text[1:].partition(".")[0],
        description=text,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _adapter(verb: argparse._ActionsContainer) -> None:
    verb.add_argument(
        "--adapter",
        action="append",
        default=[],
        metavar="FILE",
        type=Path,
        help="an adapter file of your own (repeatable)",
    )


def _weights(verb: argparse._ActionsContainer) -> None:
    verb.add_argument(
        "--weights",
        default="auto",
        metavar="MODE",
        help="pretrained, random, or auto: random ones, for speed only, where a checkpoint cannot be had (default)",
    )
    verb.add_argument("--trust-checkpoint", action="store_true", help="use checkpoints whose SHA-256 nobody publishes")


def _json(verb: argparse.ArgumentParser, what: str) -> None:
    verb.add_argument("--json", action="store_true", help=f"print {what} as JSON on standard output")


def _list(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(verbs, "list", "List the methods, with kind, parameters, devices and licence.", "pesbench list")
    _adapter(verb)
    _json(verb, "the methods")


def _doctor(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
        verbs,
        "doctor",
        "Tell for every method whether it can run here and if not why.\nImports no model and fetches nothing.",
        "pesbench doctor --device cuda",
    )
    verb.add_argument("--device", default="cpu", help="cpu or cuda[:N] (default: cpu)")
    _adapter(verb)
    _json(verb, "the findings")


def _prepare(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
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
    _adapter(verb)


def _run(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
        verbs,
        "run",
        "Measure: relax every structure with every method, time each step, and print the\n"
        "table. Everything is kept in results/<run-id>/; a run that was stopped goes on\nwith --resume.",
        "pesbench run --methods uff,gfn2-xtb,7net-0 --limit 10 --budget 60",
    )
    what = verb.add_argument_group("what is measured")
    what.add_argument(
        "--methods",
        metavar="A,B,...",
        help="names from 'pesbench list', or 'all' (default: the default ones)",
    )
    _adapter(what)
    what.add_argument(
        "--structures",
        metavar="NAME|FILE",
        help="naphthalene-md17, naphthalene-gfn2 or a file that ASE reads (default: the first that can be had)",
    )
    what.add_argument("--limit", type=int, metavar="N", help="only N structures, spread evenly over the set")
    what.add_argument("--protocols", default="relax", metavar="A,B,...", help="relax, replay (default: relax)")
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
    weights = verb.add_argument_group("weights")
    _weights(weights)
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
    much.add_argument(
        "--budget",
        type=_budget,
        default=argparse.SUPPRESS,
        metavar="SECONDS|none",
        help="measuring time a method, all rounds together (default: shared so that the whole takes half an hour)",
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
    _json(verb, "the table")


def _table(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
        verbs,
        "table",
        "Print the table of a run, or of the paper.",
        "pesbench table --format markdown\n  pesbench table paper",
    )
    verb.add_argument("run", nargs="?", metavar="RUN|paper", help="a run id or directory (default: the newest run)")
    verb.add_argument("--format", default="terminal", help="terminal (default), markdown, latex, csv or json")


def _plot(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
        verbs,
        "plot",
        "Draw milliseconds per step of all methods, as SVG and PNG.",
        "pesbench plot --output speed",
    )
    verb.add_argument("run", nargs="?", metavar="RUN|paper", help="a run id or directory (default: the newest run)")
    verb.add_argument(
        "--output",
        type=Path,
        metavar="STEM",
        help="without ending (default: ms-per-step in the run directory)",
    )


def _env(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
        verbs,
        "env",
        "List the methods' environments, or remove some.",
        "pesbench env\n  pesbench env --remove stale",
    )
    verb.add_argument("--remove", nargs="+", metavar="NAME", help="names from the list, or 'stale', or 'all'")
    _adapter(verb)
    _json(verb, "the list")


def _conform(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
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
    _weights(verb)
    _adapter(verb)
    _json(verb, "the checks")


def _overhead(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(
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
    _adapter(verb)
    _json(verb, "the ratios")


def _budget(text: str) -> float | None:
    if text == "none":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no budget; give seconds above zero, or none.")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
