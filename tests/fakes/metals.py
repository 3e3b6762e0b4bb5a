# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "EMT"
# kind = "force-field"
# periodic = true
# download-mb = 60
#
# [tool.pesbench.methods.emt]
# stress = true
# label = "EMT (ASE)"
# [tool.pesbench.methods.emt-no-stress]
# ///
"""Effective medium theory, as ASE has it, for crystals."""

from bench.adapter import Adapter


class Emt(Adapter):
    """ASE's EMT."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator."""
        from ase.calculators.emt import EMT

        return EMT()

    def script(self, method, device, dtype, threads, checkpoint):
        """Return how a plain script makes the calculator."""
        return "from ase.calculators.emt import EMT\n\ncalculator = EMT()"
