"""Collects the command lines that a person is told: in the documents, in the Makefile, and in what pesbench says."""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from bench.commands import verbs

PROJECT = Path(__file__).parents[2]
VERBS = verbs()
_COMMAND = rf"(?:\.venv/bin/)?(pesbench (?:{'|'.join(VERBS)})\b[^'`\n]*|make [a-z0-9]+\b[^'`\n]*)"
_QUOTED = re.compile(rf"(?:'|`+){_COMMAND}(?:'|`+)")
_VERB = re.compile(rf"\bpesbench ({'|'.join(VERBS)})\b")


@dataclasses.dataclass(frozen=True)
class Told:
    """A command line, and where it stands."""

    line: str
    """Begins with ``pesbench`` or ``make``."""
    where: str


def collected() -> list[Told]:
    """Return every command line, in the order of the files."""
    found = []
    for path in [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]:
        found += [Told(line, path.name) for line in of_document(path.read_text())]
    for path in sources():
        found += [Told(line, str(path.relative_to(PROJECT))) for line in of_source(path.read_text())]
    makefile = (PROJECT / "Makefile").read_text()
    found += [Told(line, "Makefile") for line in of_makefile(makefile)]
    return found


def sources() -> list[Path]:
    """Return the files whose strings are looked through."""
    return [*sorted((PROJECT / "bench").rglob("*.py")), *sorted((PROJECT / "adapters").glob("*.py"))]


def of_document(text: str) -> Iterator[str]:
    """Find command lines in the code blocks of a document, and between its backticks."""
    for block in re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(r"\s*(\$ )?(\.venv/bin/)?(pesbench|make) ", line):
                yield shlex.join(_words(line.strip().removeprefix("$ ")))
    for span in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)):
        words = _words(" ".join(span.split()))
        if words[:1] in (["pesbench"], ["make"]) and len(words) > 1:
            yield shlex.join(words)
        elif words[:1] and words[0] in VERBS and len(words) > 1:  # `table paper`, once pesbench was named
            yield shlex.join(["pesbench", *words])


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # it is no command line
        return []
    return [word.removeprefix(".venv/bin/") for word in words]


def of_source(text: str) -> Iterator[str]:
    """Find command lines in the strings of a module; what an f-string fills in is left as ``{...}``."""
    for string in strings(text):
        yield from ([string] if _VERB.match(string) else _QUOTED.findall(string))


def unquoted(text: str) -> Iterator[str]:
    """Find strings of a module that name a command line without quotes, where nobody sees its end."""
    for string in strings(text):
        if not _VERB.match(string) and len(_VERB.findall(string)) > len(
            _VERB.findall(" ".join(_QUOTED.findall(string)))
        ):
            yield string


def strings(text: str) -> Iterator[str]:
    """Return the strings of a module."""
    parts = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
                for part in node.values
                if isinstance(part, ast.Constant | ast.FormattedValue)
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def of_makefile(text: str) -> Iterator[str]:
    """Find the targets that ``make help`` lists, what comments quote, and what the help names."""
    yield from (f"make {target}" for target in re.findall(r"^([a-z]+):.*?## ", text, re.MULTILINE))
    yield from (found for comment in re.findall(r"^#.*", text, re.MULTILINE) for found in _QUOTED.findall(comment))
    yield from (f"make {rest.strip()}" for rest in re.findall(r"^# make ([a-z]+ .*)", text, re.MULTILINE))
    yield from re.findall(r"see \$\(BIN\)/(pesbench [^);]*)", text)
