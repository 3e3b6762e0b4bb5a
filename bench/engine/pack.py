"""Packs methods into one file for a machine without a network: wheels, checkpoints, data, and a script to install it.

There, environments are made from the kit's exact list of wheels (:func:`bench.environments.environments.prepare` with
``PESBENCH_KIT``), so the same verbs work without any index.
"""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import paths
from bench.core.settings import Settings
from bench.data import rmd17
from bench.engine.conversion import converted, place
from bench.environments import inside, kits, resolution, shell
from bench.environments.catalogue import Catalogue
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.header import Header, Method
from bench.environments.interpreters import Interpreter
from bench.environments.uv import EnvironmentFailed, run_uv
from bench.environments.weights import Weights, choose
from bench.errors import BadInput

PLATFORMS = {"x86_64-linux": "x86_64-manylinux_2_28", "aarch64-linux": "aarch64-manylinux_2_28"}
"""What uv calls each platform."""
HERE = f"{platform.machine()}-linux"


@dataclasses.dataclass(frozen=True)
class Target:
    """The machine that the kit is for."""

    device: str
    python: str
    """Such as 3.12."""
    platform: str
    base: Interpreter | None = None
    """An interpreter there, whose packages are left out of the kit."""

    @property
    def is_this(self) -> bool:
        """Whether packages that come as source only can be built here for it."""
        return self.python == "{}.{}".format(*sys.version_info) and self.platform == HERE


def pack(
    methods: Sequence[Method],
    catalogue: Catalogue,
    target: Target,
    settings: Settings,
    output: Path,
    say: Callable[[str], None],
) -> None:
    """Write the kit to `output`; raises BadInput, with the reason, where a part of it cannot be had."""
    project = paths.checkout()
    if project is None:
        raise BadInput("an installed pesbench cannot build its own wheel; make the kit in a checkout.")
    if output.exists():
        raise BadInput(f"{output} is there already; remove it or name another file.")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as scratch:
        kit = Path(scratch) / output.name.removesuffix(".tar")
        for name in ("wheels", "requirements", "weights", "cache", "data"):
            (kit / name).mkdir(parents=True)
        try:
            _harness(project, target, kit, Path(scratch))
            for header in {method.adapter: catalogue.header(method) for method in methods}.values():
                _environment(header, target, kit, say)
            _weights(methods, catalogue, settings, kit, say)
            for folder, file in rmd17.local_files(paths.cache_dir()):
                (kit / "data" / folder).mkdir(exist_ok=True)
                shutil.copy(file, kit / "data" / folder)
            for path in catalogue.extra:
                (kit / "adapters").mkdir(exist_ok=True)
                shutil.copy(path, kit / "adapters")
            _script(target, kit)
            _sums(kit)
            made = Path(scratch) / "kit.tar"
            _archive(kit, made)
            made.rename(output)
        except EnvironmentFailed as error:
            raise BadInput(f"the kit cannot be made: {error}.") from None
        except OSError as error:
            raise BadInput(f"cannot write {output}: {error.strerror}.") from None


def _harness(project: Path, target: Target, kit: Path, scratch: Path) -> None:
    """Build pesbench's own wheel, and fetch what it needs."""
    source = scratch / "source"  # a build leaves nothing in the checkout
    source.mkdir()
    for name in ("bench", "adapters", "datasets", "results/baselines", "results/paper"):
        shutil.copytree(project / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(project / name, source)
    _pip("wheel", "--no-deps", "--wheel-dir", str(kit / "wheels"), str(source))
    found = scratch / "harness.txt"
    if target.base:
        found.write_text("\n".join(target.base.pins()) + "\n")  # uv prefers the versions that the file has
    options = ("--quiet", "--no-header", "--no-annotate", "--python-version", target.python)
    where = ("--python-platform", PLATFORMS[target.platform], "--output-file", str(found))
    run_uv("pip", "compile", *options, *where, str(source / "pyproject.toml"))
    _fetch(found.read_text().splitlines(), kit / "requirements" / "pesbench.txt", target, kit)


def _environment(header: Header, target: Target, kit: Path, say: Callable[[str], None]) -> None:
    say(f"fetching the {header.family} environment (about {header.download_mb} MB)")
    before = _bytes(kit)
    with tempfile.TemporaryDirectory() as folder:
        where = PLATFORMS[target.platform]
        found, _ = resolution.first(
            resolution.backends(header, target.device, None, target.base),
            lambda backend: resolution.resolve(
                header, target.device, target.python, Path(folder), where, backend, target.base
            ),
        )
    _fetch(found, kits.requirements(kit, header), target, kit)
    say(f"{header.family}: {(_bytes(kit) - before) / 1e6:.0f} MB")


def _fetch(found: list[str], pins: Path, target: Target, kit: Path) -> None:
    """Fetch the wheels of a list of exact versions, and write the list to `pins`.

    What comes as source only is built, where that is possible: for another kind of machine, if it has nothing to
    compile. What the base has is left out, and listed apart.
    """
    if target.base:
        found, there = target.base.split(found)
        there += [f"{name}=={version}" for name, version in target.base.frameworks.items()]
        kits.left_out(pins).write_text("\n".join(there) + "\n")
    pins.write_text("\n".join(found) + "\n")
    if not found:
        return
    if target.is_this:
        _pip("wheel", "--no-deps", "--requirement", str(pins), "--wheel-dir", str(kit / "wheels"))
        return
    machine = target.platform.partition("-")[0]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(28, 4, -1)] + [f"manylinux2014_{machine}"]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    where = ("--only-binary", ":all:", "--python-version", target.python, *platforms)
    wheels = list(found)
    while wheels:
        try:
            _pip("download", "--no-deps", *where, "--dest", str(kit / "wheels"), *wheels)
            return
        except EnvironmentFailed as error:
            lacking = next((pin for pin in wheels if str(error).endswith(f" {pin}")), None)  # pip ends with its name
            if lacking is None or not _built_for_any(lacking, kit):
                raise
            wheels.remove(lacking)


