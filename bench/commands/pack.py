"""The verb ``pack``: methods as one file, for a machine without a network."""

from __future__ import annotations

import argparse
import dataclasses
import platform
import sys
from pathlib import Path

from bench.commands import _options
from bench.commands._output import to_stderr
from bench.contract.device import CPU, Device
from bench.contract.settings import Settings
from bench.errors import BadInput

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

    methods: tuple[str, ...]
    device: str = CPU
    python_version: str = _PYTHON
    platform: str = _PLATFORM
    output: Path = Path("kit.tar")
    weights: str = Settings.weights
    trust_checkpoint: bool = False
    adapter: tuple[Path, ...] = ()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("methods", nargs="+", metavar="METHOD", help="names from 'pesbench list'")
    _options.add_device(parser)
    parser.add_argument("--python-version", metavar="X.Y", help="of the other machine (default: %(default)s)")
    parser.add_argument("--platform", metavar="NAME", help="of the other machine (default: %(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE.tar", help="default: %(default)s")
    _options.add_weights(parser)
    _options.add_adapter(parser)


def run(options: Options) -> int:
    """Make the kit, and say how large it is."""
    from bench.campaign.pack import PLATFORMS, Target, pack
    from bench.methods.catalogue import Catalogue

    Device.parse(options.device)
    if options.platform not in PLATFORMS:
        raise BadInput(f"there is no platform {options.platform!r}; use {' or '.join(PLATFORMS)}.")
    major, _, minor = options.python_version.partition(".")
    if major != "3" or not minor.isdigit() or int(minor) < 11:
        raise BadInput(f"--python-version {options.python_version}: pesbench needs Python 3.11 or later, such as 3.12.")
    catalogue = Catalogue(options.adapter)
    methods = catalogue.select(",".join(options.methods))
    target = Target(options.device, options.python_version, options.platform)
    settings = Settings(
        methods=tuple(method.name for method in methods),
        protocols=("replay",),
        weights=options.weights,
        trust=options.trust_checkpoint,
    )
    pack(methods, catalogue, target, settings, options.output, to_stderr)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.0f} MB, for Python {options.python_version}")
    return 0
