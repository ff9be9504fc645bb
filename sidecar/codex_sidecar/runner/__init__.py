"""The protocol with the runner in a container, and what comes of a snippet's run."""
