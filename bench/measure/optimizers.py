"""Makes optimisers in a method's worker from their files; see ``adapters/optimizers``."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.core.task import OptimizerFile

BUILT_IN = ("BFGS", "CG")


class NoOptimizer(RuntimeError):
    """An optimiser cannot be used in this process; the text says why."""


class Optimizers:
    """The optimisers of a task by name."""

    def __init__(self, files: Sequence[OptimizerFile] = ()) -> None:
        self.files = {one.name: one for one in files}

    def check(self, name: str, structure: Any) -> None:
        """Raise NoOptimizer where an optimiser cannot relax a structure, whatever box a method needs for it."""
        file = self.files.get(name)
        if file is not None and file.free and (structure.pbc.any() or structure.constraints):
            raise NoOptimizer(f"{name} relaxes free molecules without fixed atoms")

    def make(self, name: str, atoms: Any) -> Any:
        """Return an optimiser of `atoms`, which have a calculator: what has ``attach`` and ``run`` as ASE's have."""
        if name in BUILT_IN:  # a task need not describe these
            return _built_in(name)(atoms, logfile=None)
        file = self.files.get(name)
        if file is None:
            raise NoOptimizer(f"the task has no optimiser {name!r}")
        if file.obstacle:
            raise NoOptimizer(file.obstacle)
        return _module(file.file, file.packages).make(name, atoms)


@functools.cache
def _module(file: str, packages: str | None) -> ModuleType:
    """Return an optimiser's file as a module.

    Its packages come after the method's own: what both have is the method's, so that the method stays as it is.
    """
    if packages is not None and packages not in sys.path:
        made_for = Path(packages).parent.name
        here = f"python{sys.version_info.major}.{sys.version_info.minor}"
        if made_for != here:
            raise NoOptimizer(f"its packages are for {made_for}, and the method runs on {here}")
        sys.path.append(packages)
    spec = importlib.util.spec_from_file_location(f"_optimizer_{Path(file).stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _built_in(name: str) -> Any:
    """Return a class of ASE; imported here, because nothing of SciPy may be loaded before a method's own libraries."""
    if name == "CG":
        from ase.optimize.sciopt import SciPyFminCG

        return SciPyFminCG
    from ase.optimize import BFGS

    return BFGS
