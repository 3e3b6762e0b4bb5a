"""The scaling protocol: force calls of systems of growing size."""
