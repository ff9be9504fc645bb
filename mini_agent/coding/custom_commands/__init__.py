"""Slash commands in files of the user and the project: their templates, and expanding them."""
