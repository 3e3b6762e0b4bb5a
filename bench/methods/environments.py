"""Makes each method's environment from its adapter's header, with uv, in `.envs/`; lists and removes them."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from bench import paths
from bench.contract.device import Device
from bench.methods import kits
from bench.methods.header import Header
from bench.methods.uv import EnvironmentFailed, run_uv, uv_environment

WORKER_PACKAGES = ("ase", "numpy")
HARNESS_REQUIREMENTS = ("threadpoolctl>=3.5",)  # the worker verifies thread counts with it
STAMP = "pesbench.json"


@dataclasses.dataclass(frozen=True)
class Environment:
    """A method's environment: an interpreter, and what is known about it."""

    python: Path
    torch_backend: str | None
    differences: tuple[str, ...] | None = None
    """For an interpreter of the user: how it differs from the header."""
    scratch: tuple[str, ...] = ()
    """What a worker uses from this machine's own disk; see :mod:`bench.methods.scratch`."""

    def facts(self) -> dict[str, str]:
        """Return what a worker's record says about it."""
        found = {"torch_backend": self.torch_backend} if self.torch_backend else {}
        if self.differences is not None:
            found["brought"] = "; ".join(self.differences) or "as the header asks"
        if self.scratch:
            found["scratch"] = ", ".join(self.scratch)
        return found


def directory(header: Header, device: str, torch_backend: str | None) -> Path:
    """Return the folder of an environment; its name changes with the header."""
    variant = Device.parse(device).kind.name
    backend = f"-{torch_backend}" if torch_backend else ""
    return paths.envs_dir() / f"{header.path.stem}-{variant}{backend}-{header.digest[:10]}"


def ready(header: Header, device: str, torch_backend: str | None = None) -> Environment | None:
    """Return the environment if it exists, else None; takes no time and no network."""
    folder = directory(header, device, torch_backend)
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
    except (OSError, ValueError):
        return None
    python = folder / "bin" / "python"
    return Environment(python, stamp["torch_backend"]) if python.exists() else None


def prepare(
    header: Header,
    device: str = "cpu",
    torch_backend: str | None = None,
    say: Callable[[str], None] = lambda line: None,
    limit_s: float | None = None,
) -> Environment:
    """Return the environment of an adapter, made now if necessary.

    `say` is called with one line before anything slow. Raises EnvironmentFailed, also where one installation takes
    longer than `limit_s` seconds.
    """
    made = ready(header, device, torch_backend)
    if made:
        return made
    folder = directory(header, device, torch_backend)
    with _lock(folder):
        made = ready(header, device, torch_backend)  # another process may have made it meanwhile
        if made:
            return made
        say(f"preparing the {header.family} environment (about {header.download_mb} MB to fetch the first time)")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            run_uv("venv", "--quiet", "--python", _interpreter(header), str(folder))
            backend = _install(header, device, torch_backend, folder, limit_s)
        except EnvironmentFailed:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        stamp = {
            "adapter": header.path.name,
            "family": header.family,
            "device": device,
            "digest": header.digest,
            "torch_backend": backend,
        }
        (folder / STAMP).write_text(json.dumps(stamp) + "\n")
    return Environment(folder / "bin" / "python", backend)


_DIFFERENCES = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        found[name] = None
print(json.dumps({"python": sys.version.split()[0], "packages": found}))
"""


def bring(header: Header, python: Path) -> Environment:
    """Return the environment of an interpreter of the user, compared with the header.

    Raises EnvironmentFailed where it does not run or lacks something that the worker itself needs.
    """
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    wanted = [Requirement(text) for text in header.dependencies]
    names = [*(requirement.name for requirement in wanted), *WORKER_PACKAGES]
    try:
        done = subprocess.run(
            [str(python), "-I", "-c", _DIFFERENCES, *names], capture_output=True, text=True, timeout=60, check=True
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise EnvironmentFailed(f"{python} is not a working Python ({type(error).__name__})") from None
    versions = found["packages"]
    lacking = [name for name in WORKER_PACKAGES if versions[name] is None]
    if lacking:
        raise EnvironmentFailed(f"{python} lacks {' and '.join(lacking)}, without which nothing can be measured")
    differences = [
        f"{requirement.name} {versions[requirement.name] or 'missing'} instead of {requirement.specifier}"
        for requirement in wanted
        if versions[requirement.name] is None or versions[requirement.name] not in requirement.specifier
    ]
    if found["python"] not in SpecifierSet(header.requires_python):
        differences.append(f"Python {found['python']} instead of {header.requires_python}")
    return Environment(python, None, tuple(differences))


def resolve(
    header: Header, device: str, python: str, folder: Path, platform: str | None = None, backend: str | None = None
) -> list[str]:
    """Return the packages, as ``name==version``, of an environment for another Python and platform; installs nothing.

    `folder` is for files of uv's. `backend` is one of uv's torch backends; None takes torch from the usual index.
    Raises EnvironmentFailed where there is no such environment.
    """
    requirements, options = _wanted(header, device, folder)
    more, found = folder / "requirements.txt", folder / "resolved.txt"
    more.write_text("\n".join(requirements) + "\n")
    where = ["--python-version", python, *(["--python-platform", platform] if platform else [])]
    output = ["--quiet", "--no-python-downloads", "--no-header", "--no-annotate", "--output-file", str(found)]
    run_uv("pip", "compile", *where, *output, *options, *_torch(backend), str(header.path), str(more))
    return found.read_text().splitlines()


def _wanted(header: Header, device: str, folder: Path) -> tuple[list[str], list[str]]:
    """Return what an environment needs besides the header's dependencies, and the options for uv."""
    requirements, options = [*HARNESS_REQUIREMENTS], _age(header)
    kind = Device.parse(device).kind.name
    additional = header.device_dependencies.get(kind)
    if additional:
        requirements += additional
        # the overrides that keep a package out of the other variants would keep it out of this one, too
        overrides = folder / f"{kind}-overrides.txt"
        overrides.write_text("\n".join(additional) + "\n")
        options += ["--overrides", str(overrides)]
    return requirements, options


