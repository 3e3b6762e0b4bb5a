"""Finds a method's checkpoint, fetches it, and verifies it before anything unpickles it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import shlex
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from bench import paths
from bench.environments import shell
from bench.environments.header import Checkpoint, Method, sha256

if TYPE_CHECKING:
    import requests  # takes its time to import

CHUNK = 1 << 16
REDIRECTS = 10
HUGGING_FACE = "https://huggingface.co"
"""The only address to which the user's token goes, unless HF_ENDPOINT names another."""


class CheckpointMissing(Exception):
    """A checkpoint is missing or is not the one in the header; the text is one sentence."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A checkpoint that may be loaded."""

    path: Path
    sha256: str
    known_by: str
    """Who vouches for the hash: ``header`` (published), ``user`` (--trust-checkpoint, now or before)."""

    def facts(self) -> dict[str, Any]:
        """Return what a record says about it, without folders of this machine."""
        return {"file": self.path.name, "sha256": self.sha256, "known_by": self.known_by}


def find(method: Method, trust: bool = False) -> Found | None:
    """Return the verified checkpoint of `method`; None where it needs none or its package ships it.

    Looks in the folder that PESBENCH_WEIGHTS names (and its subfolders), then in the cache. No network. With
    `trust`, a file whose authors publish no hash is accepted, and its hash is remembered. Raises
    CheckpointMissing.
    """
    checkpoint = method.checkpoint
    if checkpoint is None or checkpoint.shipped:
        return None
    for path in _places(checkpoint):
        if path.exists():
            return _verified(path, checkpoint, trust)
    raise CheckpointMissing(f"the checkpoint {checkpoint.file} is not here; {how_to_get(method)}")


def users_own(path: Path, trust: bool, folder: bool = False) -> Found:
    """Return a checkpoint that the user names, such as a fine-tune; raises CheckpointMissing unless trusted.

    `folder`: it is a folder and not a file, as for a method whose own checkpoint has to be unpacked.
    """
    if not (path.is_dir() if folder else path.is_file()):
        raise CheckpointMissing(f"there is no checkpoint {path}, or it is no {'folder' if folder else 'file'}.")
    return _verified(path, Checkpoint(file=path.name, licence=""), trust, own=True)


def prepare(method: Method, trust: bool = False, say: Callable[[str], None] = lambda line: None) -> Found | None:
    """Return the verified checkpoint of `method`, fetched into the cache if need be; raises CheckpointMissing."""
    checkpoint = method.checkpoint
    if checkpoint is None or checkpoint.shipped or any(path.exists() for path in _places(checkpoint)):
        return find(method, trust)
    url = _mirrored(checkpoint.url or "")
    token = os.environ.get("HF_TOKEN") if checkpoint.gated else None
    if not url or (checkpoint.gated and _is_hugging_face(url) and not token):
        raise CheckpointMissing(f"the checkpoint {checkpoint.file} is not here; {how_to_get(method)}")
    if checkpoint.sha256 is None and not trust:
        raise CheckpointMissing(f"the checkpoint {checkpoint.file} is not here; {_unpublished(method)}")
    folder = paths.cache_dir() / "weights"
    size = f"{checkpoint.bytes / 1e6:.0f} MB, " if checkpoint.bytes else ""
    say(f"fetching {checkpoint.file} ({size}licence: {checkpoint.licence})")
    target, part = folder / checkpoint.file, folder / f"{checkpoint.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if checkpoint.sha256 is None:  # nothing would tell that the rest is of another version of the file
            part.unlink(missing_ok=True)
        _download(url, part, token)
    except OSError as error:  # exceptions of requests are OSErrors too
        why = error.strerror or type(error).__name__
        raise CheckpointMissing(
            f"the checkpoint {checkpoint.file} could not be fetched ({why}); {how_to_get(method)}"
        ) from None
    if checkpoint.sha256 is not None and (found := sha256(part)) != checkpoint.sha256:
        part.unlink()  # or each later try would go on with it
        raise CheckpointMissing(
            f"the file from {shell.without_passwords(url)} has SHA-256 {found[:12]}..., "
            f"not {checkpoint.sha256[:12]}...; it was removed, try again."
        )
    if checkpoint.unpack:
        _unpack(part, target, shell.without_passwords(url))
    else:
        part.rename(target)
    return find(method, trust)


def how_to_get(method: Method) -> str:
    """Return how the user can get a missing checkpoint."""
    checkpoint = method.checkpoint
    assert checkpoint is not None
    if checkpoint.gated:
        token = "set HF_TOKEN, or " if _is_hugging_face(_mirrored(checkpoint.url or "")) else ""
        return f"ask for access at {checkpoint.gated} and {token}put the file into PESBENCH_WEIGHTS."
    if checkpoint.url and checkpoint.sha256 is None:
        return _unpublished(method)
    source = checkpoint.url or "its authors' page"
    return f"get it from {source} and put it into the folder that PESBENCH_WEIGHTS names."


