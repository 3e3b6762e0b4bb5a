"""Pure functions from records to numbers: no clock, no file, no process."""
