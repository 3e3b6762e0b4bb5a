"""A protocol for the tests: force calls at stretched molecules. Copied into a tree, its folder is all that it needs."""
