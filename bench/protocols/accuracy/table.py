"""The accuracy of the methods of a run as frozen values; :mod:`bench.protocols.accuracy.analyse` makes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from bench.analysis.statistics import Estimate
from bench.core.description import Description
from bench.protocols.accuracy.force_errors import ForceErrors, UncertaintyQuality
from bench.protocols.accuracy.geometry import BondErrors, Planarity
from bench.protocols.accuracy.matching import ComparedVibrations, FrequencyErrors
from bench.protocols.accuracy.truths import Level

NO_LABELS = "no structure of the run has labels"
"""Why a method has no errors, though it answered."""


@dataclasses.dataclass(frozen=True)
class Geometry:
    """The method's minimum beside that of a reference."""

    bonds: BondErrors
    rmsd: float
    """Angstrom, after superposition."""


@dataclasses.dataclass(frozen=True)
class Harmonic:
    """The method's own minimum, and its harmonic vibrations."""

    status: str
    """Of the relaxation: ``converged``, or ``step-cap`` where the forces did not vanish."""
    fmax: float
    """eV/Angstrom."""
    planarity: Planarity
    wavenumbers: tuple[float, ...]
    """cm-1, ascending, imaginary ones negative."""
    imaginary: int
    residue: float
    """Of the six external modes, cm-1."""
    asymmetry: float
    """Antisymmetric over symmetric part of the Hessian."""
    zero_point_energy: float
    """meV."""
    hessian_seconds: float
    hessian_calls: int | None
    """None where the Hessian is native."""
    source: str


@dataclasses.dataclass(frozen=True)
class Spread:
    """How far good theories differ."""

    force_mae: float
    """The largest between two of them, meV/Angstrom."""
    levels: tuple[str, ...]
    structures: frozenset[int]
    """Those at which they are compared."""


@dataclasses.dataclass(frozen=True)
class ReferenceMinimum:
    """The minimum of a reference level, and how good its Hessian is."""

    level: str
    system: str
    """As in :class:`Accuracy`."""
    fmax: float | None
    """eV/Angstrom."""
    source: str
    """Of the Hessian."""
    residue: float
    """Largest translation or rotation before they were projected out, cm-1."""
    softest: float
    """The lowest wavenumber, cm-1."""
    shift: float
    """How far an error of the residue's size may move the softest mode, cm-1."""
    zero_point_energy: float
    """meV."""
    scale_factor: float | None
    """By which its wavenumbers meet the measured fundamentals best; None where nothing was measured."""
    fundamentals: FrequencyErrors | None
    """What is left then."""


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """The accuracy of one method on one device: at a system, or over all systems of a run."""

    method: str
    label: str
    kind: str
    device: str
    weights: str | None = None
    conservative: bool = True
    theory: Mapping[str, str] | None = None
    system: str = ""
    """The system, where the run has several; empty in the row over all of them."""
    refused: str | None = None
    """Why it has no figures."""
    time: Estimate | None = None
    """Milliseconds of a force call."""
    stability: str | None = None
    """Its verdict in md."""
    references: Mapping[str, ForceErrors] = dataclasses.field(default_factory=dict)
    """By level."""
    nearest: str | None = None
    """The level by which it is judged."""
    nearest_label: str | None = None
    common: str | None = None
    """The level with which all methods of the run are compared, where they stand beside each other."""
    common_label: str | None = None
    common_systems: tuple[str, ...] = ()
    """Where the run has several systems, those at which it is compared with that level; its time is over these."""
    verdict: str | None = None
    """How its error compares with the spread of theories; None over several systems, where `verdicts` counts."""
    verdicts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Over several systems: at how many of them it has which verdict."""
    spread: Spread | None = None
    """By how much theories differ at the structures by which it is judged."""
    harmonic: Harmonic | None = None
    no_minimum: str | None = None
    """Why its minimum was looked for and has no vibrations."""
    geometry: Mapping[str, Geometry] = dataclasses.field(default_factory=dict)
    """By level."""
    nearest_geometry: str | None = None
    """The level by whose geometry it is judged."""
    nearest_geometry_label: str | None = None
    own_geometry: bool | None = None
    """Whether that level has the method's own functional; None where the method has none (force fields, xTB)."""
    experimental_bonds: float | None = None
    """Mean absolute error of the unique C-C bonds, 10^-3 Angstrom."""
    vibrations: Mapping[str, ComparedVibrations] = dataclasses.field(default_factory=dict)
    """By level."""
    nearest_minimum: str | None = None
    """The level by whose frequencies it is judged."""
    nearest_minimum_label: str | None = None
    own_minimum: bool | None = None
    """Like `own_geometry`."""
    experimental_fundamentals: FrequencyErrors | None = None
    """Of its wavenumbers times the scale factor of the level above; None where none is known."""
    scale_factor: float | None = None
    uncertainty: UncertaintyQuality | None = None
    """Of its own uncertainties against its errors at the nearest level."""
    failures: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def measured(self) -> bool:
        """Whether it has any figure."""
        return bool(self.references) or self.harmonic is not None

    @property
    def force_mae(self) -> Estimate | None:
        """Force MAE against the level that matches the method's own, meV/Angstrom."""
        found = self.references.get(self.nearest or "")
        return found.force_mae if found else None

    @property
    def common_mae(self) -> Estimate | None:
        """Force MAE against the level that all methods share, meV/Angstrom."""
        found = self.references.get(self.common or "")
        return found.force_mae if found else None

    @property
    def frequencies(self) -> FrequencyErrors | None:
        """Errors of the wavenumbers against the nearest level with a minimum, cm-1."""
        found = self.vibrations.get(self.nearest_minimum or "")
        return found.errors if found else None


@dataclasses.dataclass(frozen=True)
class Floor:
    """How much two references differ."""

    a: str
    b: str
    forces: ForceErrors | None
    frequencies: FrequencyErrors | None
    bonds: BondErrors | None
    same_theory: bool = False
    """One checks the other: the difference is the error of both, not that of theory."""


@dataclasses.dataclass(frozen=True)
class AccuracyTable:
    """The accuracy of all methods of a run, ready to be rendered."""

    description: Description
    rows: tuple[Accuracy, ...]
    """One for each method; over several systems, without minima."""
    levels: tuple[Level, ...]
    floor: tuple[Floor, ...] = ()
    spread: Spread | None = None
    """How far good theories differ, at all structures that they have."""
    minima: tuple[ReferenceMinimum, ...] = ()
    experiment: tuple[str, ...] = ()
    """Its sources."""
    planar: bool = False
    """Whether the molecule is planar at a reference's minimum, so that a method's distance from a plane is an error."""
    missing: str = ""
    by_system: tuple[Accuracy, ...] = ()
    """Of several systems, a row for each system and each method that takes it, system by system."""
    damaged: tuple[int, ...] = ()

    @property
    def each(self) -> tuple[Accuracy, ...]:
        """The rows of one system each."""
        return self.by_system or self.rows

    def label(self, level: str) -> str:
        """Return the name of a level for people."""
        return next((one.label for one in self.levels if one.name == level), level)
