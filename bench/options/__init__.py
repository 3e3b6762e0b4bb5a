"""The options of the verbs; what the verbs do is in `bench.commands`."""
