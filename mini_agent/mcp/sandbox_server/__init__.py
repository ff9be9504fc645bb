"""A door to the sandboxes for MCP clients: our sandbox as an MCP server."""
