"""MCP servers as tools of a run."""
