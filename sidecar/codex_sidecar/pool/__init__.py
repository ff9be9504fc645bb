"""Containers that wait for a snippet."""
