"""The methods: what their adapter files say, their environments and checkpoints, and what is in the way of one."""