def _built_for_any(pin: str, kit: Path) -> bool:
    """Build a wheel from source and put it into the kit, if it is one for any Python 3 on any machine."""
    with tempfile.TemporaryDirectory() as folder:
        _pip("wheel", "--no-deps", "--wheel-dir", folder, pin)
        (wheel,) = Path(folder).iterdir()
        if not wheel.name.endswith(("-py3-none-any.whl", "-py2.py3-none-any.whl")):
            return False
        shutil.copy(wheel, kit / "wheels")
    return True


def _weights(
    methods: Sequence[Method], catalogue: Catalogue, settings: Settings, kit: Path, say: Callable[[str], None]
) -> None:
    """Copy the checkpoints that can be had; random ones would be large, and the other machine builds the same.

    Of an engine whose checkpoint has to be converted, the converted file goes along: the kit has no converter.
    """
    for method in methods:
        try:
            found = choose(method, settings, say)
            if method.engine_of:
                _converted(method, found, catalogue, settings, kit, say)
        except CheckpointMissing as error:
            raise BadInput(f"{method.name} cannot be packed: {str(error).rstrip('.')}.") from None
        if found.mode == "random":
            say(f"{method.name}: random weights, which the other machine will build. {found.reason}".rstrip())
        elif found.path is not None and found.path.is_dir():
            shutil.copytree(found.path, kit / "weights" / found.path.name, dirs_exist_ok=True)
        elif found.path is not None:
            shutil.copy(found.path, kit / "weights")
    trusted = paths.cache_dir() / "trusted-checkpoints.json"
    if trusted.exists():
        shutil.copy(trusted, kit / "cache")


def _converted(
    method: Method, found: Weights, catalogue: Catalogue, settings: Settings, kit: Path, say: Callable[[str], None]
) -> None:
    """Put the file that an engine reads into the cache of the kit, under the hashes of checkpoint and converter.

    Raises CheckpointMissing where it cannot be converted here, or where its random weights would have to be built and
    converted on the other machine.
    """
    if found.mode == "random":
        raise CheckpointMissing(
            f"its random weights are built in the environment of {method.engine_of}; put the checkpoint into "
            "PESBENCH_WEIGHTS, so that it is packed"
        )
    header = catalogue.header(method)
    if header.conversion is None or found.path is None:
        return
    reference = catalogue.header(catalogue.methods[method.engine_of])
    made = converted(found, method, header, reference, settings.torch_backend, say)
    assert made.path is not None
    shutil.copytree(made.path.parent, place(kit / "cache", made.path.parent.name), dirs_exist_ok=True)


def _script(target: Target, kit: Path) -> None:
    script = Path(__file__).with_name("install.sh").read_text()
    (kit / "install.sh").write_text(script.replace("@PYTHON@", target.python))
    shutil.copy(inside.__file__, kit)


def _sums(kit: Path) -> None:
    files = sorted(path for path in kit.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(kit)}\n" for path in files]
    (kit / "SHA256SUMS").write_text("".join(lines))


def _archive(kit: Path, made: Path) -> None:
    """Write a tar file whose bytes depend on the contents alone."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
        return entry

    with tarfile.open(made, "w") as archive:  # wheels and weights are compressed already
        for path in sorted(kit.rglob("*")):
            archive.add(path, Path(kit.name) / path.relative_to(kit), recursive=False, filter=plain)


def _pip(*arguments: str) -> None:
    """Run pip, which, unlike uv, can fetch wheels without installing them; raises EnvironmentFailed."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
        env=shell.for_installer(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line or "No module named pip" in line]
        last = (errors or ["pip failed without a message"])[-1]
        raise EnvironmentFailed(shell.without_passwords(last).removeprefix("ERROR: ").rstrip("."))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
