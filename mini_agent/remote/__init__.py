"""A run that a shim elsewhere carries out: its wire format, its client, and how it is found."""
