"""The shim: the agent loop behind HTTP."""
