"""The OpenSandbox API."""
