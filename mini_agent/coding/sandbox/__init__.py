"""Bash in a sandbox: a copy of the project there, and its changes brought back when approved."""
