"""The words both ends of a sandbox share: snippet, limits, execution, and the client."""

from mini_agent.sandbox.client import Sandbox, SidecarClient
from mini_agent.sandbox.execution import (
    Artifact,
    EnforcedLimits,
    Execution,
    SandboxFacts,
    Status,
    Timings,
    Truncated,
)
from mini_agent.sandbox.languages import ALIASES, LANGUAGES, Language, language_named
from mini_agent.sandbox.snippet import Limits, Snippet

__all__ = [
    "ALIASES",
    "LANGUAGES",
    "Artifact",
    "EnforcedLimits",
    "Execution",
    "Language",
    "Limits",
    "Sandbox",
    "SandboxFacts",
    "SidecarClient",
    "Snippet",
    "Status",
    "Timings",
    "Truncated",
    "language_named",
]
