"""This machine: its hardware, its parallel speed, and what else runs on it."""
