"""The throughput protocol: many molecules, one after another, in batches, and in several processes."""
