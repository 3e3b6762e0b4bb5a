"""The command line: verbs and their options; what they do is elsewhere."""

from __future__ import annotations

import argparse
import sys
import traceback

from bench import __version__
from bench.errors import BadInput
from bench.options import measuring, results


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status.

    0 done, 1 nothing could be measured or something got slower, 2 bad input, 3 a fault of pesbench itself.
    """
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
    except Exception:  # Python's own status would be 1, and that means something here
        traceback.print_exc()
        return 3


def parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    top = argparse.ArgumentParser(
        prog="pesbench",
        description="How fast is this interatomic potential on this machine, and what do I give up for it?",
        epilog="Each verb has its own --help. Exit status: 0 done, 1 nothing measured or something slower, 2 bad input",
    )
    top.add_argument("--version", action="version", version=f"pesbench {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (
        measuring.list_methods,
        measuring.doctor,
        measuring.prepare,
        measuring.run,
        results.table,
        results.plot,
        results.compare,
        results.regress,
        results.history,
        results.baseline,
        measuring.conform,
        measuring.overhead,
        measuring.env,
    ):
        add(verbs)
    return top


if __name__ == "__main__":
    sys.exit(main())
