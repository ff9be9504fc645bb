"""Sandboxes as the sidecar makes them, as bodies of create."""

from __future__ import annotations

import time

from pydantic import JsonValue

from codex_sidecar.engine.confinement import DEFAULT_LIMITS, Confinement
from codex_sidecar.engine.limits import Host, resolve_limits
from mini_agent.sandbox import Language, Limits
from mini_agent_protocol.languages import SPECS

HOST = Host(cpus=2, memory_mb=4096)


def body(
    instance: str,
    language: Language = "python",
    limits: Limits | None = None,
    uid: int = 123_456,
) -> dict[str, JsonValue]:
    """What `Confinement` makes of these."""
    return Confinement(
        image=f"mini-agent/sandbox-{SPECS[language].image}:local",
        runtime="runc",
        uid=uid,
        limits=resolve_limits(limits or Limits(), DEFAULT_LIMITS[language], HOST),
        instance=instance,
        deadline=int(time.time()) + 120,
        lifetime_s=120.0,
        preload="data" if language == "python" else "plain",
    ).body()
