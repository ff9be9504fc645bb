"""Processes of snippets: how they start, are watched, and end."""
