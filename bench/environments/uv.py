"""Runs uv with the settings that pip has."""

from __future__ import annotations

import subprocess
import sys
import time

from uv import find_uv_bin

from bench import paths
from bench.environments import shell

# pip's environment variables also apply to uv, unless uv's own variable is set
PIP_TO_UV = {
    "PIP_FIND_LINKS": ("UV_FIND_LINKS",),
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "PIP_EXTRA_INDEX_URL": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "PIP_CERT": ("SSL_CERT_FILE",),
}


class EnvironmentFailed(Exception):
    """An environment could not be made; the text says why in one line."""


def uv_environment(environ: dict[str, str] | None = None) -> dict[str, str]:
    """Return the environment variables for uv, with pip's settings translated."""
    environ = shell.for_installer(environ)
    for pip, (uv, *older) in PIP_TO_UV.items():
        if environ.get(pip) and not any(environ.get(name) for name in (uv, *older)):
            # pip separates folders by spaces, uv by commas
            environ[uv] = environ[pip].replace(" ", ",") if uv == "UV_FIND_LINKS" else environ[pip]
    environ.pop("PYTHONPATH", None)
    # an interpreter that uv has to fetch stays inside the project
    environ.setdefault("UV_PYTHON_INSTALL_DIR", str(paths.envs_dir() / "python"))
    return environ


def run_uv(*arguments: str, until: float | None = None) -> None:
    """Run uv; raises EnvironmentFailed with uv's message where it fails, or is not done by `until` (time.monotonic)."""
    try:
        done = subprocess.run(
            [find_uv_bin(), *arguments],
            env=uv_environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=None if until is None else max(until - time.monotonic(), 0.0),
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFailed("uv did not finish in the time that was left; terminated") from None
    if done.returncode:
        raise EnvironmentFailed(_reason(done.stderr))


def index_trouble() -> str | None:
    """Look up one small package in the index, without installing it; returns why that failed, or None."""
    asked = [
        find_uv_bin(),
        "pip",
        "install",
        "--dry-run",
        "--no-deps",
        "--reinstall",
        "--python",
        sys.executable,
        "six",
    ]
    environ = {**uv_environment(), "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "5", "UV_NO_CACHE": "1"}
    done = subprocess.run(asked, env=environ, capture_output=True, text=True)
    return None if done.returncode == 0 else f"the package index cannot be reached: {_reason(done.stderr)[:200]}"


def _reason(stderr: str) -> str:
    """Return uv's own message about the failure, in one line."""
    lines = [line.strip(" ×╰─▶│·├\t") for line in stderr.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("warning:", "WARNING"))]
    return shell.without_passwords(" ".join(lines))[:400] or "uv failed without a message"
