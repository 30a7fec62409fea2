"""The command `optical`."""
