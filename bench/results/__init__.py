"""Run directories, baselines and histories: writing and reading them."""
