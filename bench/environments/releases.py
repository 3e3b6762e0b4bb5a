"""Which releases of a package there are before the one that an adapter's header pins, as uv finds them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench import paths
from bench.core.device import CPU
from bench.environments import environments, interpreters, resolution
from bench.environments.header import Header
from bench.environments.uv import EnvironmentFailed, run_uv
from bench.errors import BadInput

COMMON = ("ase", "numpy", "scipy")
"""Packages that many families pin, and that none is about unless it pins nothing else."""


def current(header: Header, package: str | None, say: Callable[[str], None]) -> tuple[str, str]:
    """Return the name and version of a package in a header's environment; by default the one that the family is about.

    Only for a package that the header does not pin is the environment asked, and made if necessary. Raises BadInput
    where it is not there.
    """
    try:
        return pinned(header, package)
    except BadInput as error:
        if package is None:
            raise
        try:
            there = interpreters.ask(environments.prepare(header, say=say).python, isolated=True).packages
        except EnvironmentFailed:
            raise error from None
        name = str(canonicalize_name(package))
        if name not in there:
            raise BadInput(f"{str(error).rstrip('.')}, and its environment has no {package}, either.") from None
        return name, there[name].partition("+")[0]


def pinned(header: Header, package: str | None = None) -> tuple[str, str]:
    """Return the name and version of a package that a header pins; by default the one that the family is about.

    That is the first that is not one of :data:`COMMON`. Raises BadInput where the header does not pin it.
    """
    pins = {}
    for text in header.dependencies:
        requirement = Requirement(text)
        versions = [one.version for one in requirement.specifier if one.operator == "=="]
        if versions:
            pins[canonicalize_name(requirement.name)] = (requirement.name, versions[0])
    if not pins:
        raise BadInput(f"{header.path.name} pins no package, so there are no releases to go through.")
    if package is None:
        return next((found for name, found in pins.items() if name not in COMMON), next(iter(pins.values())))
    if canonicalize_name(package) not in pins:
        known = ", ".join(name for name, _ in pins.values())
        raise BadInput(f"{header.path.name} does not pin {package}; it pins {known}.")
    return pins[canonicalize_name(package)]


def before(header: Header, package: str, version: str, count: int) -> list[str]:
    """Return up to `count` releases of a package before `version`, the newest first, no pre-releases.

    Raises BadInput where the package index cannot be asked.
    """
    found: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        asked, answer = Path(scratch) / "asked.txt", Path(scratch) / "answer.txt"
        options = ["--quiet", "--no-deps", "--no-header", "--no-annotate", "--output-file", str(answer)]
        if header.exclude_newer:
            options += ["--exclude-newer", header.exclude_newer]
            options += ["--exclude-newer-package", f"{package}=false"] if _undated(header, package) else []
        while len(found) < count:
            asked.write_text(f"{package}<{found[-1] if found else version}\n")
            answer.unlink(missing_ok=True)
            try:
                run_uv("pip", "compile", *options, str(asked))
            except EnvironmentFailed as error:
                if found or "no version" in str(error) or "No solution" in str(error):
                    break  # there is none before
                raise BadInput(f"the releases of {package} cannot be found: {error}.") from None
            found.append(answer.read_text().strip().partition("==")[2].partition("+")[0])
    return found


def only_for_cuda(header: Header) -> bool:
    """Return whether an environment for the CPU would be made with a build of torch for CUDA, some gigabytes.

    One that is there already is not, nor one that cannot be resolved, as is seen when it is made.
    """
    if paths.kit_dir() is not None or environments.ready(header, CPU):
        return False
    python = ".".join(map(str, sys.version_info[:2]))
    with tempfile.TemporaryDirectory() as scratch:
        try:
            found, _ = resolution.first(
                resolution.backends(header, CPU, None),
                lambda one: resolution.resolve(header, CPU, python, Path(scratch), None, one),
            )
        except EnvironmentFailed:
            return False
    return any(pin.startswith("nvidia-") for pin in found)


def _undated(header: Header, package: str) -> bool:
    """Return whether a header takes a package whatever its date."""
    return header.exclude_newer_package.get(package) is False
