"""What an adapter's environment consists of, as uv resolves it from the header."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bench.core.device import Device
from bench.environments.header import Header
from bench.environments.interpreters import Interpreter
from bench.environments.uv import EnvironmentFailed, run_uv, uv_environment

T = TypeVar("T")

INDEX = "index"
"""Asked for as a torch backend: whatever build the package index has, on Linux one for CUDA."""
HARNESS_REQUIREMENTS = ("threadpoolctl>=3.5",)  # the worker verifies thread counts with it


def resolve(
    header: Header,
    device: str,
    python: str,
    folder: Path,
    platform: str | None = None,
    backend: str | None = None,
    base: Interpreter | None = None,
    until: float | None = None,
) -> list[str]:
    """Return the packages, as ``name==version``, of an environment for another Python and platform; installs nothing.

    `folder` is for files of uv's. `backend` is one of uv's torch backends; None takes torch from the usual index.
    With `base`, its frameworks and their dependencies are left out, and the versions that it has are preferred where
    the header allows them. Raises EnvironmentFailed where there is no such environment, or none is found by `until`, a
    reading of time.monotonic().
    """
    requirements, options = wanted(header, device, folder, base)
    more, found = folder / "requirements.txt", folder / "resolved.txt"
    more.write_text("\n".join(requirements) + "\n")
    if base is not None:
        found.write_text("\n".join(base.pins()) + "\n")  # uv prefers the versions that the file has
        excluded = folder / "excluded.txt"
        excluded.write_text("\n".join(base.excluded) + "\n")
        options += ["--excludes", str(excluded)]
    where = ["--python-version", python, *(["--python-platform", platform] if platform else [])]
    output = ["--quiet", "--no-python-downloads", "--no-header", "--no-annotate", "--output-file", str(found)]
    options += [*where, *output, *torch_options(backend)]
    run_uv("pip", "compile", *options, str(header.path), str(more), until=until)
    return found.read_text().splitlines()


def first(backends: Sequence[str | None], attempt: Callable[[str | None], T]) -> tuple[T, str | None]:
    """Return what `attempt` returns for the first torch backend that can be had, and that backend.

    Raises the EnvironmentFailed of the last one where none can be had.
    """
    *others, last = backends
    for backend in others:
        try:
            return attempt(backend), backend
        except EnvironmentFailed:
            continue
    return attempt(last), last


def wanted(header: Header, device: str, folder: Path, base: Interpreter | None = None) -> tuple[list[str], list[str]]:
    """Return what an environment needs besides the header's dependencies, and the options for uv."""
    requirements, options = [*HARNESS_REQUIREMENTS], _age(header)
    kind = Device.parse(device).kind.name
    additional = [
        name for name in header.device_dependencies.get(kind, ()) if base is None or not base.is_framework(name)
    ]
    if additional:
        requirements += additional
        # the overrides that keep a package out of the other variants would keep it out of this one, too
        overrides = folder / f"{kind}-overrides.txt"
        overrides.write_text("\n".join(additional) + "\n")
        options += ["--overrides", str(overrides)]
    return requirements, options


def torch_options(backend: str | None) -> list[str]:
    """Return uv's options for a build of torch.

    With one, uv takes Triton, too, from PyTorch's own index, which does not say when a file was uploaded: with
    exclude-newer alone, uv would ignore all of them. A torch asks for exactly one version of Triton, so nothing is
    left open.
    """
    return ["--torch-backend", backend, "--exclude-newer-package", "triton=false"] if backend else []


def backends(header: Header, device: str, asked: str | None, base: Interpreter | None = None) -> Sequence[str | None]:
    """Return which of uv's torch backends to try, in order; None takes torch from the configured index.

    On Linux, the index's own torch comes with gigabytes of CUDA, so a CPU environment takes the CPU build, unless the
    user has a wheel of it in a folder. Behind a mirror with nothing but the index, the index's torch is used.
    """
    if base is not None and "torch" in base.frameworks:
        return [None]
    if not any(name.partition("==")[0].strip() == "torch" for name in header.dependencies):
        return [None]
    if asked:
        return [None if asked == INDEX else asked]
    kind = Device.parse(device).kind
    return [None] if not kind.accelerator and uv_environment().get("UV_FIND_LINKS") else kind.torch_backends


def _age(header: Header) -> list[str]:
    """Return the header's exclude-newer as options: `uv pip` reads the header's overrides, but not this key."""
    options = ["--exclude-newer", header.exclude_newer] if header.exclude_newer else []
    for package, until in header.exclude_newer_package.items():
        value = "false" if until is False else str(until)
        options += ["--exclude-newer-package", f"{package}={value}"]
    return options