def _unpublished(method: Method) -> str:
    ours = method.adapter.parent == paths.adapters_dir()
    adapter = "" if ours else f" --adapter {shlex.quote(str(method.adapter))}"
    return (
        "its authors publish no SHA-256 to check it by; "
        f"'pesbench prepare {method.name}{adapter} --trust-checkpoint' fetches it anyway."
    )


def _places(checkpoint: Checkpoint) -> list[Path]:
    ready = paths.weights_dir()
    named = [ready / checkpoint.file, *sorted(ready.glob(f"*/{checkpoint.file}"))] if ready else []
    return [*named, paths.cache_dir() / "weights" / checkpoint.file]


def _verified(path: Path, checkpoint: Checkpoint, trust: bool, own: bool = False) -> Found:
    try:
        found = sha256(path)
    except OSError as error:
        raise CheckpointMissing(f"{path} cannot be read: {error.strerror}.") from None
    if checkpoint.sha256 is not None and not checkpoint.unpack:
        if found != checkpoint.sha256:
            raise CheckpointMissing(
                f"{path} has SHA-256 {found[:12]}..., not {checkpoint.sha256[:12]}...; remove it and get it again."
            )
        return Found(path, found, "header")
    ledger = paths.cache_dir() / "trusted-checkpoints.json"
    trusted = _trusted(ledger)
    if trusted.get(checkpoint.file) != found:
        if not trust:
            whose = "it is your own file" if own else "its authors publish none"
            raise CheckpointMissing(
                f"there is no published checksum by which to check {path}: {whose}. Loading a checkpoint can run any "
                "program that is hidden in it; add --trust-checkpoint if you know where it comes from."
            )
        with contextlib.suppress(OSError):  # where the cache is read-only, the user is asked again
            ledger.parent.mkdir(parents=True, exist_ok=True)
            ledger.write_text(json.dumps({**trusted, checkpoint.file: found}, indent=1) + "\n")
    return Found(path, found, "user")


def _trusted(ledger: Path) -> dict[str, str]:
    """Return the hashes that the user trusts, by file; none where they cannot be read."""
    try:
        read = json.loads(ledger.read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _download(url: str, part: Path, token: str | None) -> None:
    """Fetch `url` to `part`; what is there from an interrupted download is continued. Raises OSError."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    with _ask(url, {"Range": f"bytes={have}-"} if have else {}, token) as answer:
        partial = answer.status_code == requests.codes.partial_content
        beyond = answer.status_code == requests.codes.requested_range_not_satisfiable
        if have and (beyond or (partial and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"))):
            part.unlink()
            _download(url, part, token)
            return
        answer.raise_for_status()
        if not answer.headers.keys() & {"content-length", "transfer-encoding"}:
            raise OSError(errno.EPROTO, "the server does not say how long the file is")
        with part.open("ab" if partial else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)


def _ask(url: str, headers: dict[str, str], token: str | None) -> requests.Response:
    """Return the answer to a request, after following redirects; only Hugging Face is shown the token."""
    import requests

    for _ in range(REDIRECTS + 1):
        shown = {"Authorization": f"Bearer {token}"} if token and _is_hugging_face(url) else {}
        # each redirect is a request of its own, so that each address is judged by itself
        answer = requests.get(url, headers={**headers, **shown}, stream=True, timeout=20, allow_redirects=False)
        if not answer.is_redirect:
            return answer
        answer.close()
        url = urljoin(url, answer.headers["Location"])
    raise OSError(errno.ELOOP, "the server redirects too often")


def _endpoint() -> str:
    """Return Hugging Face's own address, or that of the mirror that the user's HF_ENDPOINT names."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUGGING_FACE


def _mirrored(url: str) -> str:
    """Return the address of a file of Hugging Face on the mirror, if there is one; any other address as it is."""
    return _endpoint() + url.removeprefix(HUGGING_FACE) if url.startswith(f"{HUGGING_FACE}/") else url


def _is_hugging_face(url: str) -> bool:
    there, wanted = urlsplit(url), urlsplit(_endpoint())
    return (there.scheme, there.netloc.lower()) == (wanted.scheme, wanted.netloc.lower())


def _unpack(archive: Path, target: Path, url: str) -> None:
    """Unpack an archive that holds one folder, and name that folder `target`; the archive is removed."""
    scratch = target.with_name(f"{target.name}.unpacked")
    shutil.rmtree(scratch, ignore_errors=True)  # an earlier process may have been killed
    try:
        scratch.mkdir()
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")  # refuses what leads out of the folder, and what is no file
        inner = [*scratch.iterdir()]
        if not inner:
            raise tarfile.TarError("it is empty")
        alone = len(inner) == 1 and inner[0].is_dir() and not inner[0].is_symlink()
        (inner[0] if alone else scratch).rename(target)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise CheckpointMissing(f"the archive from {url} cannot be unpacked ({error}).") from None
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)
