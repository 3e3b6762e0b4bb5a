"""Reads the numbers back out of a page."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from bench.errors import BadInput
from bench.render.page.document import DATA, FORMAT

FORMS = ("json", "csv")


class _Data(HTMLParser):
    """Collects the text of the element with the numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.text: str | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and dict(attrs).get("id") == DATA:
            self._inside, self.text = True, ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.text = (self.text or "") + data


def read(path: Path) -> dict[str, Any]:
    """Return the numbers of a page; raises BadInput for a file that is no page of pesbench, or a damaged one."""
    parser = _Data()
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}.") from None
    try:
        parser.feed(text)
        found = json.loads(gzip.decompress(base64.b64decode(parser.text or "", validate=True)))
        if found["format"] != FORMAT or not isinstance(found["runs"], list):
            raise ValueError
    except (ValueError, KeyError, TypeError, EOFError, zlib.error, gzip.BadGzipFile):
        raise BadInput(f"{path} has no numbers of pesbench in it; give a file that 'pesbench report' made.") from None
    return dict(found)


def table(path: Path, protocol: str, form: str) -> str:
    """Return the results of a protocol as the page carries them; of several runs, all below each other.

    Raises BadInput where the page does not have them, or not in this format.
    """
    if form not in FORMS:
        raise BadInput(f"a page carries its numbers as json and csv; add --format json or --format csv, not {form}.")
    runs = read(path)["runs"]
    try:
        there = dict.fromkeys(name for run in runs for name in run["tables"])
        found = [run["tables"][protocol][form] for run in runs if protocol in run["tables"]]
        if form == "json":
            heads = [run["head"] for run in runs if protocol in run["tables"]]
            found = [{**one, "head": head | one["head"]} for one, head in zip(found, heads, strict=True)]
    except (KeyError, TypeError):
        raise BadInput(f"the numbers in {path} are damaged; make the page again with 'pesbench report'.") from None
    if not found:
        raise BadInput(f"{path} has no {protocol} results; it has {', '.join(there)}.")
    if form == "csv":
        head = found[0].partition("\n")[0]
        same = all(one.partition("\n")[0] == head for one in found)
        rest = [one.partition("\n")[2] for one in found[1:]] if same else ["\n" + one for one in found[1:]]
        return "".join([found[0], *rest])
    return json.dumps(found[0] if len(found) == 1 else found, indent=2, ensure_ascii=False) + "\n"
