"""Interpreters that a user has already, with torch, JAX or TensorFlow: a site's module, a container's Python."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from bench.environments import inside, shell
from bench.environments.header import Header
from bench.environments.uv import EnvironmentFailed

FRAMEWORKS = (
    *("torch", "torchvision", "triton", "pytorch-triton"),
    *("jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda12-pjrt", "jax-cuda13-plugin", "jax-cuda13-pjrt"),
    *("tensorflow", "keras"),
)
"""Taken from the interpreter in whatever version it has: they are why one brings it, and fit its hardware."""
VARIABLE = "PESBENCH_ON_TOP_OF"
_OLDEST = (3, 11)


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """An interpreter of the user, and the packages that it has."""

    python: Path | None
    """None: only its list of packages is known, because it is on another machine."""
    version: str
    """Such as 3.12.4; without an interpreter, as much of it as is known."""
    folders: tuple[str, ...]
    """Where its packages are, in the order in which they are searched."""
    packages: dict[str, str]
    """Version by canonical name."""

    @property
    def key(self) -> str:
        """Return a word that changes with the interpreter and with any of its packages."""
        made_from = [str(self.python), self.version, self.folders, sorted(self.packages.items())]
        return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:10]

    @property
    def frameworks(self) -> dict[str, str]:
        """Return the version of each framework that it has."""
        return {name: self.packages[name] for name in FRAMEWORKS if name in self.packages}

    @property
    def excluded(self) -> list[str]:
        """Return the frameworks that no environment on top of it installs; JAX's plugin for another CUDA is one."""
        return [name for name in FRAMEWORKS if self.is_framework(name)]

    def is_framework(self, requirement: str) -> bool:
        """Return whether a requirement, such as ``jax[cuda12]==0.10.2``, is for a framework that it has."""
        name = canonicalize_name(Requirement(requirement).name)
        return _any_cuda(name) in map(_any_cuda, self.frameworks)

    def has(self, name: str, version: str) -> bool:
        """Return whether it has a package in this version, of whatever build (2.6.0+cu124 is a 2.6.0)."""
        has = self.packages.get(canonicalize_name(name))
        return has is not None and _public(has) == _public(version)

    def pins(self) -> list[str]:
        """Return its packages as ``name==version``."""
        return [f"{name}=={public}" for name, version in self.packages.items() if (public := _public(version))]

    def split(self, wanted: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return which packages, each ``name==version``, are missing and which of them it has.

        Packages compiled for NumPy 1 fail with NumPy 2, and the other way round, so where it has another one than an
        environment needs, nothing but the frameworks is taken from it.
        """
        pins = [pin for pin in wanted if "==" in pin]
        frameworks = [pin for pin in pins if self.is_framework(pin)]
        same = [pin for pin in pins if self.has(*pin.split("=="))]
        major = self.packages.get("numpy", "").partition(".")[0]
        if any(pin.startswith("numpy==") and not pin.startswith(f"numpy=={major}.") for pin in pins):
            same = []
        there = [pin for pin in pins if pin in (*frameworks, *same)]
        return [pin for pin in pins if pin not in there], there

    def differences(self, header: Header, among: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return where its Python and its packages, or those `among` them that it has, differ from a header's pins."""
        found = []
        for requirement in map(Requirement, header.dependencies):
            name = canonicalize_name(requirement.name)
            has = self.packages.get(name)
            if among is not None and (has is None or name not in among):
                continue
            if has is None or has not in requirement.specifier:
                found.append(f"{requirement.name} {has or 'missing'} instead of {requirement.specifier}")
        if self.python is not None and self.version not in SpecifierSet(header.requires_python):
            found.append(f"Python {self.version} instead of {header.requires_python}")
        return tuple(found)


def chosen(named: str | None) -> Interpreter | None:
    """Return the interpreter to build on: the one that is named, or PESBENCH_ON_TOP_OF; None where neither is.

    Raises EnvironmentFailed where it does not run or is too old.
    """
    python = named or os.environ.get(VARIABLE)
    return ask(python) if python else None


def ask(python: str | Path, isolated: bool = False) -> Interpreter:
    """Return what an interpreter has; raises EnvironmentFailed where it does not run or is too old.

    Unless `isolated`, what PYTHONPATH adds counts, as the modules of a site set it.
    """
    return _ask(Path.cwd() / python, isolated)  # not resolved: a link makes a virtual environment


@functools.cache
def _ask(python: Path, isolated: bool) -> Interpreter:
    asked = [str(python), "-I" if isolated else "-s", inside.__file__]
    environ = {**shell.for_worker(also=shell.PYTHON), "PYTHONSAFEPATH": "1"}  # without the folder of the script
    try:
        done = subprocess.run(asked, env=environ, capture_output=True, text=True, timeout=60, check=True)
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise EnvironmentFailed(f"{python} is not a working Python ({type(error).__name__})") from None
    version = ".".join(map(str, found["version"]))
    if tuple(found["version"]) < _OLDEST:
        raise EnvironmentFailed(f"{python} is Python {version}; pesbench needs 3.11 or later")
    packages = {str(canonicalize_name(name)): told for name, told in found["packages"].items()}
    return Interpreter(python, version, tuple(found["folders"]), packages)


def listed(file: Path, version: str) -> Interpreter:
    """Return the interpreter whose packages ``pip list --format json`` wrote to `file`; raises EnvironmentFailed."""
    try:
        told = json.loads(file.read_bytes())
        packages = {str(canonicalize_name(one["name"])): str(one["version"]) for one in told}
    except (OSError, ValueError, TypeError, KeyError):
        packages = {}
    if not packages:
        raise EnvironmentFailed(f"{file} is not a list of packages; write one with 'PYTHON -m pip list --format json'")
    return Interpreter(None, version, (), packages)


def _any_cuda(name: str) -> str:
    """Return the name of a package without the version of CUDA in it: jax-cuda-plugin for jax-cuda12-plugin."""
    return re.sub(r"-cuda\d+-", "-cuda-", name)


def _public(version: str) -> str | None:
    """Return a version without the build's own part; None where it is not a version."""
    try:
        return Version(version).public
    except InvalidVersion:
        return None
