"""The interface through which every method is measured, and the only part of pesbench that an adapter file imports.

An adapter file is one Python file that holds a PEP 723 header (its whole environment, and under
``[tool.pesbench]`` what the harness must know without importing it) and one subclass of :class:`Adapter`,
or of :class:`TorchAdapter`. It runs inside the method's own environment, so this module needs only the
standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from bench.core.compiler import without_compiler


class NativeRelaxation(Protocol):
    """A relaxation with the method's own optimiser, one step per call (Open Babel's conjugate gradients)."""

    criterion: str  # the convergence criterion in words, shown in the table's notes

    def step(self) -> bool:
        """Make one step and return whether the relaxation has converged; this call is timed."""

    def finish(self, atoms: Any) -> None:
        """Write the current coordinates into `atoms`; outside the timed region."""


class Adapter:
    """Makes the methods of one family available; subclass it once in an adapter file.

    The worker makes one, sets :attr:`reference` and :attr:`knobs`, calls :meth:`load` once and, for each structure,
    :meth:`prepare` and :meth:`new_structure`; none of these is timed.
    """

    knobs: Mapping[str, str] = MappingProxyType({})
    """The value of each knob that the header declares for this device, such as ``{"compile": "off"}``; set before
    :meth:`load`. Read them with a default, ``self.knobs.get("compile", "off")``, so that a script can load the adapter.
    """

    reference: Any = None
    """ase.Atoms: the undistorted molecule, atoms in the data set's order, for methods that need a fixed topology."""

    symmetric: bool = False
    """Whether forces have the symmetry of a molecule, as those of a converged SCF have, and cost minutes.

    A Hessian then takes only the displacements that symmetry does not make equal. A model that only learned a symmetry
    must not say so.
    """

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Load `method` and return an ASE calculator (eV, Angstrom) that gives energy and forces.

        `method` is a name from the header, `device` is ``cpu`` or ``cuda:N``, `dtype` one of the header's
        (the first unless the user chose), `checkpoint` a verified file or None where the header names none.
        The thread variables (OMP_NUM_THREADS and the like) are already set, and nothing was imported before.
        Any exception raised here becomes a failure record.
        """
        raise NotImplementedError

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str | None:
        """Return how a plain ASE script, without pesbench, makes the calculator that :meth:`load` returns; else None.

        Lines of Python that may use ``np`` and the ase.Atoms ``reference`` and ``structure``. They set ``calculator``
        and, where needed, ``prepare(atoms)``, which changes the atoms like :meth:`prepare`, ``synchronize()``, and the
        method's own optimiser ``relax(atoms, max_steps)``, which returns its number of steps; ``finish(atoms)`` gives
        the atoms the relaxed geometry where ``relax`` does not.
        """
        return None

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint of the published architecture of `method` with random weights to `path`.

        It has the official format, so that :meth:`load` reads it like the official one, the published number of
        parameters, and weights of the usual scale (no denormal numbers, which are slow). It runs in its own process;
        needed where the header says ``random-weights = true``.
        """
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait until the device has finished; called right before each reading of the clock. No-op on a CPU."""

    def prepare(self, atoms: Any) -> Any:
        """Return the ase.Atoms that the method gets for this structure (with a box around it, or a charge).

        Where the header says that the method takes them, ``atoms.info`` has the integers ``charge`` (elementary
        charges) and ``spin`` (the multiplicity 2S+1); see :func:`charge_and_spin`. Otherwise it has neither, because
        the harness refuses a structure that is charged or whose multiplicity is not the lowest one.
        """
        return atoms

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator for a new structure, with no state from the previous one."""
        reset = getattr(calculator, "reset", None)
        if callable(reset):
            reset()
        return calculator

    def new_system(self, calculator: Any, reference: Any) -> Any:
        """Return the calculator for another system, ase.Atoms that are not distorted.

        Called where a data set has several systems, and for each size of the scaling protocol. :attr:`reference` is
        that system from now on. Needed by methods with a fixed topology; :meth:`prepare` and
        :meth:`new_structure` follow.
        """
        self.reference = reference
        return calculator

    def edges(self, calculator: Any) -> int | None:
        """Return the number of pairs of neighbours in the last force call, each counted twice, or None."""
        return None

    def rebuilds(self, calculator: Any) -> int | None:
        """Return how many lists of neighbours it has made since it was loaded, where it keeps them for a while; None.

        A list with a skin is kept until an atom has moved by half of it. Its `settings` then report cutoff and skin.
        """
        return None

    def count_parameters(self) -> int | None:
        """Return the number of trained parameters of the loaded model, or None where a method has none."""
        return None

    def settings(self) -> dict[str, Any]:
        """Return what really runs, as JSON: kernels, precision, head, grid, versions of external programs."""
        return {}

    def peak_device_memory(self) -> int | None:
        """Return the largest memory that was allocated on the device, in bytes; None on a CPU."""
        return None

    def product_error(self) -> float | None:
        """Return the error of a float32 matrix product on the device, over its largest entry; None without one.

        About 1e-7 in full precision, 3e-4 with TF32; not timed.
        """
        return None

    def uncertainty(self, calculator: Any, atoms: Any) -> tuple[float | None, Any | None]:
        """Return the method's own uncertainty for `atoms`, which come from :meth:`prepare`; not timed.

        The standard deviation of the energy, eV, and that of the force vector on each atom, (n,) in eV/Angstrom (the
        norm over its components); each None where the method has none.
        """
        return None, None

    def hessian(self, calculator: Any, atoms: Any) -> Any | None:
        """Return the method's own Hessian at the geometry of `atoms`, (3n, 3n) in eV/Angstrom^2, or None.

        Only one that upstream computes itself, analytically; without it the forces are differentiated.
        """
        return None

    def batched(self, calculator: Any, structures: Sequence[Any]) -> Sequence[tuple[float, Any]] | None:
        """Return energy (eV) and forces ((n, 3), eV/Angstrom) of each structure, in order, or None without batches.

        One call of the model for all `structures`, which come from :meth:`prepare`, in upstream's own way. It is timed
        with everything that it does, like a force call: neighbour lists, conversion, copies to the host. Its answers
        are compared with those of single calls.
        """
        return None

    def driver(self, calculator: Any, atoms: Any, timed: Callable[[Any], Any]) -> tuple[str, Callable[[], Any]] | None:
        """Return the name of upstream's own integrator, and a function that makes a step with it; None without one.

        A step is one of velocity Verlet, 0.5 fs at 300 K, from `atoms`, which come from :meth:`prepare`, with one call
        of the model. Give the integrator ``timed(model)`` in place of the model, and its calls are timed. Without it,
        ASE's integrator is timed. For `pesbench engines`, which reports the driver's own share of a step.
        """
        return None

    def native_relax(self, calculator: Any, atoms: Any, max_steps: int) -> NativeRelaxation:
        """Start a relaxation with the method's own optimiser; needed where the header says ``native = true``.

        Atoms that ``atoms.constraints`` (ASE's FixAtoms) names must not move.
        """
        raise NotImplementedError


