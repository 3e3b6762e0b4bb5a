"""Runs in the harness's environment: decides what is measured, when and where."""
