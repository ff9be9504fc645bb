"""What others may say to a prompt, a call or an end: commands of settings.json, MCP resources."""
