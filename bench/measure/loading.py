"""Loads a method from its adapter file; any error on the way becomes a failure with a class."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.adapter import Adapter
from bench.core.failure import Failure


class NotReady(Exception):
    """The method cannot be measured; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure


@contextlib.contextmanager
def stage(loading: bool) -> Iterator[None]:
    """Turn an error before the first structure into NotReady; its traceback goes to the log."""
    try:
        yield
    except Exception as error:
        from bench.measure.relax import classify

        failure = classify(error)
        if isinstance(error, NotThisCheckpoint):
            failure = Failure("load", str(error))
        elif loading and failure.kind == "calculator":
            failure = Failure("load", failure.message)
        raise NotReady(failure) from error


class NotThisCheckpoint(Exception):
    """The user's own checkpoint cannot be loaded."""


@contextlib.contextmanager
def explained(checkpoint: Mapping[str, Any] | None, method: str) -> Iterator[None]:
    """Say of a user's own checkpoint that it cannot be loaded: libraries say things like "invalid literal for int()".

    `checkpoint` has the facts of the file, as in the records. What is missing on the machine stays as it is.
    """
    try:
        yield
    except Exception as error:
        own = (checkpoint or {}).get("known_by") == "user"
        if not own or isinstance(error, ImportError | MemoryError) or "out of memory" in str(error).lower():
            raise
        assert checkpoint is not None
        raise NotThisCheckpoint(
            f"{checkpoint['file']} cannot be loaded as a checkpoint of {method}: the file is damaged, or it is one of "
            f"another model or version ({type(error).__name__}: {error})"
        ) from error


def load_adapter(path: str | Path) -> Adapter:
    """Import an adapter file and return an instance of its one subclass of Adapter."""
    spec = importlib.util.spec_from_file_location("pesbench_adapter", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["pesbench_adapter"] = module
    spec.loader.exec_module(module)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Adapter) and value.__module__ == "pesbench_adapter"
    ]
    if len(classes) != 1:
        raise TypeError(f"{path} has {len(classes)} subclasses of bench.adapter.Adapter; it must have one")
    return classes[0]()


def check_size(adapter: Adapter, weights: str, published: int | None) -> None:
    """Refuse a random model without the size of the published one: its speed would not be faithful."""
    if weights != "random" or published is None:
        return
    count = adapter.count_parameters()
    if count is None or abs(count - published) > 0.001 * published:
        raise ValueError(f"the random model has {count} parameters, the published one {published}")
