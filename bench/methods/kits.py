"""An unpacked kit: the exact wheels of each environment, for a machine without a network."""

from __future__ import annotations

from pathlib import Path

from bench.methods.header import Header
from bench.methods.uv import EnvironmentFailed, run_uv


def requirements(kit: Path, header: Header) -> Path:
    """Return the file in a kit with the exact versions of an environment; its name changes with the header."""
    return kit / "requirements" / f"{header.path.stem}-{header.digest[:10]}.txt"


def install(kit: Path, header: Header, python: Path, limit_s: float | None) -> None:
    """Install an environment from the wheels of a kit, without an index; raises EnvironmentFailed."""
    pins = requirements(kit, header)
    if not pins.is_file():
        raise EnvironmentFailed(f"the kit {kit} was made without {header.path.stem}, or with another version of it")
    place = ("--quiet", "--python", str(python), "--no-index", "--no-deps", "--find-links", str(kit / "wheels"))
    run_uv("pip", "install", *place, "-r", str(pins), limit_s=limit_s)
