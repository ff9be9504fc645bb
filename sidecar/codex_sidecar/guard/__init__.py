"""The guard: alone it has the engine's socket, and lets through what sandboxes need."""
