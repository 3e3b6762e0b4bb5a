"""Checkpoints that are not what they should be: on this disk, and from a server that does what none should."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import json
import os
import pickle
import random
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from trial import left, pesbench

from bench.environments import checkpoints
from bench.environments.catalogue import Catalogue
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.header import Checkpoint, Method

METHODS = {
    name: method
    for name, method in Catalogue().methods.items()
    if method.checkpoint is not None and not method.checkpoint.shipped
}
"""Those whose checkpoint is a file of its own; what a package ships is checked in the method's environment."""


class Payload:
    """What runs when somebody unpickles it: it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


def zipped(pickled: bytes) -> bytes:
    """Return a file as torch saves it, around a pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3")
    return file.getvalue()


BAD: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda mark: b"",
    "cut off": lambda mark: zipped(pickle.dumps({"weights": [1.0] * 1000}))[:400],
    "of another model": lambda mark: zipped(pickle.dumps({"weights": [1.0] * 1000})),
    "a page": lambda mark: b"<!doctype html><title>Sign in</title>",
    "a payload": lambda mark: pickle.dumps(Payload(mark), protocol=2),
    "a payload as torch saves": lambda mark: zipped(pickle.dumps(Payload(mark), protocol=2)),
}
"""What may lie in the place of a checkpoint."""
WAYS = len(METHODS) * len(BAD)


