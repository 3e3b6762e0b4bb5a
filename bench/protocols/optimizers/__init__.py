"""The optimizers protocol: each structure is relaxed by several optimisers, one after the other in the same process."""
