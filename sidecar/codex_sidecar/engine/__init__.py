"""The Docker Engine: the calls that are needed, confinement, attached streams."""
