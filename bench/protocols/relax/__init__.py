"""The relax protocol: each structure is optimised."""
