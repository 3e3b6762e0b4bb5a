"""Everything that a user can choose about a campaign; the run directory keeps it unchanged."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from bench.core.device import Device
from bench.core.protocol import REGISTERED, RELAX, STRUCTURES
from bench.core.records import TEMPERATURES, VELOCITIES
from bench.errors import BadInput

WEIGHTS = ("auto", "pretrained", "random")
ENSEMBLES = ("nve", "nvt")
RELAXES = (RELAX, "optimizers")
"""The protocols in which cells can be relaxed."""


@dataclasses.dataclass(frozen=True)
class MdSettings:
    """What a user can choose about simulations."""

    ensembles: tuple[str, ...] = ENSEMBLES
    duration_ps: float = 20.0
    """Length of a trajectory at constant energy."""
    nvt_duration_ps: float = 30.0
    time_step_fs: float = 0.5
    temperature_k: float = 500.0
    """Of what :attr:`temperature_of` says."""
    seeds: int = 5
    temperature_of: str = VELOCITIES
    """One of :data:`TEMPERATURES`. For naphthalene, the one of all 3N velocities: its 500 K are 562.5 K of the internal
    motions. Runs before this field existed have it for every molecule."""
    half_steps: int = 1
    """How many seeds have another trajectory at half the time step; one in runs before this field existed."""
    starts: tuple[int, ...] = (0,)
    """The first structure of each system that is simulated."""

    def __post_init__(self) -> None:
        _one_of("ensemble", self.ensembles, ENSEMBLES)
        _one_of("temperature", [self.temperature_of], TEMPERATURES)
        _positive("--duration", self.duration_ps)
        _positive("--nvt-duration", self.nvt_duration_ps)
        _positive("--time-step", self.time_step_fs)
        _positive("--temperature", self.temperature_k)
        _positive("--limit", self.seeds)
        if self.time_step_fs > 1000 * min(self.duration_ps, self.nvt_duration_ps):
            raise BadInput(
                "--time-step is longer than the trajectories; it is in femtoseconds, they are in picoseconds."
            )


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a campaign; raises BadInput where one of them makes no sense."""

    methods: tuple[str, ...]
    devices: tuple[str, ...] = ("cpu",)
    protocols: tuple[str, ...] = ("relax",)
    optimizer: str = "BFGS"
    optimizers: tuple[str, ...] = ()
    """Those that the protocol of that name compares, the one with which the others are compared first."""
    fmax: float = 0.05
    """Convergence criterion: largest force on an atom, eV/Angstrom."""
    max_steps: int = 500
    reactions: bool = False
    """Whether a relaxation may make or break bonds; otherwise that is a failure."""
    relax_cell: bool = False
    """Whether the cells of periodic systems are relaxed, too; a force call then includes the stress."""
    threads: int = 1
    rounds: int = 3
    order: int = 0
    """The number of the first round as far as the order of the methods goes: a node of a cluster measures one round."""
    budget_s: dict[str, float | None] = dataclasses.field(default_factory=dict)
    """Seconds for each method, all rounds together, in full for each phase of a worker; None: no limit."""
    timeout_s: float | None = None
    """A worker without a sign of life for this long is ended; None: the limit of the method's kind."""
    memory_limit_bytes: int | None = None
    seed: int = 0
    limit: int | None = None
    """Only this many structures of the data set."""
    repeats: bool = True
    """Measure a structure again where the method's threads waited long for a core."""
    total_s: float | None = None
    """Seconds for the structures of all methods, their starts included: after `rounds` rounds there are more, of the
    methods whose ratios are widest, until these are used up. None: no more rounds."""
    phase_s: dict[str, float] = dataclasses.field(default_factory=dict)
    """Seconds of each method for a phase that is to be short, whatever its budget; they are part of `total_s`."""
    torch_backend: str | None = None
    weights: str = "auto"
    """``pretrained``, ``random``, or ``auto``: random weights where the checkpoint is not available."""
    replay_points: int = 10
    vibrations: bool = True
    """Whether the accuracy protocol finds the minimum and its Hessian, too."""
    starts: tuple[int, ...] = (0,)
    """The first structure of each system."""
    minima: tuple[int, ...] = (0,)
    """The first structure of each system of which it finds them: of free molecules, the smallest first."""
    sizes: tuple[int, ...] = ()
    """The number of atoms of each system of the scaling protocol, ascending."""
    periodic: bool = False
    """Whether these are supercells of the crystal, instead of clusters."""
    md: MdSettings = dataclasses.field(default_factory=MdSettings)
    options: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    """The options of other protocols, by protocol: the fields of :attr:`bench.core.protocol.Protocol.options`."""
    checkpoint: str | None = None
    """The user's own checkpoint for the one method of the campaign, in runs that are older than `checkpoints`."""
    checkpoints: dict[str, str] = dataclasses.field(default_factory=dict)
    """The paths of the user's own checkpoints, by method: ``7net-0@my.pth``."""
    trust: bool = False
    """Use checkpoints whose authors publish no hash."""
    pythons: dict[str, str] = dataclasses.field(default_factory=dict)
    """The user's own interpreters, by method."""
    on_top_of: str | None = None
    """An interpreter of the user, with frameworks such as torch, on top of which environments are made."""
    knobs: dict[str, str] = dataclasses.field(default_factory=dict)
    """The values that the user chose for knobs of the one method of the campaign, ``dtype`` among them."""

    def __post_init__(self) -> None:
        _one_of("protocol", self.protocols, REGISTERED)
        _one_of("weights mode", [self.weights], WEIGHTS)
        _positive("--replay-points", self.replay_points)
        for name in self.protocols if self.weights == "random" else ():
            # of the structures' protocols, a model with random weights enters the one that admits it
            if REGISTERED[name].phase != STRUCTURES and not REGISTERED[name].random_weights:
                raise BadInput(f"--weights random allows no {name}: the energies of random weights mean nothing.")
        if self.periodic and self.protocols != ("scaling",):
            raise BadInput("--periodic belongs to --protocols scaling alone: the others measure molecules.")
        if self.relax_cell and not set(self.protocols) <= set(RELAXES):
            raise BadInput(f"--relax-cell belongs to --protocols {' and '.join(RELAXES)}: the others keep the cells.")
        if self.knobs and len(self.methods) != 1:
            raise BadInput("--knob belongs to one method; name that one.")
        for name in self.pythons:
            if name not in self.methods:
                raise BadInput(f"--python names {name!r}, which is not measured; name it with --methods, too.")
        for device in self.devices:
            Device.parse(device)
        _positive("--fmax", self.fmax)
        _positive("--max-steps", self.max_steps)
        _positive("--threads", self.threads)
        _positive("--rounds", self.rounds)
        for option, value in (
            ("--timeout", self.timeout_s),
            ("--limit", self.limit),
            ("--memory-limit", self.memory_limit_bytes),
            *(("--budget", budget) for budget in self.budget_s.values()),
        ):
            if value is not None:
                _positive(option, value)


def _one_of(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    *others, last = known
    for name in names:
        if name not in (*others, last):
            choices = f"{', '.join(others)} or {last}" if others else last
            raise BadInput(f"there is no {what} {name!r}; use {choices}.")


def _positive(what: str, value: float) -> None:
    if not value > 0 or value == float("inf"):
        raise BadInput(f"{what} is {value:g}; it must be a number above zero.")
