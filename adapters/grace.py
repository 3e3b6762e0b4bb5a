# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "tensorpotential==0.6.2.1",
#   "tensorflow-cpu==2.20.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# override-dependencies = [
#   "tensorflow; sys_platform == 'never'",  # tensorflow-cpu has the same modules, without gigabytes of CUDA
#   "tf-keras==2.20.1",  # later ones ask for a later TensorFlow
#   "grpcio; sys_platform == 'never'",
#   "keras; sys_platform == 'never'",
#   "libclang; sys_platform == 'never'",
#   "matplotlib; sys_platform == 'never'",
#   "questionary; sys_platform == 'never'",
#   "rich; sys_platform == 'never'",
#   "tensorboard; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "GRACE"
# kind = "mlip"
# made-for = "crystals"
# devices = ["cpu", "cuda"]
# dtypes = ["float64"]
# download-mb = 360
# cuda-dependencies = [
#   "tensorflow[and-cuda]==2.20.0",
#   "tensorflow-cpu==2.20.0; sys_platform == 'never'",
# ]
#
# [tool.pesbench.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Matbench Discovery: trained on OMat24, sAlex and MPtrj"
#
# [tool.pesbench.methods.grace-2l-oam]
# label = "GRACE-2L-OAM"
# paper = "grace-2l-oam"
# parameters = 12597516
# random-weights = true
# memory-mb = 1200
# note = "Not GRACE-2L-OAM-M or -L. Model and tensorpotential: Academic Software License, no commercial use."
# [tool.pesbench.methods.grace-2l-oam.checkpoint]
# file = "GRACE-2L-OAM"
# licence = "Academic Software License (ASL): not open source, academic non-commercial use only"
# url = "https://huggingface.co/AMS-ICAMS-RUB/grace-foundation-models/resolve/kk/models/GRACE-2L-OAM-model.tar.gz"
# unpack = true
# ///
"""GRACE's foundation models, TensorFlow SavedModels that XLA compiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.adapter import Adapter

# the two-layer preset with the sizes of the foundation model on OMat24, from which OAM is fine-tuned
ARCHITECTURE = {
    "rcut": 6.0,
    "lmax": (4, 4),
    "n_rad_max": (32, 32),
    "n_mlp_dens": 12,
    "norm_out": "layer",
    "avg_n_neigh": 39.773345702648434,
    "constant_out_scale": 1.892985414710868,
}
UNKNOWN_ELEMENTS = {"Po", "At", "Rn", "Fr", "Ra"}  # of the first 94: the model knows 89


class Grace(Adapter):
    """tensorpotential's ASE calculator; it computes the virial with the forces, which cannot be switched off."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return tensorpotential's ASE calculator (eV, Angstrom) of the SavedModel folder `checkpoint`.

        It is made like in `grace_fm`, but without GRACE's own cache.
        """
        if checkpoint is None:
            raise ValueError(f"{method} needs its SavedModel folder; tensorpotential would fetch one unchecked")
        # before TensorFlow, because it chooses the Keras version
        from tensorpotential.calculator import TPCalculator  # isort: skip
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        kind, _, index = device.partition(":")
        gpus = tf.config.list_physical_devices("GPU") if kind == "cuda" else []
        visible = gpus[int(index or 0) :][:1]
        if kind == "cuda" and not visible:
            raise RuntimeError(f"TensorFlow finds no device {device}, only {len(gpus)} GPUs")
        tf.config.set_visible_devices(visible, "GPU")
        for gpu in visible:
            tf.config.experimental.set_memory_growth(gpu, True)
        self._device = device
        self._calculator = TPCalculator(str(checkpoint), pad_atoms_number=10, enable_uq_if_available=False)
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes tensorpotential's calculator, and a periodic box."""
        kind, _, index = device.partition(":")
        gpu = f'tf.config.list_physical_devices("GPU")[{int(index or 0)}:{int(index or 0) + 1}]'
        return f"""\
from tensorpotential.calculator import TPCalculator  # before TensorFlow
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads({threads})
tf.config.threading.set_inter_op_parallelism_threads(1)
gpus = {gpu if kind == "cuda" else "[]"}
tf.config.set_visible_devices(gpus, "GPU")
for gpu in gpus:
    tf.config.experimental.set_memory_growth(gpu, True)
calculator = TPCalculator({str(checkpoint)!r}, pad_atoms_number=10, enable_uq_if_available=False)
{"synchronize = tf.test.experimental.sync_devices" if kind == "cuda" else ""}

def prepare(atoms):
    \"\"\"Put the molecule into a periodic box in which it meets no image.\"\"\"
    atoms.center(vacuum=float(calculator.cutoff))
    atoms.pbc = True
"""

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write the two-layer model with random weights to the SavedModel folder `path`."""
        from tensorpotential.potentials.presets import GRACE_2LAYER_v1_24  # isort: skip
        import tensorflow as tf
        from ase.data import chemical_symbols
        from tensorpotential import TPModel

        tf.random.set_seed(seed)
        elements = sorted(set(chemical_symbols[1:95]) - UNKNOWN_ELEMENTS)
        preset = GRACE_2LAYER_v1_24(element_map={symbol: i for i, symbol in enumerate(elements)}, **ARCHITECTURE)
        model = TPModel(preset.get_instructions())
        model.build(tf.float64)
        # the gain of the normalisation starts at 1e-16, so the readout's network would have no effect
        gain = model.instructions["LinMLPOut2ScalarTarget"].scale
        gain.assign(tf.ones_like(gain))
        model.save_model(str(path))

    def synchronize(self) -> None:
        """Wait until the GPU has finished; nothing to wait for on a CPU."""
        if self._device != "cpu":
            import tensorflow as tf

            tf.test.experimental.sync_devices()

    def prepare(self, atoms: Any) -> Any:
        """Return a copy in a periodic box in which no atom is within the cutoff of an image.

        tensorpotential would put the caller's own atoms into its box, and ASE would treat the moved atoms as a new
        geometry and evaluate them twice. Raises ValueError for an element that the model does not know.
        """
        unknown = sorted(set(atoms.symbols) - set(self._calculator.element_map))
        if unknown:
            raise ValueError(f"GRACE does not know the element {unknown[0]}")
        boxed = atoms.copy()
        boxed.center(vacuum=float(self._calculator.cutoff))
        boxed.pbc = True
        return boxed

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator without its last results.

        If the structure has more neighbours than the compiled sizes allow, it compiles here and not in the timed
        region; but not for the first structure, whose first call shows the cost of compilation.
        """
        sizes = calculator.padding_manager.padding_bounds
        compiled = len(sizes)
        calculator.get_data(atoms)
        if 0 < compiled < len(sizes):
            calculator.calculate(atoms)
        calculator.reset()
        return calculator

    def count_parameters(self) -> int:
        """Return the number of trained parameters."""
        return sum(variable.shape.num_elements() for variable in self._variables() if variable.trainable)

    def settings(self) -> dict[str, Any]:
        """Return the engine, precision, threads and compiled sizes in use; the cutoff in Angstrom."""
        import tensorflow as tf

        calculator = self._calculator
        return {
            "engine": "dense" if calculator.dense_reshape else "segment_sum",
            "signatures": sorted(calculator.models[0].signatures),
            "uncertainty": "on" if calculator._uq_enabled else "off",
            "parameter_dtypes": sorted({variable.dtype.name for variable in self._variables() if variable.trainable}),
            "tensor_float_32": tf.config.experimental.tensor_float_32_execution_enabled(),
            "device": self._device,
            "threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
            "cutoff": float(calculator.cutoff),
            "padding": {
                "atoms": calculator.padding_manager.pad_atoms_number,
                "neighbours": calculator.padding_manager.pad_neighbors_fraction,
                "reductions": calculator.padding_manager.max_number_reduction_recompilation,
            },
            "padded_sizes": [list(size) for size in calculator.padding_manager.padding_bounds],  # atoms, neighbours
            "charge_and_spin": "not taken",
            "stress": "computed with the forces",
        }

    def peak_device_memory(self) -> int | None:
        """Return the largest memory that TensorFlow had allocated on the GPU, in bytes; None on a CPU."""
        if self._device == "cpu":
            return None
        import tensorflow as tf

        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])

    def _variables(self) -> list[Any]:
        """Return the variables of the function that is called."""
        signatures = self._calculator.models[0].signatures
        return list(signatures["compute" if "compute" in signatures else "serving_default"].variables)
