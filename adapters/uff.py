# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "openbabel-wheel==3.1.1.23",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# override-dependencies = ["matplotlib; sys_platform == 'never'"]
#
# [tool.pesbench]
# family = "UFF"
# kind = "force-field"
# devices = ["cpu"]
# dtypes = ["float64"]
# download-mb = 70
#
# [tool.pesbench.theory]
# functional = "force field (UFF)"
# basis = "-"
# dispersion = "Lennard-Jones 12-6"
# source = "Rappe et al., J. Am. Chem. Soc. 114, 10024 (1992)"
#
# [tool.pesbench.methods.uff]
# label = "UFF (Open Babel CG)"
# model-label = "UFF (Open Babel)"
# native = true
# paper = "uff"
# force-tolerance = 0.1
# note = """Open Babel's own conjugate gradients; each step makes several energy evaluations in its line search; \
#   2 % of its time is not Open Babel's but the call from Python"""
#
# [tool.pesbench.methods.uff-ase]
# label = "UFF (Open Babel, ASE)"
# force-tolerance = 0.1
# note = "On distorted molecules Open Babel's forces differ from the energy's derivative by up to 0.06 eV/Å."
# ///
"""UFF as implemented in Open Babel (it differs from RDKit's UFF out of the plane of a ring)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.adapter import Adapter

NAPHTHALENE = "C10H8"
NAPHTHALENE_BONDS = 19
NAPHTHALENE_TYPES = {"C_R": 10, "H_": 8}
CLEARLY_APART = 1.45
"""In sums of covalent radii: nearer atoms of two fragments may be a bond that was not perceived."""
PLAIN = """\
from ase import units
from ase.calculators.calculator import Calculator, all_changes
from openbabel import openbabel

molecule = openbabel.OBMol()
molecule.BeginModify()
for number, position in zip(reference.numbers.tolist(), reference.positions.tolist()):
    atom = molecule.NewAtom()
    atom.SetAtomicNum(number)
    atom.SetVector(*position)
molecule.EndModify()
molecule.ConnectTheDots()
molecule.PerceiveBondOrders()
obatoms = [molecule.GetAtom(index + 1) for index in range(len(reference))]
uff = openbabel.OBForceField.FindForceField("UFF").MakeNewInstance()
uff.SetLogToStdErr()  # a new instance has a random log stream and level, on which Setup crashes
uff.SetLogLevel(openbabel.OBFF_LOGLVL_NONE)
assert uff.Setup(molecule)


def take(atoms):
    for obatom, position in zip(obatoms, atoms.positions.tolist()):
        obatom.SetVector(*position)
    uff.SetCoordinates(molecule)


class UFF(Calculator):
    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        take(self.atoms)
        energy = uff.Energy(True)
        vectors = [uff.GetGradient(obatom) for obatom in obatoms]  # despite its name, the force
        forces = np.array([(vector.GetX(), vector.GetY(), vector.GetZ()) for vector in vectors])
        self.results = {"energy": energy * units.kJ / units.mol, "forces": forces * units.kJ / units.mol}


calculator = UFF()
"""
PLAIN_NATIVE = """

def relax(atoms, max_steps):
    \"\"\"Open Babel's conjugate gradients; its own criterion ends them.\"\"\"
    take(atoms)
    uff.ConjugateGradientsInitialize(max_steps, 1e-6)  # moves the atoms along the forces: a step
    steps = 1
    while steps < max_steps:
        steps += 1
        if not uff.ConjugateGradientsTakeNSteps(1):
            break
    return steps


def finish(atoms):
    \"\"\"Take over the relaxed geometry.\"\"\"
    uff.GetCoordinates(molecule)
    atoms.positions = [(obatom.GetX(), obatom.GetY(), obatom.GetZ()) for obatom in obatoms]
