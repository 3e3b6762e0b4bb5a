"""Runs inside a method's own environment: standard library, numpy and ase only."""
