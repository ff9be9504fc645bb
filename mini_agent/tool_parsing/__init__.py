"""Parses tool calls out of a model's reply; each file reads one form."""
