"""The methods: their adapter files, environments and checkpoints, and what keeps a method from running."""
