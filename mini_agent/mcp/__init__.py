"""The Model Context Protocol: a client, a gateway over many servers, and the sandbox as a server."""
