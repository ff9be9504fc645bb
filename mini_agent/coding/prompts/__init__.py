"""Prompts, reminders and hooks of the assistant, as resources of servers."""
