"""Calls found in whatever a weak model says, each shape in a file of its own."""
