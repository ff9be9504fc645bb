"""The Model Context Protocol: client, gateway over many servers, the sandbox as a server."""
