"""The ASGI kit of the services: what the shim and the sidecar do with every request."""
