"""The md protocol: simulations from the relaxed molecule, and tests of the forces."""
