"""Converts active entries to messages for a model, and finds the calls left to execute."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from mini_agent.coding.transcript.log import Block, Entry
from mini_agent.messages import JsonObject, Message, assistant, function_call, tool_result, user

INTERRUPTED: Final = "[Request interrupted by user]"
INTERRUPTED_CALL: Final = "[Request interrupted by user for tool use]"
NO_OUTPUT: Final = "(no output)"
REFUSED: Final = "(a picture that the model's server does not take was left out here)"
IMAGE_PLACEHOLDER: Final = "(an image, shown below)"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call of the model."""

    id: str
    name: str
    arguments: JsonObject

    @property
    def block(self) -> Block:
        """The call as a content block."""
        return {"type": "tool_use", "id": self.id, "name": self.name, "input": self.arguments}


def build_messages(entries: Sequence[Entry]) -> list[Message]:
    """Build messages in OpenAI's format; the blocks of one reply become one message."""
    messages: list[Message] = []
    for group in _group_entries(entries):
        if group[0].type == "assistant":
            messages.append(_build_reply(group))
        else:
            messages += _build_user_messages(group)
    return messages


def remove_pictures(entry: Entry) -> Entry:
    """Return the entry with words in the place of its pictures and those of its results."""
    if entry.message is None or '"image"' not in json.dumps(entry.blocks):
        return entry
    message = entry.message.model_copy(update={"content": [*map(_remove_picture, entry.blocks)]})
    return entry.model_copy(update={"message": message})


def _remove_picture(block: Block) -> Block:
    if block.get("type") == "image":
        return {"type": "text", "text": REFUSED}
    content = block.get("content")
    if block.get("type") != "tool_result" or not isinstance(content, list):
        return block
    parts = [_remove_picture(part) if isinstance(part, dict) else part for part in content]
    return {**block, "content": parts}


def find_pending_calls(entries: Sequence[Entry]) -> tuple[ToolUse, ...]:
    """Find the calls of the last reply that have no result yet."""
    groups = list(_group_entries(entries))
    if groups and groups[-1][0].type == "user" and not _has_words(groups[-1]):
        groups.pop()
    if not groups or groups[-1][0].type != "assistant":
        return ()
    return tuple(use for use in _iter_tool_uses(groups[-1]) if use.id not in _answered_ids(entries))


def awaits_model(entries: Sequence[Entry]) -> bool:
    """Tell whether the model must answer next.

    It need not at the start, and not after its own answer, an interrupt or a summary.
    """
    if not entries:
        return False
    last = entries[-1]
    if last.is_summary:
        return False
    if last.type == "user":
        return INTERRUPTED not in last.text and INTERRUPTED_CALL not in last.text
    # Thinking without text is a reply that was cut off.
    return not last.text.strip()


def _group_entries(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Group the entries of one reply, and consecutive entries of the user."""
    groups: list[list[Entry]] = []
    for entry in entries:
        own_group = _find_group(entry, groups)
        if own_group is None:
            groups.append([entry])
        else:
            own_group.append(entry)
    return groups


def _find_group(entry: Entry, groups: Sequence[list[Entry]]) -> list[Entry] | None:
    """Find the group that `entry` continues; a call may follow results of earlier calls."""
    if groups and groups[-1][0].type == entry.type == "user":
        return groups[-1]
    for group in reversed(groups):
        if group[0].type == "assistant" == entry.type:
            goes_on = group is groups[-1] or (
                _message_id(entry) and any(entry.blocks_of_type("tool_use"))
            )
            return group if goes_on and _message_id(entry) == _message_id(group[0]) else None
        if entry.type == "user" or _has_words(group):
            break
    return None


def _message_id(entry: Entry) -> str:
    return entry.message.id if entry.message else ""


def _build_reply(group: Sequence[Entry]) -> Message:
    text = "\n".join(entry.text for entry in group if entry.text)
    calls = [function_call(use.id, use.name, use.arguments) for use in _iter_tool_uses(group)]
    return assistant(text, calls)


def _iter_tool_uses(group: Sequence[Entry]) -> Iterator[ToolUse]:
    for entry in group:
        for block in entry.blocks_of_type("tool_use"):
            value = block.get("input")
            arguments = value if isinstance(value, dict) else {}
            yield ToolUse(str(block.get("id") or ""), str(block.get("name") or ""), arguments)


def _build_user_messages(group: Sequence[Entry]) -> Iterator[Message]:
    """Yield results, each its own message, then the images in them, then the user's text."""
    images: list[JsonValue] = []
    for entry in group:
        for block in entry.blocks_of_type("tool_result"):
            yield tool_result(str(block.get("tool_use_id") or ""), _result_text(block))
            images += [
                _build_image(part) for part in _result_parts(block) if part.get("type") == "image"
            ]
    if images:
        yield {"role": "user", "content": images}
    for entry in group:
        parts = [
            _build_part(block) for block in entry.blocks if block.get("type") in ("text", "image")
        ]
        texts = [part["text"] for part in parts if "text" in part]
        if len(texts) == len(parts) == 1:
            yield user(str(texts[0]))
        elif parts:
            yield {"role": "user", "content": list(parts)}


def _build_part(block: Block) -> JsonObject:
    if block.get("type") == "image":
        return _build_image(block)
    return {"type": "text", "text": str(block.get("text") or "")}


def _build_image(block: Block) -> JsonObject:
    source = block.get("source")
    value = source if isinstance(source, dict) else {}
    url = value.get("url") or f"data:{value.get('media_type')};base64,{value.get('data')}"
    return {"type": "image_url", "image_url": {"url": url}}


def _result_parts(block: Block) -> list[Block]:
    content = block.get("content")
    if isinstance(content, list):
        return [part for part in content if isinstance(part, dict)]
    return [{"type": "text", "text": content}] if isinstance(content, str) else []


def _result_text(block: Block) -> str:
    texts = [_result_part(part) for part in _result_parts(block)]
    return "\n".join(text for text in texts if text) or NO_OUTPUT


def _result_part(part: Block) -> str:
    kind = part.get("type")
    if kind == "text":
        return str(part.get("text") or "")
    return IMAGE_PLACEHOLDER if kind == "image" else json.dumps(part)


def _answered_ids(entries: Sequence[Entry]) -> set[object]:
    return {
        block.get("tool_use_id")
        for entry in entries
        for block in entry.blocks_of_type("tool_result")
    }


def _has_words(group: Sequence[Entry]) -> bool:
    return any(entry.text or any(entry.blocks_of_type("image")) for entry in group)