"""


class UFF(Adapter):
    """Open Babel's UFF with the topology of the reference, for ASE and with its own minimiser."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return the serial ASE calculator (eV, Angstrom) of a force field that is set up on the reference."""
        if self.reference is None:
            raise ValueError("UFF needs a reference structure for its bonds; none was set")
        self._force_field = _ForceField(self.reference)
        return _make_calculator(self._force_field)

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script sets up Open Babel's UFF on the reference, for ASE or with its own minimiser."""
        return PLAIN + (PLAIN_NATIVE if method == "uff" else "")

    def new_system(self, calculator: Any, reference: Any) -> Any:
        """Return a calculator with the topology of `reference`, which may be a cluster of molecules."""
        self.reference = reference
        self._force_field = _ForceField(reference, whole=False)
        return _make_calculator(self._force_field)

    def settings(self) -> dict[str, Any]:
        """Return Open Babel's version and the topology behind the energies."""
        from openbabel import openbabel

        return {
            "open_babel": openbabel.OBReleaseVersion(),
            "topology": "perceived once, on the reference structure",
            "bonds": self._force_field.bonds,
            "atom_types": self._force_field.types,
        }

    def native_relax(self, calculator: Any, atoms: Any, max_steps: int) -> _ConjugateGradients:
        """Start Open Babel's conjugate gradients from `atoms` (Angstrom)."""
        return _ConjugateGradients(self._force_field, atoms, max_steps)


class _ForceField:
    """A private UFF instance: the one that Open Babel returns by name is shared by the whole process."""

    def __init__(self, reference: Any, whole: bool = True) -> None:
        from openbabel import openbabel

        self._numbers = [int(number) for number in reference.numbers]
        self._molecule = openbabel.OBMol()
        self._molecule.BeginModify()
        for number, position in zip(self._numbers, reference.positions.tolist(), strict=True):
            atom = self._molecule.NewAtom()
            atom.SetAtomicNum(number)
            atom.SetVector(*position)
        self._molecule.EndModify()
        self._molecule.ConnectTheDots()
        self._molecule.PerceiveBondOrders()
        self._atoms = [self._molecule.GetAtom(index + 1) for index in range(len(self._numbers))]
        self.instance = openbabel.OBForceField.FindForceField("UFF").MakeNewInstance()
        # A new instance has a random log stream and level, and Setup crashes on them.
        self.instance.SetLogToStdErr()
        self.instance.SetLogLevel(openbabel.OBFF_LOGLVL_NONE)
        if not self.instance.Setup(self._molecule):
            raise ValueError(f"Open Babel cannot set up UFF for {reference.get_chemical_formula()}")
        self.instance.GetAtomTypes(self._molecule)
        labels = [openbabel.toPairData(atom.GetData("FFAtomType")).GetValue() for atom in self._atoms]
        self.bonds = self._molecule.NumBonds()
        self.types = dict(Counter(labels))
        self._check_topology(reference, labels, whole)

    def _check_topology(self, reference: Any, labels: list[str], whole: bool) -> None:
        """Raise ValueError unless the perceived bonds and types are correct; `whole`: and connect all atoms."""
        formula = reference.get_chemical_formula()
        if formula == NAPHTHALENE and (self.bonds, self.types) != (NAPHTHALENE_BONDS, NAPHTHALENE_TYPES):
            raise ValueError(
                f"Open Babel perceived {self.bonds} bonds and the UFF types {self.types} in the reference "
                f"{formula}; naphthalene has {NAPHTHALENE_BONDS} bonds and {NAPHTHALENE_TYPES}. Bonds are read from "
                "the first structure of a system: put one with sensible bond lengths first"
            )
        for symbol, label in zip(reference.get_chemical_symbols(), labels, strict=True):
            if not label.startswith(symbol):  # a UFF type is named after its element: C_R, H_, Si3
                raise ValueError(f"UFF has no type for {symbol} in the reference {formula}")
        if whole and (torn := self._torn(reference)):
            raise ValueError(f"{torn} in the reference {formula}; give a reference with sensible bond lengths")

    def _torn(self, reference: Any) -> str:
        """Return where the reference falls apart at what may be a bond; empty where its fragments are molecules."""
        import numpy as np
        from ase.data import atomic_numbers, covalent_radii
        from openbabel import openbabel

        fragment = list(range(len(self._numbers)))  # each atom's fragment, by the bonds that were perceived
        for bond in openbabel.OBMolBondIter(self._molecule):  # their ids have gaps where the perception took some away
            ends = {fragment[bond.GetBeginAtomIdx() - 1], fragment[bond.GetEndAtomIdx() - 1]}
            fragment = [min(ends) if one in ends else one for one in fragment]
        sizes = Counter(fragment)
        if len(sizes) == 1:
            return ""
        noble = {atomic_numbers[symbol] for symbol in ("He", "Ne", "Ar", "Kr", "Xe", "Rn")}
        for index, number in enumerate(self._numbers):
            if sizes[fragment[index]] == 1 and number not in noble:
                return f"no bond is perceived at atom {index}, {reference.get_chemical_symbols()[index]},"
        radii = covalent_radii[reference.numbers]
        apart = np.not_equal.outer(fragment, fragment)
        ratios = reference.get_all_distances() / np.add.outer(radii, radii)
        near = np.argwhere(apart & (ratios < CLEARLY_APART))
        return (
            f"atoms {near[0][0]} and {near[0][1]} are too far apart for a bond, and too near for none,"
            if len(near)
            else ""
        )

    def set_structure(self, atoms: Any) -> None:
        """Take the coordinates of `atoms` (Angstrom); the bonds stay those of the reference."""
        if [int(number) for number in atoms.numbers] != self._numbers:
            raise ValueError(
                "UFF was set up for the reference and the order of its atoms; the structure "
                f"{atoms.get_chemical_formula()} has other atomic numbers or another order"
            )
        for atom, position in zip(self._atoms, atoms.positions.tolist(), strict=True):
            atom.SetVector(*position)
        self.instance.SetCoordinates(self._molecule)

    def fix(self, indices: Iterable[int]) -> None:
        """Keep these atoms, and no others, where they are."""
        from openbabel import openbabel

        constraints = openbabel.OBFFConstraints()
        for index in indices:
            constraints.AddAtomConstraint(index + 1)
        self.instance.SetConstraints(constraints)

    def energy_and_forces(self) -> tuple[float, list[tuple[float, float, float]]]:
        """Return the energy (kJ/mol) and the forces (kJ/mol/Angstrom)."""
        energy = self.instance.Energy(True)  # True: fill in the gradients, too
        vectors = [self.instance.GetGradient(atom) for atom in self._atoms]  # despite its name, the force
        return energy, [(vector.GetX(), vector.GetY(), vector.GetZ()) for vector in vectors]

    def positions(self) -> list[tuple[float, float, float]]:
        """Return the current coordinates (Angstrom)."""
        self.instance.GetCoordinates(self._molecule)
        return [(atom.GetX(), atom.GetY(), atom.GetZ()) for atom in self._atoms]


