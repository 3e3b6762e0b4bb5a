"""The data sets: where they come from, which structures are measured, and in which order."""
