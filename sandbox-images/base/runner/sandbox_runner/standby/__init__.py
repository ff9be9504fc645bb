"""Processes that wait for a snippet, and what each of them becomes."""
