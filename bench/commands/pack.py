"""The verb ``pack``: methods as one file, for a machine without a network."""

from __future__ import annotations

import dataclasses
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _declared, _options
from bench.commands._declared import option, word
from bench.commands._output import to_stderr
from bench.core.device import Device
from bench.core.settings import Settings
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.environments.interpreters import Interpreter

HELP = """\
Pack methods into one file for a machine without a network: the wheels of
pesbench and of their environments, checkpoints and data. There, unpack it and
type: sh install.sh"""
EXAMPLES = ("pesbench pack uff --output kit.tar",)
_PYTHON = "{}.{}".format(*sys.version_info)
_PLATFORM = f"{platform.machine()}-linux"


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    methods: tuple[str, ...] = word("names from 'pesbench list'", "METHOD", nargs="+")
    device: str = _options.device()
    python_version: str | None = option(None, f"of the other machine (default: {_PYTHON})", "X.Y")
    """None: that of --on-top-of, or the one that runs pesbench."""
    platform: str = option(_PLATFORM, "of the other machine (default: %(default)s)", "NAME")
    output: Path = option(Path("kit.tar"), "default: %(default)s", "FILE.tar")
    on_top_of: str | None = option(
        None,
        "leave out the packages that an interpreter of the other machine has, torch, JAX and TensorFlow among them; "
        "PYTHON, or a FILE of its packages from 'PYTHON -m pip list --format json'",
        "PYTHON|FILE",
    )
    weights: str = _options.weights()
    trust_checkpoint: bool = _options.trust_checkpoint()
    adapter: tuple[Path, ...] = _options.adapter()


def run(options: Options) -> int:
    """Make the kit, and say how large it is."""
    from bench.engine.pack import PLATFORMS, Target, pack
    from bench.environments.catalogue import Catalogue

    Device.parse(options.device)
    if options.platform not in PLATFORMS:
        raise BadInput(f"there is no platform {options.platform!r}; use {' or '.join(PLATFORMS)}.")
    base = _base(options)
    version = ".".join(base.version.split(".")[:2]) if base else options.python_version or _PYTHON
    major, _, minor = version.partition(".")
    if major != "3" or not minor.isdigit() or int(minor) < 11:
        raise BadInput(f"--python-version {version}: pesbench needs Python 3.11 or later, such as 3.12.")
    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(",".join(options.methods))
    target = Target(options.device, version, options.platform, base)
    settings = Settings(
        methods=tuple(method.name for method in methods),
        protocols=("replay",),
        **_declared.settings(options, Settings),
    )
    pack(methods, catalogue, target, settings, options.output, to_stderr)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.0f} MB, for Python {version}")
    return 0


def _base(options: Options) -> Interpreter | None:
    """Return the interpreter of the other machine, whose packages are left out; raises BadInput for none such."""
    from bench.environments import interpreters
    from bench.environments.uv import EnvironmentFailed

    if options.on_top_of is None:
        return None
    try:
        if options.on_top_of.endswith(".json"):
            return interpreters.listed(Path(options.on_top_of), options.python_version or _PYTHON)
        found = interpreters.ask(options.on_top_of)
    except EnvironmentFailed as error:
        raise BadInput(f"--on-top-of: {error}.") from None
    if options.python_version and not f"{found.version}.".startswith(f"{options.python_version}."):
        raise BadInput(f"--on-top-of names Python {found.version}, and --python-version {options.python_version}.")
    return found
