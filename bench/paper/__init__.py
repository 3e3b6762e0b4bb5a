"""The published Table 1: its figures, and its claims compared with a run."""
