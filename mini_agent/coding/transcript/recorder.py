"""Records a run's events as lines of its session, each as soon as it happens."""

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
    """Records one run; a line that cannot be written goes to `on_fault` and is not raised."""

    def __init__(self, session: Session, on_fault: FaultHandler) -> None:
        self._session = session
        self._on_fault = on_fault
        self._reply = ReplyMetadata("", "")
        self._tool_texts: dict[str, str] = {}

    def record(self, event: Event) -> None:
        """Append what `event` adds to the conversation."""
        try:
            self._write(event)
        except MiniAgentError as unwritable:
            self._on_fault(unwritable)

    def record_interrupt(self) -> None:
        """Record that the user stopped the run, also as the result of every open call."""
        calls = self._session.pending
        for call in calls:
            self._session.add_tool_result(
                call.id, INTERRUPTED_CALL, failed=True, detail=f"Error: {INTERRUPTED_CALL}"
            )
        note = INTERRUPTED_CALL if calls else INTERRUPTED
        self._session.add_user_message([{"type": "text", "text": note}])

    def _write(self, event: Event) -> None:
        match event:
            case ModelReplied():
                self._record_reply(event)
            case CallsUnderstood():
                self._record_calls(event)
            case ToolFinished():
                self._record_result(event.invocation)
            case Observation(tool_call_id=None):
                self._record_note(event.text)
            case Observation(tool_call_id=str(call_id)):
                self._record_observation(call_id, event.text)
            case _:
                pass

    def _record_reply(self, event: ModelReplied) -> None:
        self._reply = ReplyMetadata(f"msg_{uuid4().hex[:24]}", event.model, event.usage)
        if not event.text:
            return
        stop_reason = None if event.calls else STOP_REASONS.get(event.finish_reason, "end_turn")
        self._session.add_model_block(
            self._reply, {"type": "text", "text": event.text}, stop_reason
        )

    def _record_calls(self, event: CallsUnderstood) -> None:
        for call in event.calls:
            is_last = call is event.calls[-1]
            use = ToolUse(call.id, call.name, call.arguments)
            self._session.add_model_block(self._reply, use.block, "tool_use" if is_last else None)

    def _record_result(self, call: ToolInvocation) -> None:
        self._tool_texts[call.tool_call_id] = call.text
        content = _build_content(call)
        self._session.add_tool_result(
            call.tool_call_id, content, failed=not call.ok, detail=_build_detail(call)
        )

    def _record_observation(self, call_id: str, text: str) -> None:
        """Record what the loop added to the text of a tool."""
        tool_text = self._tool_texts.pop(call_id, text)
        self._record_note(text.removeprefix(tool_text).strip())

    def _record_note(self, text: str) -> None:
        if text:
            self._session.add_user_message([{"type": "text", "text": text}], is_meta=True)


def _build_content(call: ToolInvocation) -> JsonValue:
    images = [
        _build_image(each) for each in call.attachments if each.media_type.startswith("image/")
    ]
    if not images:
        return call.text
    return [{"type": "text", "text": call.text}, *images]


def _build_image(attachment: Attachment) -> JsonObject:
    source: JsonObject = {
        "type": "base64",
        "media_type": attachment.media_type,
        "data": attachment.base64,
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
