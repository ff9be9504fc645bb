"""The gateway: the MCP servers of a configuration file as one catalog of tools."""
