"""The same sidecar over the real engine as the docker tests have."""

from tests.docker.conftest import client, engine, real

__all__ = ["client", "engine", "real"]