class TorchAdapter(Adapter):
    """What adapters of PyTorch models share. Their `load` calls :meth:`set_up_torch` and sets :attr:`model`."""

    model: Any
    """The torch.nn.Module that computes."""
    device: Any
    """The torch.device that it computes on."""
    not_compiled: str = ""
    """Why the model is not compiled although the knob ``compile`` is on; empty where it is, and where that is off."""

    def compiles(self, device: str) -> bool:
        """Return whether to compile the model for `device`: the knob ``compile`` is on, and this machine can.

        Where it cannot, :attr:`not_compiled` says why, and :meth:`compiled` tells it.
        """
        if self.knobs.get("compile") == "on":
            self.not_compiled = without_compiler(device)
            return not self.not_compiled
        return False

    def compiled(self, really: bool) -> bool | str:
        """Return what :meth:`settings` says of compilation: whether the model `really` is, or why not as asked."""
        return f"off: {self.not_compiled}" if self.not_compiled and not really else really

    def set_up_torch(self, device: str, threads: int) -> None:
        """Set torch's number of threads, and keep the device, which :meth:`synchronize` waits for.

        `device` is ``cpu`` or ``cuda:N``. Call it after imports that set threads themselves.
        """
        import torch

        torch.set_num_threads(threads)
        self.device = torch.device(device)
        if "tf32" in self.knobs:  # torch's own switch, for its products on a GPU and those of cuDNN
            on = self.knobs["tf32"] == "on"
            torch.set_float32_matmul_precision("high" if on else "highest")
            torch.backends.cudnn.allow_tf32 = on
        self._backend = getattr(torch, self.device.type)  # torch.cuda, torch.xpu: their functions have the same names

    def torch_lines(self, device: str, threads: int) -> str:
        """Return the lines of :meth:`script` that do what :meth:`set_up_torch` and :meth:`synchronize` do."""
        kind, lines = device.partition(":")[0], f"import torch\n\ntorch.set_num_threads({threads})"
        if on := self.knobs.get("tf32"):
            lines += f'\ntorch.set_float32_matmul_precision("{"high" if on == "on" else "highest"}")'
            lines += f"\ntorch.backends.cudnn.allow_tf32 = {on == 'on'}"
        return lines if kind == "cpu" else f"{lines}\nsynchronize = lambda: torch.{kind}.synchronize({device!r})"

    def synchronize(self) -> None:
        """Wait until the accelerator has finished; nothing to wait for on a CPU."""
        if self.device.type != "cpu":
            self._backend.synchronize(self.device)

    def count_parameters(self) -> int | None:
        """Return the number of all parameters of the model."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def settings(self) -> dict[str, Any]:
        """Return the precision, the device and the threads that are really used; subclasses add to them."""
        import torch

        return {
            "parameter_dtypes": sorted({str(p.dtype).removeprefix("torch.") for p in self.model.parameters()}),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "device": str(next(self.model.parameters()).device),
            "threads": torch.get_num_threads(),
            **self._on_gpu(),
        }

    def _on_gpu(self) -> dict[str, Any]:
        """Return what only a GPU has: its name and architecture, torch's CUDA, and torch's switches for TF32."""
        import torch

        if self.device.type != "cuda":
            return {}
        switches = {"matmul": torch.backends.cuda.matmul, "cudnn": torch.backends.cudnn}
        return {
            "gpu": torch.cuda.get_device_name(self.device),
            "compute_capability": ".".join(map(str, torch.cuda.get_device_capability(self.device))),
            "cuda": torch.version.cuda,
            # torch refuses to read these where a library used its newer names for them
            **{f"tf32_{name}": _told(lambda one=one: one.allow_tf32) for name, one in switches.items()},
        }

    def product_error(self) -> float | None:
        """Return the error of torch's float32 product of two random matrices, against float64 on the CPU."""
        import torch

        left, right = torch.rand(2, 512, 512, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
        product = (left.to(self.device) @ right.to(self.device)).cpu().double()
        exact = left.double() @ right.double()
        return float((product - exact).abs().max() / exact.abs().max())

    def peak_device_memory(self) -> int | None:
        """Return the largest memory that torch had allocated on the accelerator, in bytes; None on a CPU."""
        return None if self.device.type == "cpu" else int(self._backend.max_memory_allocated(self.device))


def _told(read: Any) -> Any:
    """Return what a function reads, or its error as text."""
    try:
        return read()
    except RuntimeError as error:
        return " ".join(str(error).split())[:100]


def as_arguments(options: Mapping[str, Any]) -> str:
    """Return the lines of a call in :meth:`Adapter.script` that pass `options`."""
    return "\n".join(f"    {name}={value!r}," for name, value in options.items())


def by_molecule(energies: Sequence[float], forces: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
    """Return what :meth:`Adapter.batched` returns, from the energies and the forces on all atoms, (N, 3), in order."""
    found, first = [], 0
    for energy, atoms in zip(energies, structures, strict=True):
        found.append((float(energy), forces[first : first + len(atoms)]))
        first += len(atoms)
    return found


def charge_and_spin(atoms: Any) -> tuple[int, int]:
    """Return the charge (elementary charges) and the multiplicity 2S+1 that ``atoms.info`` has.

    By default the molecule is neutral and has the lowest multiplicity for its number of electrons. Raises ValueError
    for a multiplicity that this number of electrons cannot have.
    """
    charge = int(atoms.info.get("charge", 0))
    electrons = int(sum(atoms.numbers)) - charge
    spin = int(atoms.info.get("spin", 1 + electrons % 2))
    if not 1 <= spin <= electrons + 1 or (electrons - spin) % 2 == 0:
        raise ValueError(f"{electrons} electron{'s' * (electrons != 1)} cannot have the multiplicity {spin}")
    return charge, spin


def refuse_ions(atoms: Any, name: str) -> None:
    """Raise ValueError where a structure has a charge or unpaired spins that the model `name` would ignore.

    Needed where this depends on the checkpoint; the harness refuses what the header rules out.
    """
    charge, spin = int(atoms.info.get("charge", 0)), int(atoms.info.get("spin", 1))
    if charge or spin != 1:
        raise ValueError(f"{name} knows neutral singlets only, not charge {charge}, multiplicity {spin}")


def shipped_checkpoint(adapter: str, method: str, path: Path) -> Path:
    """Return `path`, the checkpoint of `method` in an installed package, after checking it against the header.

    It is a file, or a folder whose SHA-256 is over its files with their names. `adapter` is the adapter's ``__file__``.
    Raises ValueError where the SHA-256 differs: most checkpoints are pickles, which can run any code.
    """
    from bench.environments.header import read_header, sha256

    known = read_header(adapter).methods[method].checkpoint
    found = sha256(path)
    if known is None or found != known.sha256:
        wanted = known and known.sha256
        raise ValueError(f"{path} has the SHA-256 {found} instead of {wanted}; it was not loaded")
    return path


def __getattr__(name: str) -> Any:
    if name == "read_header":  # adapter files written for 0.1 take it from here
        from bench.environments.header import read_header

        return read_header
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Minimizer:
    """Makes an optimiser that asks for energies and forces look like one of ASE's; subclass it in an optimiser file.

    ASE's own classes do not need it. Every geometry that the optimiser asks for is a step.
    """

    def __init__(self, atoms: Any) -> None:
        self.atoms = atoms
        self._observers: list[Any] = []
        self._fmax = 0.0
        self._steps_left = 0

    def minimize(self) -> None:
        """Minimise the energy by calls of :meth:`evaluate`, which ends it; its own criteria must not."""
        raise NotImplementedError

    def evaluate(self, positions: Any) -> tuple[float, Any]:
        """Return energy (eV) and forces ((n, 3), eV/Angstrom) at positions ((n, 3), Angstrom)."""
        self.atoms.positions = positions
        forces = self.atoms.get_forces()
        energy = self.atoms.get_potential_energy()
        for observer in self._observers:
            observer()
        if (forces**2).sum(axis=1).max() < self._fmax**2:
            raise _Ended(True)
        if self._steps_left == 0:
            raise _Ended(False)
        self._steps_left -= 1
        return energy, forces

    def attach(self, observer: Any) -> None:
        """Have `observer` called after each force call, as ASE's optimisers do."""
        self._observers.append(observer)

    def run(self, fmax: float, steps: int) -> bool:
        """Minimise until the largest force on an atom is below `fmax` (eV/Angstrom); return whether it is.

        Raises RuntimeError where the optimiser ends by itself before that.
        """
        self._fmax, self._steps_left = fmax, steps
        try:
            self.minimize()
        except _Ended as end:
            return end.converged
        raise RuntimeError("the optimiser ended by itself, with larger forces")


class _Ended(BaseException):
    """Leaves an optimiser's loop; a BaseException, because some catch every Exception on their way."""

    def __init__(self, converged: bool) -> None:
        self.converged = converged
