# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "mace-torch==0.3.16",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "configargparse; sys_platform == 'never'",
#   "gitpython; sys_platform == 'never'",
#   "prettytable; sys_platform == 'never'",
#   "python-hostlist; sys_platform == 'never'",
#   "pyyaml; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "MACE"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# dtypes = ["float32", "float64"]  # the default of mace_mp first; mace_off and mace_omol have float64
# periodic = true
# stress = true
# download-mb = 300  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs; cuEquivariance: see the knob kernel
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
# kernel = { values = ["e3nn", "cuequivariance"], devices = ["cuda"] }  # its package is for an environment you bring
# compile = ["off", "on"]  # torch.compile in its default mode; it takes minutes and needs a C++ compiler; on a CPU,
# # for one thread only: see load
#
# # Upstream publishes no SHA-256. That of mace-mp-0-small is of the real file. The other sizes and hashes do not come
# # from a file of ours: several unrelated public repositories pin the same ones for the files at these addresses.
#
# [tool.pesbench.methods.mace-mh-1]
# label = "MACE-MH-1 (omol)"
# made-for = "molecules"
# paper = "mace-mh-1"
# parameters = 6439878
# random-weights = true
# memory-mb = 850  # 1050 in float64
# note = "Head omol (wB97M-V, for molecules) of six; neutral singlets only. Weights: academic use only (ASL)."
# [tool.pesbench.methods.mace-mh-1.checkpoint]
# file = "mace-mh-1.model"
# licence = "ASL (Academic Software License: not for commercial use)"
# url = "https://github.com/ACEsuit/mace-foundations/releases/download/mace_mh_1/mace-mh-1.model"
# bytes = 59208139
# sha256 = "a522eb7f59c7879963d41586528f4980baf33e086c94aa92e3eafdeccad3be47"
# [tool.pesbench.methods.mace-mh-1.theory]
# functional = "wB97M-V"
# basis = "def2-TZVPD"
# dispersion = "VV10"
# source = "Batatia et al., arXiv:2510.25380, head omol; OMol25: Levine et al., arXiv:2505.08762"
#
# [tool.pesbench.methods.mace-mpa-0]
# label = "MACE-MPA-0 (medium)"
# made-for = "crystals"
# default = false
# note = "Trained on periodic materials (PBE+U), no dispersion correction."
# [tool.pesbench.methods.mace-mpa-0.checkpoint]
# file = "mace-mpa-0-medium.model"
# licence = "MIT"
# url = "https://github.com/ACEsuit/mace-mp/releases/download/mace_mpa_0/mace-mpa-0-medium.model"
# bytes = 79462305
# sha256 = "75428afe3a1d7d8062e19bcaabd5c433623cabf308242ec9fb493e38604fb638"
# [tool.pesbench.methods.mace-mpa-0.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "mace-foundations' README: MPtrj and sAlex"
#
# [tool.pesbench.methods.mace-mp-0-small]
# label = "MACE-MP-0 (small)"
# made-for = "crystals"
# parameters = 3847696
# default = false
# force-tolerance = 0.01  # the noise of a float32 energy; in float64 the forces are the derivative to 1e-8
# memory-mb = 600
# note = "Trained on periodic materials (PBE+U), no dispersion correction."
# [tool.pesbench.methods.mace-mp-0-small.checkpoint]
# file = "mace_mp_small.model"
# licence = "MIT"
# url = "https://github.com/ACEsuit/mace-mp/releases/download/mace_mp_0/2023-12-10-mace-128-L0_energy_epoch-249.model"
# bytes = 32581838
# sha256 = "2ddb079cee0e131eaaf6912ba581b394551ead283e95c99cfe78c605d10b5736"
# [tool.pesbench.methods.mace-mp-0-small.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Batatia et al., arXiv:2401.00096: MPtrj"
#
# [tool.pesbench.methods.mace-off23]
# label = "MACE-OFF23 (medium)"
# made-for = "molecules"
# dtypes = ["float64", "float32"]
# default = false
# note = "Ten elements of organic molecules, neutral ones only. Weights: academic use only (ASL)."
# [tool.pesbench.methods.mace-off23.checkpoint]
# file = "MACE-OFF23_medium.model"
# licence = "ASL (Academic Software License: not for commercial use)"
# url = "https://github.com/ACEsuit/mace-off/raw/91a78c5a9c300d1104700d9352c8bfe449227737/mace_off23/MACE-OFF23_medium.model"
# [tool.pesbench.methods.mace-off23.theory]
# functional = "wB97M-D3(BJ)"
# basis = "def2-TZVPPD"
# dispersion = "D3(BJ)"
# source = "Kovacs et al., arXiv:2312.15211; SPICE: Eastman et al., Sci. Data 10, 11 (2023)"
#
# [tool.pesbench.methods.mace-omol-0]
# label = "MACE-OMOL-0 (extra large)"
# made-for = "molecules"
# dtypes = ["float64", "float32"]
# default = false
# charge = true
# spin = true
# note = "Takes charge and spin multiplicity. Weights: academic use only (ASL)."
# [tool.pesbench.methods.mace-omol-0.checkpoint]
# file = "MACE-omol-0-extra-large-1024.model"
# licence = "ASL (Academic Software License: not for commercial use)"
# url = "https://github.com/ACEsuit/mace-foundations/releases/download/mace_omol_0/MACE-omol-0-extra-large-1024.model"
# bytes = 422242640
# sha256 = "9b64b4fd5153ca578c694abc57806d8111050de6ff652e695c9b525bc4d36469"
# [tool.pesbench.methods.mace-omol-0.theory]
# functional = "wB97M-V"
# basis = "def2-TZVPD"
# dispersion = "VV10"
# source = "mace-foundations' README; OMol25: Levine et al., arXiv:2505.08762"
# ///
"""MACE's foundation models, with its e3nn kernels and by default not compiled, as its calculator runs them."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, by_molecule, charge_and_spin, refuse_ions

HEADS = {"mace-mh-1": "omol"}  # which of several heads; a model with a single one needs no name
MH_1_HEADS = ["matpes_r2scan", "mp_pbe_refit_add", "spice_wB97M", "oc20_usemppbe", "omol", "omat_pbe"]
ACCELERATORS = {"cuequivariance_torch", "openequivariance"}


class Mace(TorchAdapter):
    """MACE's ASE calculator; the stress comes with the forces and cannot be switched off."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return MACE's ASE calculator (eV, Angstrom) of `checkpoint`, converted to `dtype`."""
        if checkpoint is None:
            raise ValueError(f"{method} needs its checkpoint file; MACE would fetch one without checking it")
        _import_mace()
        from mace.calculators import MACECalculator

        compiled = self.knobs.get("compile") == "on"
        if compiled and device == "cpu" and threads > 1:
            # its vectorised scatter between threads writes to wrong places: forces are off by several eV/Angstrom
            raise ValueError("compiled for several threads, torch 2.13 gives MACE wrong forces; use one thread")
        self.set_up_torch(device, threads)
        head = HEADS.get(method)
        accelerated = self.knobs.get("kernel") == "cuequivariance"
        if accelerated and importlib.util.find_spec("cuequivariance_torch") is None:
            raise ImportError("cuequivariance is not installed, and MACE would use e3nn without a word")
        # a Path, because MACE treats a str as a pattern
        calculator = MACECalculator(
            model_paths=checkpoint,
            device=device,
            default_dtype=dtype,
            head=head,
            compile_mode="default" if compiled else None,
            enable_cueq=accelerated,
        )
        if head is not None and _head(calculator) != head:  # MACE would only warn and use the last head
            raise ValueError(f"{checkpoint.name} has no head {head!r}, but {', '.join(_heads(calculator))}")
        self._calculator = calculator
        (self.model,) = calculator.models  # it may hold a committee, but a released file holds a single model
        return calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes MACE's calculator."""
        return f"""\
import mace.modules  # before e3nn
from mace.calculators import MACECalculator
{self.torch_lines(device, threads)}
calculator = MACECalculator(
    model_paths=[{str(checkpoint)!r}],
    device={device!r},
    default_dtype={dtype!r},
    head={HEADS.get(method)!r},
    compile_mode={"default" if self.knobs.get("compile") == "on" else None!r},
    enable_cueq={self.knobs.get("kernel") == "cuequivariance"},
)
"""

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write MACE-MH-1 with random weights to `path`, as a pickled module like MACE's releases.

        The hyper-parameters come from its published training configuration and the training script's defaults;
        numbers that only shift or scale the energy (isolated atoms) are the same for all heads here.
        """
        if method != "mace-mh-1":
            raise ValueError(f"{method} cannot be built with random weights")
        _import_mace()
        import numpy as np
        import torch
        from e3nn import o3
        from mace.modules import RealAgnosticResidualNonLinearInteractionBlock, ScaleShiftMACE

        torch.manual_seed(seed)
        torch.set_default_dtype(torch.float64)  # as released; load() converts
        elements = [*range(1, 84), *range(89, 95)]
        model = ScaleShiftMACE(
            r_max=6.0,
            num_bessel=10,
            num_polynomial_cutoff=5,
            max_ell=3,
            interaction_cls=RealAgnosticResidualNonLinearInteractionBlock,
            interaction_cls_first=RealAgnosticResidualNonLinearInteractionBlock,
            num_interactions=2,
            num_elements=len(elements),
            hidden_irreps=o3.Irreps("512x0e + 512x1o"),
            edge_irreps=o3.Irreps("128x0e + 128x1o"),
            MLP_irreps=o3.Irreps("16x0e"),
            atomic_energies=np.full((len(MH_1_HEADS), len(elements)), -1.0),
            avg_num_neighbors=30.0,
            atomic_numbers=elements,
            correlation=3,
            gate=torch.nn.functional.silu,
            pair_repulsion=True,
            distance_transform="Agnesi",
            apply_cutoff=False,
            use_reduced_cg=False,
            use_agnostic_product=True,
            use_edge_irreps_first=True,
            radial_MLP=[64, 64, 64],
            heads=MH_1_HEADS,
            atomic_inter_scale=[0.7735790334431056] * len(MH_1_HEADS),
            atomic_inter_shift=[0.0] * len(MH_1_HEADS),
        )
        torch.save(model, path)

    def prepare(self, atoms: Any) -> Any:
        """Return a copy that has charge and spin multiplicity where the model takes them.

        Raises ValueError for an element that it was not trained on and, if the model takes no charges, for an ion. This
        depends on the checkpoint, which may be the user's own.
        """
        unknown = sorted(set(atoms.numbers.tolist()) - set(map(int, self._calculator.z_table.zs)))
        if unknown:
            raise ValueError(f"this MACE model does not know the element with the atomic number {unknown[0]}")
        atoms = atoms.copy()
        if self._knows_charge:
            atoms.info["charge"], atoms.info["spin"] = charge_and_spin(atoms)
        else:
            refuse_ions(atoms, "this MACE model")
        return atoms

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one graph, as MACE's eval_configs does, without stress."""
        import mace.data as mace_data
        from mace.tools import torch_geometric, torch_tools

        arrays = calculator.arrays_keys | {calculator.charges_key: "charges"}
        keys = mace_data.KeySpecification(info_keys=calculator.info_keys, arrays_keys=arrays)
        with torch_tools.default_dtype(calculator.default_dtype):
            graphs = [
                mace_data.AtomicData.from_config(
                    mace_data.config_from_atoms(atoms, key_specification=keys, head_name=calculator.head),
                    z_table=calculator.z_table,
                    cutoff=calculator.r_max,
                    heads=calculator.available_heads,
                )
                for atoms in structures
            ]
        batch = torch_geometric.Batch.from_data_list(graphs).to(self.device)
        found = self.model(batch.to_dict(), compute_stress=False)
        return by_molecule(found["energy"].detach().cpu().tolist(), found["forces"].detach().cpu().numpy(), structures)

    def edges(self, calculator: Any) -> int | None:
        """Return the number of pairs within the cutoff at the last geometry; MACE does not keep its graph."""
        from mace.data.neighborhood import get_neighborhood

        atoms = calculator.atoms
        cell, pbc = atoms.cell.array, tuple(map(bool, atoms.pbc))
        return int(get_neighborhood(atoms.positions, calculator.r_max, pbc=pbc, cell=cell)[0].shape[1])

    def settings(self) -> dict[str, Any]:
        """Return the head, the kernel and the precision that really run; the cutoff in Angstrom."""
        packages = {type(module).__module__.partition(".")[0] for module in self.model.modules()}
        return {
            **super().settings(),
            "head": _head(self._calculator),
            "heads": _heads(self._calculator),
            "kernel": ", ".join(sorted(packages & ACCELERATORS)) or "e3nn",
            "compiled": self._calculator.use_compile,
            "cutoff": self._calculator.r_max,
            "charge_and_spin": "of the structure, else 0 and 1" if self._knows_charge else "not taken",
            "dispersion": "none added",
            "stress": "computed with the forces",
        }

    @property
    def _knows_charge(self) -> bool:
        return "total_charge" in (getattr(self.model, "embedding_specs", None) or {})


def _heads(calculator: Any) -> list[str]:
    """Return the names of the heads; mace-torch before 0.3.13 has them elsewhere."""
    return list(calculator.available_heads if hasattr(calculator, "available_heads") else calculator.heads)


def _head(calculator: Any) -> str | None:
    """Return the head in use; before 0.3.13 none can be chosen, and of several nothing says which one it is."""
    heads = _heads(calculator)
    return getattr(calculator, "head", heads[0] if len(heads) == 1 else None)


def _import_mace() -> None:
    """Import MACE, which lets torch read e3nn's and its own pickles; e3nn 0.4.4 cannot be imported before it."""
    # torch warns at each place that reads a file: e3nn's import, MACE's calculator
    warnings.filterwarnings("ignore", message="Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected")
    import mace.modules  # noqa: F401
