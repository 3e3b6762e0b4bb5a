"""This machine: what it is, what it gives, and what else it does."""
