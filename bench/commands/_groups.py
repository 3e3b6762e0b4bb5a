"""Groups of options of the verb ``run``."""

from __future__ import annotations

import argparse

from bench.commands import _options


def add_md(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--ensembles",
        type=_options.names,
        metavar="A,B",
        help="nve, at constant energy; nvt, with a thermostat (default: both)",
    )
    group.add_argument(
        "--duration", type=float, metavar="PS", help="length of each nve trajectory (default: %(default)g)"
    )
    group.add_argument(
        "--nvt-duration",
        type=float,
        metavar="PS",
        help="length of each nvt trajectory; 300 for reliable distributions (default: %(default)g)",
    )
    group.add_argument("--time-step", type=float, metavar="FS", help="default: %(default)g")
    group.add_argument(
        "--temperature",
        type=float,
        metavar="K",
        help="of the internal motions; for naphthalene, as in MD17, of all 3N velocities (default: %(default)g)",
    )


def add_where(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--python",
        action="append",
        metavar="METHOD=PATH",
        help="measure METHOD in an interpreter that you bring (repeatable)",
    )
    group.add_argument(
        "--device",
        type=_options.names,
        metavar=_options.DEVICE,
        help="comma-separated if several (default: cpu, and an accelerator where there is one)",
    )
    _options.add_threads(group, "default: physical cores up to 4, fewer where fewer are free")
    _options.add_torch_backend(group)
    _options.add_on_top_of(group)


def add_how_much(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--rounds",
        type=int,
        metavar="R",
        help="fresh processes per method (default: as many as the time allows, at least 3)",
    )
    group.add_argument("--order", type=int, metavar="N", help=argparse.SUPPRESS)  # for a round on a cluster
    group.add_argument("--no-repeats", action="store_true", help="do not measure disturbed structures again")
    group.add_argument(
        "--budget",
        type=_options.budget,
        metavar="SECONDS|none",
        help="measuring time per method, all rounds together, and as much again for its dynamics (default: the "
        "methods share half an hour)",
    )
    group.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="end a silent worker after this (default: 900, for DFT 3600)"
    )
    group.add_argument(
        "--memory-limit",
        type=float,
        metavar="GB",
        help="end a worker that uses more (default: 90 %% of the memory)",
    )
    _options.add_beside(group)
    _options.add_seed(group)
