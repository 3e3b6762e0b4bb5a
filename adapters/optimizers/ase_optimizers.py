# /// script
# requires-python = ">=3.11"
# dependencies = []
#
# [tool.pesbench]
# family = "ASE's optimisers"
#
# [tool.pesbench.optimizers.BFGS]
# cell = true
# note = "Quasi-Newton in Cartesian coordinates, with the whole Hessian; no step longer than 0.2 Å. ASE's usual choice."
#
# [tool.pesbench.optimizers.LBFGS]
# cell = true
# note = "Quasi-Newton with the last 100 steps instead of a Hessian; no step longer than 0.2 Å."
#
# [tool.pesbench.optimizers.BFGSLineSearch]
# cell = true
# note = "BFGS with a line search, ASE's QuasiNewton; no step longer than 0.2 Å."
#
# [tool.pesbench.optimizers.GoodOldQuasiNewton]
# cell = true
# note = "Quasi-Newton with a trust radius."
#
# [tool.pesbench.optimizers.RFO]
# cell = true
# note = "BFGS with rational-function steps; no step longer than 0.2 Å."
#
# [tool.pesbench.optimizers.FIRE]
# cell = true
# note = "Damped dynamics; no step longer than 0.2 Å."
#
# [tool.pesbench.optimizers.FIRE2]
# cell = true
# note = "FIRE as in LAMMPS; no step longer than 0.2 Å."
#
# [tool.pesbench.optimizers.CG]
# label = "CG (SciPy)"
# cell = true
# note = "SciPy's conjugate gradients through ASE's SciPyFminCG; about two force calls a step."
#
# [tool.pesbench.optimizers.PreconLBFGS]
# cell = true
# note = "LBFGS with a preconditioner and an Armijo line search; no step longer than 0.04 Å, the default."
#
# [tool.pesbench.optimizers."PreconLBFGS-0.2"]
# label = "PreconLBFGS, steps to 0.2 Å"
# cell = true
# note = "PreconLBFGS with the longest step of the others."
# ///
"""The optimisers that come with ASE, each with its defaults unless its name says otherwise."""

from __future__ import annotations

from typing import Any


def make(name: str, atoms: Any) -> Any:
    """Return the optimiser of `atoms`, which have a calculator."""
    if name == "CG":
        from ase.optimize.sciopt import SciPyFminCG

        return SciPyFminCG(atoms, logfile=None)
    if name.startswith("PreconLBFGS"):
        from ase.optimize.precon import PreconLBFGS

        return PreconLBFGS(atoms, logfile=None, maxstep=0.2 if name.endswith("-0.2") else 0.04)
    from ase import optimize

    return getattr(optimize, name)(atoms, logfile=None)
