"""The conversation with the runner in a container."""