class _ConjugateGradients:
    """Open Babel's Fletcher-Reeves conjugate gradients, one step per call."""

    criterion = (
        "Open Babel's: the energy changes by less than 1e-6 kJ/mol in a step, and the shortest of the atoms' "
        "search directions is below 0.1 kJ/mol/Å"
    )

    def __init__(self, force_field: _ForceField, atoms: Any, max_steps: int) -> None:
        self._force_field = force_field
        self._max_steps = max_steps
        self._started = False
        force_field.set_structure(atoms)
        force_field.fix(int(index) for one in atoms.constraints for index in one.get_indices())

    def step(self) -> bool:
        """Make one step and return whether it has converged."""
        if not self._started:
            # The initialisation is a step: it moves the atoms along the forces.
            self._started = True
            self._force_field.instance.ConjugateGradientsInitialize(self._max_steps, 1e-6)
            return False
        # It also stops at max_steps, but does not count the first step, so the caller reaches the limit first.
        return not self._force_field.instance.ConjugateGradientsTakeNSteps(1)

    def finish(self, atoms: Any) -> None:
        """Write the current coordinates (Angstrom) into `atoms`."""
        atoms.positions = self._force_field.positions()


def _make_calculator(force_field: _ForceField) -> Any:
    """Return an ASE calculator (eV, Angstrom) of `force_field`; ASE is imported only here."""
    import numpy as np
    from ase import units
    from ase.calculators.calculator import Calculator, all_changes

    class OpenBabelUFF(Calculator):
        implemented_properties = ["energy", "forces"]  # noqa: RUF012 - ASE's own way to declare them

        def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            force_field.set_structure(self.atoms)
            energy, forces = force_field.energy_and_forces()
            unit = units.kJ / units.mol
            self.results = {"energy": energy * unit, "forces": np.array(forces) * unit}

    return OpenBabelUFF()
