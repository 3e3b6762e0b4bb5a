"""Frozen types shared by both sides of the pipe: a worker's task, its messages, and the records.

Imported inside every method's own environment, so it needs only the standard library and ASE with its dependencies.
"""
