"""Run directories, baselines and histories: what is kept, and what is read from it."""
