"""Makes the file that an engine reads of a method's checkpoint, with upstream's converter, into pesbench's own cache.

The converter runs in a process of its own, in an environment with the packages of the reference's family and its own.
A converted file belongs to one checkpoint and one converter: both hashes are in its place in the cache.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import paths
from bench.engine.local import died_of
from bench.engine.start import caches
from bench.environments import environments, shell
from bench.environments.catalogue import Catalogue
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.header import Conversion, Header, Method, sha256
from bench.environments.weights import Weights


class NotConverted(CheckpointMissing):
    """There is no converted file; the text is one sentence."""


FACTS = "conversion.json"
"""What is kept beside a converted file."""
TIMEOUT_SECONDS = 1800.0


def converted(
    weights: Weights,
    method: Method,
    header: Header,
    reference: Header,
    torch_backend: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Weights:
    """Return `weights` with the path of the file that an engine reads, converted now if it is not in the cache.

    Parameters
    ----------
    weights : Weights
        Those of the reference method, whose verified file is converted.
    method : Method
        The engine's.
    header : Header
        The engine's, which has a conversion.
    reference : Header
        That of the reference method, in whose environment the converter runs.
    torch_backend : str, optional
        For that environment.
    say : callable
        Called with one line before anything slow.

    Raises
    ------
    NotConverted
        Where the converter fails, or there is no file to convert.
    EnvironmentFailed
        Where its environment cannot be made.
    """
    if weights.path is None:
        raise NotConverted(f"{method.name} cannot be converted: the checkpoint of {method.engine_of} is no file.")
    conversion = header.conversion
    assert conversion is not None
    where = environment_header(header, reference)
    key = hashlib.sha256(json.dumps([sha256(weights.path), where.digest, _arguments(conversion, method)]).encode())
    folder = place(paths.cache_dir(), f"{method.name}-{key.hexdigest()[:16]}")
    if not (folder / FACTS).exists():
        environment = environments.prepare(where, "cpu", torch_backend, say)
        say(f"converting {weights.path.name} for {method.name}")
        try:
            _convert(folder, weights.path, method, conversion, environment.python)
        except OSError as error:
            why = f"{error.filename or folder}: {error.strerror}."
            raise NotConverted(f"{weights.path.name} could not be converted for {method.name}: {why}") from None
    facts = json.loads((folder / FACTS).read_text())
    return dataclasses.replace(weights, path=folder / conversion.file, facts={**(weights.facts or {}), **facts})


def place(cache: Path, name: str) -> Path:
    """Return the folder of a converted file in a cache."""
    return cache / "converted" / name


def environment_header(header: Header, reference: Header) -> Header:
    """Return the header of the converter's environment: the reference's, with the converter's packages on a CPU."""
    conversion = header.conversion
    if conversion is None or not conversion.dependencies:
        return reference
    more = (*reference.device_dependencies.get("cpu", ()), *conversion.dependencies)
    return dataclasses.replace(
        reference,
        dependencies=(*reference.dependencies, *conversion.dependencies),
        exclude_newer_package={**reference.exclude_newer_package, **header.exclude_newer_package},
        device_dependencies={**reference.device_dependencies, "cpu": more},
        digest=hashlib.sha256(json.dumps([reference.digest, conversion.dependencies]).encode()).hexdigest(),
        family=f"{reference.family} converter",
    )


def converters(catalogue: Catalogue) -> list[Header]:
    """Return the headers of the environments in which checkpoints are converted."""
    engines = [one for one in catalogue.methods.values() if one.engine_of]
    references = {one.adapter: catalogue.header(catalogue.methods[one.engine_of]) for one in engines}
    return [environment_header(catalogue.header(one), references[one.adapter]) for one in engines]


def _arguments(conversion: Conversion, method: Method) -> list[str]:
    return [*conversion.command, *method.convert]


def _convert(folder: Path, checkpoint: Path, method: Method, conversion: Conversion, python: Path) -> None:
    """Convert into a folder that appears only when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own: two commands may convert the same checkpoint at once.
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        files = {"{checkpoint}": str(checkpoint), "{converted}": str(made / conversion.file)}
        words = [files.get(word, word) for word in _arguments(conversion, method)]
        began = time.monotonic()
        failure = _run([str(python), "-I", *words], scratch)
        seconds = time.monotonic() - began
        if not failure and not (made / conversion.file).exists():
            failure = f"it wrote no {conversion.file}"
        if failure:
            raise NotConverted(f"{checkpoint.name} could not be converted for {method.name}: {failure}.")
        facts = {
            "converted_sha256": sha256(made / conversion.file),
            "converted_by": " ".join(conversion.dependencies) or " ".join(conversion.command[:2]),
            "conversion_s": round(seconds, 1),
        }
        (made / FACTS).write_text(json.dumps(facts) + "\n")
        with contextlib.suppress(OSError):  # the other command was faster; its file is the same
            made.rename(folder)
        if not (folder / FACTS).exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def _run(command: list[str], scratch: str) -> str:
    """Run the converter; returns why it failed, or nothing."""
    environ = {**shell.for_worker(), **caches(paths.cache_dir() / "upstream"), "HF_HUB_OFFLINE": "1", "TMPDIR": scratch}
    try:
        done = subprocess.run(
            command,
            env=environ,
            cwd=scratch,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"the converter did not end within {TIMEOUT_SECONDS:g} s; terminated"
    if not done.returncode:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    said = f": {lines[-1][:300].rstrip('.')}" if lines else ""
    if done.returncode < 0:
        return f"the converter {died_of(-done.returncode)}{said}"
    return f"the converter ended with status {done.returncode}{said}"
