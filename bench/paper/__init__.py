"""The published Table 1: its figures, and its claims held against a run."""
