"""A session: its entries so far; each new one is written before anything follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias
from uuid import uuid4

from pydantic import JsonValue

from mini_agent.agent.context_window import count_chars
from mini_agent.coding.transcript.locations import SessionFile, SessionOrigin
from mini_agent.coding.transcript.log import (
    COMPACT_BOUNDARY,
    PICTURES_REFUSED,
    Block,
    Entry,
    append_line,
    is_chained,
    parse_entry,
    read_transcript,
    select_active,
)
from mini_agent.coding.transcript.messages import (
    ToolUse,
    awaits_model,
    build_messages,
    find_pending_calls,
    remove_pictures,
)
from mini_agent.coding.transcript.shortening import cut_results, halve_results
from mini_agent.messages import JsonObject, Message
from mini_agent.result import Usage

LineListener: TypeAlias = Callable[[JsonObject], None]
NO_USAGE: Final = Usage()


def _ignore_line(line: JsonObject) -> None:
    del line


@dataclass(frozen=True, slots=True)
class ReplyMetadata:
    """What the lines of one reply have in common, each of which holds one block."""

    id: str
    model: str
    usage: Usage = NO_USAGE


@dataclass
class Session:
    """One conversation and its file; `on_line` receives each line that is appended."""

    session_file: SessionFile
    origin: SessionOrigin
    on_line: LineListener = _ignore_line
    warning: str = ""
    _entries: list[Entry] = field(default_factory=list)
    _is_chained: bool = True
    _result_limits: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, session_file: SessionFile, origin: SessionOrigin) -> Session:
        """Read the session from a file, which may be missing."""
        content = read_transcript(session_file.path)
        fields = next(
            (e.session for e in reversed(content.entries) if e.session and e.is_conversation), ""
        )
        known = SessionFile(session_file.path, fields or session_file.session_id)
        entries = list(content.entries)
        session = cls(known, origin, warning=content.warning, _entries=entries)
        session._is_chained = is_chained(entries)
        return session

    @property
    def id(self) -> str:
        """The session's id."""
        return self.session_file.session_id

    @property
    def path(self) -> Path:
        """The file, which exists once a line was appended."""
        return self.session_file.path

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The active entries."""
        return select_active(self._entries)

    @property
    def messages(self) -> list[Message]:
        """The conversation as messages for the model, without pictures that were refused."""
        refused = self._ids_before_refusal
        entries = [remove_pictures(e) if e.uuid in refused else e for e in self.entries]
        return cut_results(build_messages(entries), self._result_limits)

    @property
    def last_prompt(self) -> str:
        """The last words of the user; empty where there are none."""
        users = (entry for entry in reversed(self.entries) if entry.type == "user")
        prompts = (entry.text for entry in users if not (entry.is_meta or entry.is_summary))
        return next((text for text in prompts if text.strip()), "")

    @property
    def pending(self) -> tuple[ToolUse, ...]:
        """The calls without a result."""
        return find_pending_calls(self.entries)

    @property
    def awaits_model(self) -> bool:
        """Whether the model must answer next."""
        return awaits_model(self.entries)

    def add_user_message(self, blocks: Sequence[Block], *, is_meta: bool = False) -> None:
        """Append a message of the user; `is_meta` marks one that the program wrote."""
        more: JsonObject = {"isMeta": True} if is_meta else {}
        self._append("user", {"message": _build_user_message(blocks), **more})

    def add_tool_result(
        self, call_id: str, content: JsonValue, *, failed: bool, detail: JsonValue
    ) -> None:
        """Append the result of a call; `detail` is what Claude Code's terminal shows of it."""
        block: Block = {"type": "tool_result", "tool_use_id": call_id, "content": content}
        if failed:
            block["is_error"] = True
        self._append("user", {"message": _build_user_message([block]), "toolUseResult": detail})

    def add_model_block(self, reply: ReplyMetadata, block: Block, stop_reason: str | None) -> None:
        """Append a block of a reply; only the last one has a `stop_reason`."""
        message: JsonObject = {
            "id": reply.id,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [block],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": to_anthropic_usage(reply.usage),
        }
        self._append("assistant", {"message": message, "requestId": f"req_{reply.id}"})

    def add_summary(self, summary: str, *, tokens: int, trigger: str) -> None:
        """Append a summary of all before it, which was `tokens` long."""
        leaf = self._leaf
        metadata: JsonObject = {"trigger": trigger, "preTokens": tokens}
        self._append(
            "system",
            {
                "subtype": COMPACT_BOUNDARY,
                "content": "Conversation compacted",
                "isMeta": False,
                "level": "info",
                "compactMetadata": metadata,
                "parentUuid": None,
                "logicalParentUuid": leaf,
            },
        )
        blocks: Sequence[Block] = [{"type": "text", "text": summary}]
        self._append("user", {"message": _build_user_message(blocks), "isCompactSummary": True})

    def add_picture_refusal(self, reason: str) -> None:
        """Append that a server refused the pictures so far, which are not sent again."""
        fields: JsonObject = {"isMeta": False, "level": "warning", "content": reason}
        self._append("system", {"subtype": PICTURES_REFUSED, **fields})

    def halve_results(self) -> int:
        """Show the model shorter results of its calls from now on; the file keeps them whole.

        Returns how many characters are left out more than before, 0 where all are short already.
        """
        before = self.messages
        self._result_limits |= halve_results(before)
        return sum(map(count_chars, before)) - sum(map(count_chars, self.messages))

    @property
    def _ids_before_refusal(self) -> frozenset[str]:
        places = [at for at, e in enumerate(self._entries) if e.subtype == PICTURES_REFUSED]
        return frozenset(e.uuid for e in self._entries[: places[-1]]) if places else frozenset()

    @property
    def _leaf(self) -> str | None:
        last = next((e for e in reversed(self._entries) if e.uuid and not e.is_sidechain), None)
        return last.uuid if last else None

    def _append(self, kind: str, fields: Mapping[str, JsonValue]) -> None:
        line: JsonObject = {
            "parentUuid": self._leaf if self._is_chained else None,
            "isSidechain": False,
            "userType": "external",
            "cwd": self.origin.cwd,
            "sessionId": self.id,
            "version": _version(),
            "gitBranch": self.origin.branch,
            "type": kind,
            **fields,
            "uuid": str(uuid4()),
            "timestamp": _now(),
        }
        append_line(self.path, line)
        self._entries.append(parse_entry(line))
        self.on_line(line)


def to_anthropic_usage(usage: Usage) -> JsonObject:
    """Convert to Anthropic's fields, where cached tokens do not count as input."""
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
    }


def _build_user_message(blocks: Sequence[Block]) -> JsonObject:
    return {"role": "user", "content": list(blocks)}


@cache
def _version() -> str:
    return version("mini-agent")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
