"""Versions of a method with the user's own checkpoint, such as a fine-tune: ``7net-0@my.pth``."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.environments.header import AT, Checkpoint, Method, sha256
from bench.errors import BadInput

LICENCE = "not known: the user's own file"
_DIGITS = 8
"""Of the hash in a label: enough to tell the files of one user apart."""


def version(method: Method, what: str) -> Method | None:
    """Return the version of a method with the checkpoint at the path `what`; None where nothing lies there.

    A relative path begins at the working directory. What is published about the method (parameters, theory, licence,
    its row of the paper) is not claimed of the version. Raises BadInput where the method takes no checkpoint, or the
    file cannot be read.
    """
    path = Path(what).expanduser().absolute()
    if not what or not path.exists():
        return None
    if method.checkpoint is None:
        raise BadInput(f"{method.name} takes no checkpoint; leave out {AT}{what}.")
    if path.is_dir() != method.checkpoint.unpack:
        kind = "folder" if method.checkpoint.unpack else "file"
        raise BadInput(f"{path} is no {kind}, which a checkpoint of {method.name} is.")
    try:
        digest = sha256(path)
    except OSError as error:
        raise BadInput(f"the checkpoint {path} cannot be read: {error.strerror}.") from None
    return dataclasses.replace(
        method,
        name=f"{method.name}{AT}{path.name}",
        label=f"{path.name} {digest[:_DIGITS]} (own, {method.name})",
        known_as=method.known_as or method.name,
        default=False,
        parameters=None,
        checkpoint=Checkpoint(file=path.name, licence=LICENCE, sha256=digest, unpack=method.checkpoint.unpack),
        theory=None,
        paper=None,
        random_weights=False,
        level="",
        tuned=(),
        own_checkpoint=str(path),
        note=f"{path.name} is the user's own checkpoint (SHA-256 {digest[:12]}), fine-tuned or trained by its owner, "
        f"loaded as one of {method.label}. What is published about {method.label} is not about it, and its licence is "
        "not known.",
    )


def missing(what: str) -> str:
    """Return what to do where `what` is no checkpoint here."""
    return f"there is no file {Path(what).expanduser().absolute()}; give the path of a checkpoint after the {AT}"