def _torch(backend: str | None) -> list[str]:
    """Return uv's options for a build of torch.

    With one, uv takes Triton, too, from PyTorch's own index, which does not say when a file was uploaded: with
    exclude-newer alone, uv would ignore all of them. A torch asks for exactly one version of Triton, so nothing is
    left open.
    """
    return ["--torch-backend", backend, "--exclude-newer-package", "triton=false"] if backend else []


def _install(
    header: Header, device: str, torch_backend: str | None, folder: Path, limit_s: float | None = None
) -> str | None:
    """Install the header's packages; returns the torch backend that was used."""
    requirements, options = _wanted(header, device, folder)
    options = ["--quiet", "--python", str(folder / "bin" / "python"), *options, "-r", str(header.path)]
    if (kit := paths.kit_dir()) is not None:
        kits.install(kit, header, folder / "bin" / "python", limit_s)
        return None
    attempts = backends(header, device, torch_backend)
    for last, backend in zip([False] * (len(attempts) - 1) + [True], attempts, strict=True):
        try:
            run_uv("pip", "install", *options, *_torch(backend), *requirements, limit_s=limit_s)
        except EnvironmentFailed:
            if last:
                raise
        else:
            return backend
    raise AssertionError("there is at least one attempt")


def _age(header: Header) -> list[str]:
    """Return the header's exclude-newer as options: `uv pip` reads the header's overrides, but not this key."""
    options = ["--exclude-newer", header.exclude_newer] if header.exclude_newer else []
    for package, until in header.exclude_newer_package.items():
        value = "false" if until is False else str(until)
        options += ["--exclude-newer-package", f"{package}={value}"]
    return options


def backends(header: Header, device: str, asked: str | None) -> Sequence[str | None]:
    """Return which of uv's torch backends to try, in order; None takes torch from the configured index.

    On Linux, the index's own torch comes with gigabytes of CUDA, so a CPU environment takes the CPU build, unless the
    user has a wheel of it in a folder. Behind a mirror with nothing but the index, the index's torch is used.
    """
    if not any(name.partition("==")[0].strip() == "torch" for name in header.dependencies):
        return [None]
    if asked:
        return [asked]
    kind = Device.parse(device).kind
    return [None] if not kind.accelerator and uv_environment().get("UV_FIND_LINKS") else kind.torch_backends


def _interpreter(header: Header) -> str:
    """Return the Python to request from uv: the one that runs the harness, if the header allows it."""
    from packaging.specifiers import SpecifierSet

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


def size(header: Header, device: str, torch_backend: str | None = None) -> int:
    """Return the bytes of an environment on the disk."""
    return _bytes(directory(header, device, torch_backend))


def _bytes(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


def listing(headers: list[Header]) -> list[dict[str, Any]]:
    """Return the environments: name, adapter, device, size in bytes, and whether still in use."""
    current = {header.digest for header in headers}
    found = []
    for stamp_file in sorted(paths.envs_dir().glob(f"*/{STAMP}")):
        stamp = json.loads(stamp_file.read_bytes())
        stale = stamp["digest"] not in current
        name = stamp_file.parent.name
        found.append({"name": name, **stamp, "bytes": _bytes(stamp_file.parent), "stale": stale})
    return found


def remove(name: str) -> None:
    """Remove one environment by its name in :func:`listing`."""
    folder = paths.envs_dir() / name
    shutil.rmtree(folder)
    _lock_file(folder).unlink(missing_ok=True)


def _lock_file(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.lock"
