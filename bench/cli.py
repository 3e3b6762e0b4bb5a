"""The command line: finds the verb and its options, and turns errors into an exit status."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import errno
import gc
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from bench import __version__
from bench.commands import Verb, _declared, verbs
from bench.core.likely import similar
from bench.errors import BadInput
from bench.paths import cache_dir, program, told

OF_THE_DISK = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room there and try again"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "see who may write there, or choose another place"),
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "choose another place",
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""Errors that no verb can do anything about, and what the user can do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    0 done, 1 nothing could be measured or something got slower, 2 bad input, 3 a bug in pesbench itself.
    """
    # nearly everything that a verb makes lives until it ends; to look for garbage took a tenth of the time of a report
    gc.set_threshold(100_000)
    # matplotlib draws the figures; by default it would make a folder in the user's home
    os.environ.setdefault("MPLCONFIGDIR", str(cache_dir() / "matplotlib"))
    try:
        verb, options = parse(arguments)
        return verb.run(options)
    except BadInput as error:
        print(f"pesbench: {told(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("pesbench: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the pipe, such as head, has stopped reading
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno not in OF_THE_DISK:
            traceback.print_exc()
            return 3
        where = f"{error.filename}: " if error.filename else ""
        print(f"pesbench: {where}{error.strerror}; {OF_THE_DISK[error.errno]}.", file=sys.stderr)
        return 2
    except Exception:  # Python's own status would be 1, which has another meaning here
        traceback.print_exc()
        return 3


def parse(arguments: Sequence[str] | None = None) -> tuple[Verb, Any]:
    """Return the verb of a command line and its options; raises SystemExit where the line cannot be parsed."""
    known = verbs()
    top = parser(known)
    top.words = sys.argv[1:] if arguments is None else arguments
    given = vars(top.parse_args(arguments))
    verb = known[given.pop("verb")]
    # argparse collects lists; options are immutable from here on
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return verb, verb.options(**values)


_MOST_IN_USAGE = 10
"""Options that the usage of a verb lists."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without argparse's page of usage before it."""

    words: Sequence[str] = ()
    """The command line."""

    def error(self, message: str) -> NoReturn:
        message = _helped(message, self.words or self.prog.split()[-1:])  # a verb's own parser knows its name alone
        hint = "" if message.endswith((".", "?")) else f"; see '{self.prog} --help'."
        self.exit(2, f"pesbench: {told(message)}{hint}\n")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Wraps a verb's description and its options with the commands as they can be typed here; examples stay lines."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        # names and options have hyphens
        return textwrap.wrap(" ".join(told(text).split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        text = told(text)
        if text.startswith("example") or max(map(len, text.splitlines())) <= width:
            return super()._fill_text(text, width, indent)
        return textwrap.fill(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Add the usage; of a verb with many options, which stand below, without each of them."""
        actions = list(actions)
        free = [one for one in actions if one.option_strings and not one.required]
        if len(free) > _MOST_IN_USAGE and not any(group.required for group in groups):
            needed = [one for one in actions if one not in free]
            usage = f"%(prog)s [OPTION ...] {self._format_actions_usage(needed, [])}".strip()
        super().add_usage(usage, actions, groups, prefix)


def _helped(message: str, words: Sequence[str]) -> str:
    """Return argparse's complaint about a command line with what the user may have meant."""
    if found := re.match(r"argument VERB: invalid choice: '([^']*)'", message):
        near = similar(found[1], verbs())
        return f"there is no verb {found[1]!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
    if message.startswith("the following arguments are required: VERB"):
        return "name a verb, such as 'pesbench run'"
    if (found := re.match(r"the following arguments are required: (.*)", message)) and words:
        return f"{words[0]} needs {'an action' if found[1] == 'action' else found[1]}"
    if (found := re.match(r"one of the arguments (.*) is required", message)) and words:
        return f"{words[0]} needs one of {', '.join(found[1].split())}"
    if found := re.match(r"argument (\S+): invalid choice: '([^']*)' \(choose from (.*)\)", message):
        names = [name.strip("' ") for name in found[3].split(",")]
        near = similar(found[2], names, most=1)
        meant = f"did you mean {near[0]}?" if near else f"it takes {', '.join(names)}."
        what = found[1].split("/")[-1] if found[1].startswith("-") or not words else words[0]
        return f"{what} does not take {found[2]!r}; {meant}"
    if found := re.match(r"argument (\S+): invalid (int|float) value: ('.*')", message):
        return f"{found[1].split('/')[-1]} takes a {'whole ' if found[2] == 'int' else ''}number, not {found[3]}."
    if (found := re.match(r"unrecognized arguments: (--[\w-]+)", message)) and words and words[0] in verbs():
        fields = {
            _declared.flag(one.name): _declared.declared(one) for one in dataclasses.fields(verbs()[words[0]].options)
        }
        near = difflib.get_close_matches(found[1], fields, n=1, cutoff=0.75)
        if near and fields[near[0]].positional:  # other verbs take it as an option
            return f"{words[0]} takes {fields[near[0]].metavar} without an option; leave out {found[1]}."
        meant = f"did you mean {near[0]}?" if near else f"see 'pesbench {words[0]} --help'."
        return f"{words[0]} has no option {found[1]}; {meant}"
    if found := re.match(r"unrecognized arguments: ([^-].*)", message):
        commas = _commas(found[1].split(), words)
        if commas or not words or words[0] not in verbs():
            return f"{message}{commas}"
        return f"{words[0]} does not take {found[1]!r}; see 'pesbench {words[0]} --help'."
    return message


def _commas(left: list[str], words: Sequence[str]) -> str:
    """Return how a list of names is written, where these words follow one; empty elsewhere."""
    before = list(words).index(left[0]) - 2 if left[0] in words else -1
    if before < 0 or words[before] not in {flag for verb in verbs().values() for flag in _declared.lists(verb.options)}:
        return ""
    option, first = words[before], words[before + 1]
    return f"; {option} takes a list with commas and no blanks: {option} {','.join((first.rstrip(','), *left))}"


def parser(known: Mapping[str, Verb]) -> _Parser:
    """Return the parser for the verbs; raises TypeError where a field of a verb's dataclass is no option."""
    top = _Parser(
        prog=program(),
        description="How fast is this interatomic potential on this machine, and what do I give up for it?",
        epilog="Each verb has its own --help. Exit status: 0 done, 1 nothing measured or something slower, 2 bad input",
        formatter_class=_Help,
    )
    top.add_argument("--version", action="version", version=f"pesbench {__version__}")
    chosen = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in known.values():
        summary = verb.help.partition(".")[0]
        one = chosen.add_parser(
            verb.name,
            help=summary[0].lower() + summary[1:],
            description=verb.help,
            epilog="\n  ".join(["example:" if len(verb.examples) == 1 else "examples:", *verb.examples]),
            formatter_class=_Help,
        )
        _declared.add(one, verb.options)
    return top


if __name__ == "__main__":
    sys.exit(main())
