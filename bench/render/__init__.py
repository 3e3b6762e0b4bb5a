"""Turns numbers into tables and figures."""
