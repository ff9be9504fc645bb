"""The words both ends of a sandbox share: snippet, limits, execution, and the client."""

from mini_agent.sandbox.client import Sandbox, SidecarClient, TellingSandbox
from mini_agent.sandbox.execution import (
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
from mini_agent.sandbox.languages import ALIASES, LANGUAGES, Language, language_named
from mini_agent.sandbox.session import SidecarSession
from mini_agent.sandbox.snippet import Limits, Snippet, require_plain_path
from mini_agent.sandbox.workspace import SessionOpened, SessionRequest, WorkspaceFile

__all__ = [
    "ALIASES",
    "LANGUAGES",
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
    "TellingSandbox",
    "Timings",
    "Truncated",
    "WorkspaceFile",
    "language_named",
    "require_plain_path",
]
