"""The guard: alone it has the engine's socket, and admits only what sandboxes need."""
