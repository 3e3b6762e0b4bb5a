# /// script
# requires-python = ">=3.11"
# dependencies = ["rdkit==2026.9.1", "ase==3.29.0", "numpy==2.4.6"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# override-dependencies = ["matplotlib; sys_platform == 'never'", "pillow; sys_platform == 'never'"]
#
# [tool.pesbench]
# family = "UFF (RDKit)"
# kind = "force-field"
# devices = ["cpu"]
# dtypes = ["float64"]
# download-mb = 70
#
# [tool.pesbench.methods."uff-ase@rdkit"]
# engine-of = "uff-ase"
# label = "UFF (RDKit, ASE)"
# note = "Not the same force field as Open Babel's: see docs/engines.md."
# ///
"""UFF as implemented in RDKit, with its defaults; see docs/engines.md for how it differs from Open Babel's."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from bench.adapter import Adapter


class RDKitUFF(Adapter):
    """RDKit's UFF with the topology of the reference."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return the serial ASE calculator (eV, Angstrom) of a force field that is set up on the reference."""
        return self.new_system(None, self.reference)

    def new_system(self, calculator: Any, reference: Any) -> Any:
        """Return a calculator with the topology of `reference`, which may be a cluster of molecules."""
        self.reference = reference
        self._molecule = molecule_of(reference)
        return _make_calculator(self._molecule)

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes the calculator: by the functions below."""
        functions = [textwrap.dedent(inspect.getsource(one)) for one in (molecule_of, _make_calculator)]
        return "\n\n".join(
            ["from typing import Any\n", *functions, "calculator = _make_calculator(molecule_of(reference))\n"]
        )

    def settings(self) -> dict[str, Any]:
        """Return RDKit's version and the topology behind the energies."""
        import rdkit

        return {
            "rdkit": rdkit.__version__,
            "topology": "perceived once, on the reference structure",
            "bonds": self._molecule.GetNumBonds(),
            "van_der_waals_threshold": "RDKit's own, 10 times the sum of the radii",
        }


def molecule_of(atoms: Any) -> Any:
    """Return RDKit's molecule of ase.Atoms, or of a cluster of molecules, with bond orders; raises ValueError."""
    from rdkit import Chem
    from rdkit.Chem import rdDetermineBonds
    from rdkit.Geometry import Point3D

    whole = Chem.RWMol()
    conformer = Chem.Conformer(len(atoms))
    for index, (symbol, position) in enumerate(zip(atoms.symbols, atoms.positions.tolist(), strict=True)):
        atom = Chem.Atom(symbol)
        atom.SetNoImplicit(True)
        whole.AddAtom(atom)
        conformer.SetAtomPosition(index, Point3D(*position))
    whole.AddConformer(conformer)
    rdDetermineBonds.DetermineConnectivity(whole)
    order: list[int] = []
    parts = []
    for indices, part in zip(
        Chem.GetMolFrags(whole), Chem.GetMolFrags(whole, asMols=True, sanitizeFrags=False), strict=True
    ):
        rdDetermineBonds.DetermineBondOrders(part)
        Chem.SanitizeMol(part)
        parts.append(part)
        order += indices
    joined = parts[0]
    for part in parts[1:]:
        joined = Chem.CombineMols(joined, part)
    place = sorted(range(len(order)), key=order.__getitem__)
    joined = Chem.RenumberAtoms(joined, place)
    Chem.SanitizeMol(joined)
    return joined


def _make_calculator(molecule: Any) -> Any:
    """Return an ASE calculator (eV, Angstrom) of UFF; ASE and RDKit are imported only here."""
    import numpy as np
    from ase import units
    from ase.calculators.calculator import Calculator, all_changes
    from rdkit.Chem import rdForceFieldHelpers

    if not rdForceFieldHelpers.UFFHasAllMoleculeParams(molecule):
        raise ValueError("RDKit's UFF has no parameters for an atom of the reference")
    force_field = rdForceFieldHelpers.UFFGetMoleculeForceField(molecule, ignoreInterfragInteractions=False)
    force_field.Initialize()
    unit = units.kcal / units.mol

    class Uff(Calculator):
        implemented_properties = ["energy", "forces"]  # noqa: RUF012 - ASE's own way to declare them

        def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            places = self.atoms.positions.ravel().tolist()
            # the energy first: it renews the distances, and CalcGrad takes those that are there, even of old places
            energy = force_field.CalcEnergy(places)
            gradient = np.array(force_field.CalcGrad(places)).reshape(-1, 3)
            self.results = {"energy": energy * unit, "forces": -gradient * unit}

    return Uff()
