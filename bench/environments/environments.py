"""Makes each method's environment from its adapter's header, with uv, in `.envs/`; lists and removes them."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from uv import find_uv_bin

from bench import paths
from bench.core.device import Device
from bench.core.records import AS_ASKED
from bench.environments import inside, interpreters, kits, resolution
from bench.environments.header import Header
from bench.environments.interpreters import FRAMEWORKS, Interpreter
from bench.environments.uv import EnvironmentFailed, run_uv, uv_environment

WORKER_PACKAGES = ("ase", "numpy")
STAMP = "pesbench.json"
SIZES = "sizes.json"
"""The file beside the environments with what their files add up to."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """A method's environment: an interpreter, and what is known about it."""

    python: Path
    torch_backend: str | None
    differences: tuple[str, ...] | None = None
    """For an interpreter of the user: how it differs from the header."""
    on_top_of: str | None = None
    """The interpreter that this one is made on top of, and the packages that come from it."""
    scratch: tuple[str, ...] = ()
    """What a worker uses from this machine's own disk; see :mod:`bench.environments.scratch`."""

    def facts(self) -> dict[str, str]:
        """Return what a worker's record says about it."""
        found = {"torch_backend": self.torch_backend} if self.torch_backend else {}
        if self.differences is not None:
            found["brought"] = "; ".join(self.differences) or AS_ASKED
        if self.on_top_of is not None:
            found["on_top_of"] = self.on_top_of
        if self.scratch:
            found["scratch"] = ", ".join(self.scratch)
        return found


def directory(header: Header, device: str, torch_backend: str | None, base: Interpreter | None = None) -> Path:
    """Return the folder of an environment; its name changes with the header, and with what it is made on top of."""
    variant = Device.parse(device).kind.name
    backend = f"-{torch_backend}" if torch_backend else ""
    on_top = f"-on-{base.key}" if base else ""
    return paths.envs_dir() / f"{header.path.stem}-{variant}{backend}{on_top}-{header.digest[:10]}"


def ready(
    header: Header, device: str, torch_backend: str | None = None, base: Interpreter | None = None
) -> Environment | None:
    """Return the environment if it exists, else None; takes no time and no network."""
    folder = directory(header, device, torch_backend, base)
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
    except (OSError, ValueError):
        return None
    python = folder / "bin" / "python"
    if not python.exists():
        return None
    differences = base.differences(header, FRAMEWORKS) if base else None
    return Environment(python, stamp["torch_backend"], differences, stamp.get("on_top_of"))


def prepare(
    header: Header,
    device: str = "cpu",
    torch_backend: str | None = None,
    say: Callable[[str], None] = lambda line: None,
    until: float | None = None,
    base: Interpreter | None = None,
) -> Environment:
    """Return the environment of an adapter, made now if necessary; with `base`, on top of what that one has.

    `say` is called with one line before anything slow. Raises EnvironmentFailed, also where it is not made by `until`,
    a reading of time.monotonic().
    """
    made = ready(header, device, torch_backend, base)
    if made:
        return made
    folder = directory(header, device, torch_backend, base)
    with _lock(folder):
        made = ready(header, device, torch_backend, base)  # another process may have made it meanwhile
        if made:
            return made
        size = "" if base else f" (about {header.download_mb} MB to fetch the first time)"
        say(f"preparing the {header.family} environment{size}{f' on top of {base.python}' if base else ''}")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            interpreter = str(base.python) if base else _interpreter(header)
            run_uv("venv", "--quiet", "--python", interpreter, str(folder), until=until)
            if base:
                backend, there = _install_on_top(header, device, torch_backend, folder, until, base)
            else:
                backend, there = _install(header, device, torch_backend, folder, until), None
        except EnvironmentFailed:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        stamp = {
            "adapter": header.path.name,
            "family": header.family,
            "device": device,
            "digest": header.digest,
            "torch_backend": backend,
            **({"on_top_of": there} if there else {}),
        }
        (folder / STAMP).write_text(json.dumps(stamp) + "\n")
    found = ready(header, device, torch_backend, base)
    assert found is not None
    return found


def bring(header: Header, python: Path) -> Environment:
    """Return the environment of an interpreter of the user, compared with the header.

    Raises EnvironmentFailed where it does not run or lacks something that the worker itself needs.
    """
    found = interpreters.ask(python, isolated=True)  # as a worker runs it
    lacking = [name for name in WORKER_PACKAGES if name not in found.packages]
    if lacking:
        raise EnvironmentFailed(f"{python} lacks {' and '.join(lacking)}, without which nothing can be measured")
    return Environment(python, None, found.differences(header))


