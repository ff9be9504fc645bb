"""What hooks are asked, in the words of Claude Code and of the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from mini_agent.messages import JsonObject

EventName: TypeAlias = Literal[
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "Notification",
    "Stop",
    "SubagentStop",
    "PreCompact",
    "SessionEnd",
]
EVENT_NAMES: Final[tuple[EventName, ...]] = get_args(EventName)


@dataclass(frozen=True, slots=True)
class HookEvent:
    """One question to all hooks; a matcher is held against what it is `about`."""

    name: EventName
    subject: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class HookContext:
    """What every hook is told of the session."""

    session_id: str
    transcript_path: str
    cwd: str
    permission_mode: str = "default"

    def event(self, name: EventName, subject: str, fields: JsonObject) -> HookEvent:
        """An event of this session; `own` is what only its kind is told."""
        payload: JsonObject = {
            "session_id": self.session_id,
            "transcript_path": self.transcript_path,
            "cwd": self.cwd,
            "permission_mode": self.permission_mode,
            "hook_event_name": name,
        }
        return HookEvent(name, subject, {**payload, **fields})
