"""Hooks: commands of settings.json or MCP resources that decide on prompts, calls and ends."""
