"""Subagents: which there are, and how one carries out its task."""
