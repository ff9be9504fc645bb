"""The sandbox: its clients, and the models that client and sidecar share."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from mini_agent_protocol.execution import (
    Artifact,
    EnforcedLimits,
    Execution,
    Output,
    Rich,
    SandboxFacts,
    SessionFacts,
    Status,
    Timings,
    Truncated,
)
from mini_agent_protocol.languages import (
    ALIASES,
    LANGUAGES,
    USUAL_LANGUAGES,
    Language,
    parse_language,
)
from mini_agent_protocol.media_types import IMAGE_TYPES, MAX_MAGIC_BYTES, sniff_media_type
from mini_agent_protocol.snippet import Limits, Snippet, require_plain_path
from mini_agent_protocol.workspace import SessionOpened, SessionRequest, WorkspaceFile

if TYPE_CHECKING:
    from mini_agent.sandbox.client import Sandbox, SidecarClient, SidecarSession, StreamingSandbox

__all__ = [
    "ALIASES",
    "IMAGE_TYPES",
    "LANGUAGES",
    "MAX_MAGIC_BYTES",
    "USUAL_LANGUAGES",
    "Artifact",
    "EnforcedLimits",
    "Execution",
    "Language",
    "Limits",
    "Output",
    "Rich",
    "Sandbox",
    "SandboxFacts",
    "SessionFacts",
    "SessionOpened",
    "SessionRequest",
    "SidecarClient",
    "SidecarSession",
    "Snippet",
    "Status",
    "StreamingSandbox",
    "Timings",
    "Truncated",
    "WorkspaceFile",
    "parse_language",
    "require_plain_path",
    "sniff_media_type",
]

_HOMES: Final = {
    "Sandbox": "client",
    "SidecarClient": "client",
    "SidecarSession": "client",
    "StreamingSandbox": "client",
}


# Only the client needs an HTTP library, which takes longer to import than all else here.
def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
