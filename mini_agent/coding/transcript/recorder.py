"""A run's events as lines of its session, each written as soon as it is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias
from uuid import uuid4

from pydantic import JsonValue

from mini_agent.coding.transcript.messages import INTERRUPTED, INTERRUPTED_CALL, ToolUse
from mini_agent.coding.transcript.session import ReplyMetadata, Session
from mini_agent.errors import MiniAgentError
from mini_agent.events import (
    CallsUnderstood,
    Event,
    ModelReplied,
    Observation,
    ToolFinished,
)
from mini_agent.messages import Attachment, JsonObject
from mini_agent.result import ToolInvocation

STOP_REASONS: Final = {"length": "max_tokens", "content_filter": "refusal"}
FaultHandler: TypeAlias = Callable[[MiniAgentError], None]


class SessionRecorder:
    """Listens to one run. A line that cannot be written is told to `on_fault`, never raised."""

    def __init__(self, session: Session, on_fault: FaultHandler) -> None:
        self._session = session
        self._on_fault = on_fault
        self._answer = ReplyMetadata("", "")
        self._told: dict[str, str] = {}

    def hear(self, event: Event) -> None:
        """Writes what `event` adds to the conversation."""
        try:
            self._write(event)
        except MiniAgentError as unwritable:
            self._on_fault(unwritable)

    def interrupted(self) -> None:
        """The user has stopped the run: every open call is answered with that."""
        calls = self._session.pending
        for call in calls:
            self._session.tool_answered(
                call.id, INTERRUPTED_CALL, failed=True, detail=f"Error: {INTERRUPTED_CALL}"
            )
        said = INTERRUPTED_CALL if calls else INTERRUPTED
        self._session.add_user_message([{"type": "text", "text": said}])

    def _write(self, event: Event) -> None:
        match event:
            case ModelReplied():
                self._replied(event)
            case CallsUnderstood():
                self._called(event)
            case ToolFinished():
                self._finished(event.invocation)
            case Observation(tool_call_id=None):
                self._remarked(event.text)
            case Observation(tool_call_id=str(call_id)):
                self._observed(call_id, event.text)
            case _:
                pass

    def _replied(self, event: ModelReplied) -> None:
        self._answer = ReplyMetadata(f"msg_{uuid4().hex[:24]}", event.model, event.usage)
        if not event.text:
            return
        ends = None if event.calls else STOP_REASONS.get(event.finish_reason, "end_turn")
        self._session.model_said(self._answer, {"type": "text", "text": event.text}, ends)

    def _called(self, event: CallsUnderstood) -> None:
        for call in event.calls:
            is_last = call is event.calls[-1]
            use = ToolUse(call.id, call.name, call.arguments)
            self._session.model_said(self._answer, use.block, "tool_use" if is_last else None)

    def _finished(self, call: ToolInvocation) -> None:
        self._told[call.tool_call_id] = call.text
        content = _build_content(call)
        self._session.tool_answered(
            call.tool_call_id, content, failed=not call.ok, detail=_build_detail(call)
        )

    def _observed(self, call_id: str, text: str) -> None:
        """What the loop adds to what a tool told."""
        told = self._told.pop(call_id, text)
        self._remarked(text.removeprefix(told).strip())

    def _remarked(self, text: str) -> None:
        if text:
            self._session.add_user_message([{"type": "text", "text": text}], is_meta=True)


def _build_content(call: ToolInvocation) -> JsonValue:
    pictures = [
        _build_image(each) for each in call.attachments if each.media_type.startswith("image/")
    ]
    if not pictures:
        return call.text
    return [{"type": "text", "text": call.text}, *pictures]


def _build_image(attached: Attachment) -> JsonObject:
    source: JsonObject = {
        "type": "base64",
        "media_type": attached.media_type,
        "data": attached.base64,
    }
    return {"type": "image", "source": source}


def _build_detail(call: ToolInvocation) -> JsonValue:
    if call.name == "Bash":
        return {
            "stdout": call.stdout,
            "stderr": call.stderr,
            "interrupted": False,
            "isImage": False,
        }
    return call.text if call.ok else f"Error: {call.text}"
