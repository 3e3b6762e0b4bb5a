"""The replay protocol: steps along a fixed path from each structure, the same for every method."""
