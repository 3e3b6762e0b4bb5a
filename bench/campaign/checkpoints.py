"""Finds a method's checkpoint, fetches it where it is free to fetch, and verifies it before anything reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from bench import paths
from bench.adapter import Checkpoint, Method


class CheckpointMissing(Exception):
    """A checkpoint is not there or not the one that the header names; the text is one sentence."""


def find(method: Method) -> Path | None:
    """Return the verified checkpoint of `method`; None where it needs none or its package ships it.

    Looks in the folder that PESBENCH_WEIGHTS names (and its sub-folders), then in the cache. No network.
    Raises CheckpointMissing.
    """
    checkpoint = method.checkpoint
    if checkpoint is None or checkpoint.shipped:
        return None
    for path in _places(checkpoint):
        if path.is_file():
            _verify(path, checkpoint)
            return path
    raise CheckpointMissing(f"the checkpoint {checkpoint.file} is not here; {how_to_get(method)}")


def prepare(method: Method, say: Callable[[str], None] = lambda line: None) -> Path | None:
    """Return the verified checkpoint of `method`, fetched into the cache if need be; raises CheckpointMissing."""
    try:
        return find(method)
    except CheckpointMissing:
        checkpoint = method.checkpoint
        assert checkpoint is not None
        if checkpoint.url is None or checkpoint.sha256 is None:
            raise
    say(f"fetching {checkpoint.file} ({(checkpoint.bytes or 0) / 1e6:.0f} MB, {checkpoint.licence})")
    import pooch

    folder = paths.cache_dir() / "weights"
    try:
        # pooch writes to a temporary file and moves it into place once its hash is right
        return Path(
            pooch.retrieve(
                checkpoint.url,
                known_hash=f"sha256:{checkpoint.sha256}",
                fname=checkpoint.file,
                path=folder,
                downloader=pooch.HTTPDownloader(timeout=20),
            )
        )
    except ValueError as error:
        raise CheckpointMissing(f"{checkpoint.url} gave a file with the wrong SHA-256: {error}") from None
    except OSError as error:  # what requests raises is an OSError too
        raise CheckpointMissing(
            f"the checkpoint {checkpoint.file} could not be fetched ({type(error).__name__}); {how_to_get(method)}"
        ) from None


def how_to_get(method: Method) -> str:
    """Return how a user gets a checkpoint that is not here."""
    checkpoint = method.checkpoint
    assert checkpoint is not None
    source = checkpoint.gated or checkpoint.url or "its authors' page"
    return f"get it from {source} and put it into the folder that PESBENCH_WEIGHTS names."


def _places(checkpoint: Checkpoint) -> list[Path]:
    ready = paths.weights_dir()
    named = [ready / checkpoint.file, *sorted(ready.glob(f"*/{checkpoint.file}"))] if ready else []
    return [*named, paths.cache_dir() / "weights" / checkpoint.file]


def _verify(path: Path, checkpoint: Checkpoint) -> None:
    if checkpoint.sha256 is None:
        raise CheckpointMissing(
            f"{path} is there, but its authors publish no SHA-256, so pesbench does not unpickle it."
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != checkpoint.sha256:
        raise CheckpointMissing(
            f"{path} has SHA-256 {found[:12]}..., not {checkpoint.sha256[:12]}...; remove it and get it again."
        )
