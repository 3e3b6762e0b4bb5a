"""An unpacked kit: the exact wheels of each environment, for a machine without a network."""

from __future__ import annotations

from pathlib import Path

from bench.environments.header import Header
from bench.environments.interpreters import Interpreter
from bench.environments.uv import EnvironmentFailed, run_uv


def requirements(kit: Path, header: Header) -> Path:
    """Return the file in a kit with the exact versions of an environment; its name changes with the header."""
    return kit / "requirements" / f"{header.path.stem}-{header.digest[:10]}.txt"


def left_out(pins: Path) -> Path:
    """Return the file beside `pins` with what the kit leaves out, because an interpreter of the user has it."""
    return pins.with_suffix(".left-out.txt")


def install(kit: Path, header: Header, python: str, until: float | None, base: Interpreter | None = None) -> list[str]:
    """Install an environment from the wheels of a kit, without an index; raises EnvironmentFailed.

    Returns what `base` has of it, as ``name==version``, which is not installed.
    """
    pins = requirements(kit, header)
    if not pins.is_file():
        raise EnvironmentFailed(f"the kit {kit} was made without {header.path.stem}, or with another version of it")
    wanted, relied = _lines(pins), _lines(left_out(pins))
    if relied and base is None:
        raise EnvironmentFailed(
            f"the kit leaves out {relied[0]} and more, which an interpreter of yours has; "
            "name it: --on-top-of PYTHON, or the variable PESBENCH_ON_TOP_OF"
        )
    there: list[str] = []
    if base is not None:
        wanted, there = base.split(wanted)
        lacking = [pin for pin in relied if pin.partition("==")[0] not in base.packages]
        if lacking:
            raise EnvironmentFailed(f"the kit relies on {lacking[0]}, which {base.python} lacks")
    place = ("--quiet", "--python", python, "--no-index", "--no-deps", "--find-links", str(kit / "wheels"))
    if wanted:
        run_uv("pip", "install", *place, *wanted, until=until)
    return relied + there


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []
