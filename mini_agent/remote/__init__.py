"""A run in a shim elsewhere: its wire format, its client, and discovery of its container."""
