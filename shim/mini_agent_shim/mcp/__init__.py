"""MCP over HTTP: our sandbox as a server, and the gateway."""