def _install(
    header: Header, device: str, torch_backend: str | None, folder: Path, until: float | None = None
) -> str | None:
    """Install the header's packages; returns the torch backend that was used."""
    python = str(folder / "bin" / "python")
    if (kit := paths.kit_dir()) is not None:
        kits.install(kit, header, python, until)
        return None
    requirements, options = resolution.wanted(header, device, folder)
    options = ["--quiet", "--python", python, *options, "-r", str(header.path)]
    _, backend = resolution.first(
        resolution.backends(header, device, torch_backend),
        lambda one: run_uv("pip", "install", *options, *resolution.torch_options(one), *requirements, until=until),
    )
    return backend


def _install_on_top(
    header: Header, device: str, torch_backend: str | None, folder: Path, until: float | None, base: Interpreter
) -> tuple[str | None, str]:
    """Install what the base lacks; returns the torch backend that was used, and in words what comes from the base."""
    python = str(folder / "bin" / "python")
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "_on_top_of.pth").write_text(inside.shown(base.folders))
    backend = None
    if (kit := paths.kit_dir()) is not None:
        there = kits.install(kit, header, python, until, base)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            found, backend = resolution.first(
                resolution.backends(header, device, torch_backend, base),
                lambda one: resolution.resolve(header, device, base.version, Path(scratch), None, one, base, until),
            )
            missing, there = base.split(found)
            pins = Path(scratch) / "missing.txt"
            pins.write_text("\n".join(missing) + "\n")
            options = ("--quiet", "--python", python, "--no-deps", *resolution.torch_options(backend))
            run_uv("pip", "install", *options, "-r", str(pins), until=until)
    names = dict.fromkeys([*base.frameworks, *(pin.partition("==")[0] for pin in there)])
    taken = [f"{name} {base.packages[name]}" for name in names if name in base.packages]
    return backend, f"{base.python}, Python {base.version}: {', '.join(taken) or 'no package'}"


def _interpreter(header: Header) -> str:
    """Return the Python to request from uv: the one that runs the harness, if the header allows it."""
    own = ".".join(map(str, sys.version_info[:3]))
    return sys.executable if own in SpecifierSet(header.requires_python) else header.requires_python


def interpreter_trouble(header: Header) -> str | None:
    """Return a sentence where no installed interpreter fits the header; uv then has to fetch one."""
    wanted = _interpreter(header)
    if wanted == sys.executable:
        return None
    found = subprocess.run(
        [find_uv_bin(), "python", "find", "--no-python-downloads", wanted], env=uv_environment(), capture_output=True
    )
    return None if found.returncode == 0 else f"no Python {wanted} is here; install one"


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold a lock for one environment, so that two campaigns do not make it at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock_file(folder).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def size(environment: Environment) -> int:
    """Return the bytes of an environment on the disk."""
    return _bytes(environment.python.parents[1])


def _bytes(folder: Path) -> int:
    """Return what the files below a folder hold; of a link, the link itself. An environment has ten thousand files."""
    total, folders = 0, [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _sizes(folders: Sequence[Path]) -> dict[str, int]:
    """Return the bytes of environments by name; what was added up before is kept until packages come or go.

    Adding up the files of a dozen environments takes seconds.
    """
    kept = paths.envs_dir() / SIZES
    known: dict[str, tuple[int, int]] = {}
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):  # absent or damaged
        known = {name: (int(when), int(total)) for name, (when, total) in json.loads(kept.read_bytes()).items()}
    found = {}
    for folder in folders:
        parts = (folder / STAMP, *folder.glob("lib/python*/site-packages"))
        changed = max(part.stat().st_mtime_ns for part in parts)
        before = known.get(folder.name, (0, 0))
        found[folder.name] = before if before[0] == changed else (changed, _bytes(folder))
    if found != known:
        with contextlib.suppress(OSError):  # somebody else's folder
            kept.write_text(json.dumps(found) + "\n")
    return {name: total for name, (_, total) in found.items()}


def listing(headers: list[Header], *, sizes: bool = True) -> list[dict[str, Any]]:
    """Return the environments: name, adapter, device, size in bytes if wanted, and whether still in use."""
    current = {header.digest for header in headers}
    folders = [stamp.parent for stamp in sorted(paths.envs_dir().glob(f"*/{STAMP}"))]
    added = _sizes(folders) if sizes else {}
    found = []
    for folder in folders:
        stamp = json.loads((folder / STAMP).read_bytes())
        size = {"bytes": added[folder.name]} if sizes else {}
        found.append({"name": folder.name, **stamp, **size, "stale": stamp["digest"] not in current})
    return found


def remove(name: str) -> None:
    """Remove one environment by its name in :func:`listing`."""
    folder = paths.envs_dir() / name
    shutil.rmtree(folder)
    _lock_file(folder).unlink(missing_ok=True)


def _lock_file(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.lock"