def swapped(seed: int, folder: Path) -> dict:
    """Put a bad file in the place of a method's checkpoint: a row says so, and nothing reads the file."""
    name, what = [*METHODS][seed // len(BAD)], [*BAD][seed % len(BAD)]
    mark, trial = folder / "the-payload-ran", f"swapped-{seed}"
    checkpoint = METHODS[name].checkpoint
    assert checkpoint is not None
    path = folder / "weights" / checkpoint.file
    path.parent.mkdir()
    if checkpoint.unpack:
        path.mkdir()
        path = path / "saved_model.pb"
    path.write_bytes(BAD[what](mark))
    process = pesbench(
        *("run", "--methods", name, "--structures", "naphthalene-gfn2", "--limit", 1, "--rounds", 1, "--threads", 1),
        *("--no-repeats", "--weights", "pretrained", "--json", "--output", folder / "runs"),
        trial=trial,
        PESBENCH_WEIGHTS=str(folder / "weights"),
        PESBENCH_CACHE=str(folder / "cache"),
    )
    out, err = process.communicate(timeout=300)
    found = {"name": f"{name}: {what}", "orphans": left(trial, 5.0), "wrong": ""}
    if mark.exists():
        return {**found, "wrong": "the payload ran"}
    if process.returncode != 1 or "Traceback" in err:
        return {**found, "wrong": f"the run ended with {process.returncode}: {err[-300:]}"}
    (row,) = json.loads(out)["rows"]
    return {**found, "wrong": "" if row["failures"] == {"no-weights": 1} else f"it was measured: {row['failures']}"}


def tarred(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return a .tar.gz archive of these entries."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for entry, content in entries:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def entry(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, to: str = "") -> tuple:
    """Return an entry of an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, to, 0o755
    return info, content


GOOD = tarred(entry("model/saved_model.pb", b"graph" * 500), entry("model/variables/index", b"index"))
INNER = entry("model/saved_model.pb", b"graph")
ARCHIVES = (
    tarred(INNER, entry("../../escaped", b"x")),
    tarred(INNER, entry("/tmp/pesbench-drill/escaped", b"x")),
    tarred(INNER, entry("model/link", kind=tarfile.SYMTYPE, to="../../../..")),
    tarred(INNER, entry("model/link", kind=tarfile.SYMTYPE, to="../../.."), entry("model/link/escaped", b"x")),
    tarred(INNER, entry("model/link", kind=tarfile.SYMTYPE, to="/etc/passwd")),
    tarred(INNER, entry("model/link", kind=tarfile.LNKTYPE, to="../../../escaped")),
    tarred(INNER, entry("model/pipe", kind=tarfile.FIFOTYPE)),
    tarred(INNER, entry("model/device", kind=tarfile.CHRTYPE)),
    tarred(entry("model", kind=tarfile.SYMTYPE, to=".")),
    tarred(entry("model", kind=tarfile.SYMTYPE, to="model")),
    tarred(),
    tarred(INNER, entry("another/saved_model.pb", b"other")),
    GOOD[: len(GOOD) // 2],
    GOOD[:-4],
    GOOD[:30],
    b"no archive",
)
"""Archives with paths and links that lead out of their folder, with what is no file, or damaged."""


class Server(http.server.BaseHTTPRequestHandler):
    """Answers each request in the way that is next in the list, and afterwards as it should."""

    ways: tuple[str, ...] = ()
    bodies: tuple[bytes, ...] = ()
    """The right file first."""
    chance = random.Random()

    def do_GET(self) -> None:
        """Answer."""
        cls = type(self)
        way, cls.ways = (cls.ways[0], cls.ways[1:]) if cls.ways else ("right", ())
        if way == "error":
            self.send_error(500)
            return
        if way == "resets":
            self.connection.close()
            return
        body = self.chance.choice(self.bodies[1:]) if way in ("another", "half of another") else self.bodies[0]
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if start >= len(body):
            self.send_error(416)
            return
        if way == "no ranges":
            start = 0
        partial = start > 0
        if way == "from the start all the same":
            start = 0
        sent = body[start:]
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if way == "twice":
            sent = sent + sent
        if way == "longer than told":
            self.send_header("Content-Length", str(len(sent)))
            sent += b"more"
        elif way != "half, of unknown length":
            self.send_header("Content-Length", str(len(sent)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        self.end_headers()
        if way.startswith("half"):
            sent = sent[: self.chance.randrange(1, max(2, len(sent)))]
        with contextlib.suppress(OSError):
            self.wfile.write(sent)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


WAYS_TO_SERVE = (
    *("half", "half", "half of another", "half, of unknown length", "twice", "longer than told", "another"),
    *("error", "resets", "no ranges", "from the start all the same"),
)


@contextlib.contextmanager
def serving(ways: tuple[str, ...], bodies: tuple[bytes, ...], chance: random.Random) -> Iterator[str]:
    """Run a server, and give its address."""
    handler = type("Handler", (Server,), {"ways": ways, "bodies": bodies, "chance": chance})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()


@contextlib.contextmanager
def caching(folder: Path) -> Iterator[None]:
    """Let the cache be this folder, and no checkpoint be here."""
    before = {name: os.environ.pop(name, None) for name in ("PESBENCH_CACHE", "PESBENCH_WEIGHTS")}
    os.environ["PESBENCH_CACHE"] = str(folder)
    try:
        yield
    finally:
        del os.environ["PESBENCH_CACHE"]
        os.environ.update({name: value for name, value in before.items() if value is not None})


def fetched(seed: int, folder: Path) -> dict:
    """Fetch from a server that misbehaves up to four times, then behaves: the end is the right file or a refusal.

    Nothing but CheckpointMissing is raised, no file is taken that is not whole and from one version, and nothing is
    written outside the folder of checkpoints or left in it. With a published hash the right file is there in the end.
    """
    chance = random.Random(seed)
    known, unpack = chance.random() < 0.6, chance.random() < 0.4
    bodies = (GOOD, *ARCHIVES) if unpack else tuple(chance.randbytes(size) for size in (300_000, 300_000, 1000))
    ways = tuple(chance.choice(WAYS_TO_SERVE) for _ in range(chance.randrange(1, 5)))
    cache = folder / "cache"
    with serving(ways, bodies, chance) as address, caching(cache):
        checkpoint = Checkpoint(
            file="model",
            licence="MIT",
            url=f"{address}/model",
            unpack=unpack,
            sha256=hashlib.sha256(bodies[0]).hexdigest() if known else None,
        )
        method = Method("m", "M", Path("x.py"), "f", "mlip", ("cpu",), ("float32",), checkpoint=checkpoint)
        found, wrong = None, ""
        for _ in range(len(ways) + 2):
            try:
                found = checkpoints.prepare(method, trust=not known or unpack)
                break
            except CheckpointMissing:
                continue
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
                break
    if found is None:
        wrong = wrong or "it was never fetched, although the server behaves now"
    elif unpack:
        inner = found.path / "saved_model.pb"
        if known and inner.read_bytes() != b"graph" * 500:
            wrong = "another archive was taken"
    # without a hash, nothing tells that a body was sent twice
    elif found.path.read_bytes() not in (bodies[:1] if known else (*bodies, 2 * bodies[0])):
        wrong = "a file was taken that the server does not have"
    beside = {path.name for path in (cache / "weights").iterdir()} - {"model"} if cache.exists() else set()
    outside = {path.name for path in folder.iterdir()} - {"cache"}
    if not wrong and (beside or outside or Path("/tmp/pesbench-drill").exists()):
        wrong = f"left behind: {sorted(beside)}, outside: {sorted(outside)}"
    return {"name": ", ".join(ways), "wrong": wrong}
