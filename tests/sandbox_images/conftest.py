"""The same sidecar over the real engine as the docker tests have, held to the same invariants."""

from tests.docker.conftest import _invariants, client, engine, real, watch

__all__ = ["_invariants", "client", "engine", "real", "watch"]
