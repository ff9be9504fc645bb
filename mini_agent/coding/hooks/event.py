"""Hook events: their names and JSON fields, as Claude Code documents them."""

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
TOOL_EVENTS: Final[tuple[EventName, ...]] = ("PreToolUse", "PostToolUse")


@dataclass(frozen=True, slots=True)
class HookEvent:
    """An event with the payload that hooks receive; matchers are compared with its `subject`."""

    name: EventName
    subject: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class HookContext:
    """The fields that every hook receives."""

    session_id: str
    transcript_path: str
    cwd: str
    permission_mode: str = "default"

    def event(self, name: EventName, subject: str, fields: JsonObject) -> HookEvent:
        """Build an event of this session; `fields` are those of its own kind."""
        payload: JsonObject = {
            "session_id": self.session_id,
            "transcript_path": self.transcript_path,
            "cwd": self.cwd,
            "permission_mode": self.permission_mode,
            "hook_event_name": name,
        }
        return HookEvent(name, subject, {**payload, **fields})
