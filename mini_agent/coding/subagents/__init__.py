"""Subagents: their types, and running one on its task."""
