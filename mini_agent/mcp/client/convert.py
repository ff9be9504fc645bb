"""Converts tools and results of the MCP SDK to tools and outputs of the library."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from mcp import ClientSession
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)
from mcp.types import Tool as McpTool

from mini_agent.messages import Attachment, JsonObject
from mini_agent.tools.invoker import Tool, ToolOutput, add_notes, error_output, text_output
from mini_agent.tools.outputs import add_data, leave_out_base64, leave_out_base64_text
from mini_agent.tools.portable_tools import make_portable

MAX_ATTACHMENT_BYTES: Final = 8 << 20
MISMATCH_KEY: Final = "mini-agent/output-schema-mismatch"
MAX_NOTE_CHARS: Final = 500
DEFAULT_MEDIA_TYPE: Final = "application/octet-stream"
TEXT_TYPE: Final = re.compile(r"text/|application/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml)\b")
DATA_URI: Final = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,(?P<base64>[A-Za-z0-9+/]{64,}={0,2})"
)


def convert_tool(listed: McpTool) -> Tool:
    """Convert a tool to OpenAI's format, under the server's own name."""
    schema: JsonObject = json.loads(json.dumps(listed.input_schema))
    function: JsonObject = {
        "name": listed.name,
        "description": listed.description or listed.title or "",
        "parameters": schema,
    }
    return make_portable({"type": "function", "function": function}, listed.name)


def convert_result(result: CallToolResult) -> ToolOutput:
    """Convert a result with its attachments, and structured content that its texts lack."""
    output = convert_content(result)
    if result.structured_content is not None:
        output = add_data(output, leave_out_base64(result.structured_content))
    return output


def note_mismatches(session: ClientSession) -> None:
    """Have results that break the server's own output schema kept, with a note, not refused.

    The call was carried out: a model that reads of an error would make it once more.
    """
    validate = session.validate_tool_result

    async def validate_or_note(name: str, result: CallToolResult) -> None:
        try:
            await validate(name, result)
        except RuntimeError as mismatch:
            why = str(mismatch).partition("\n")[0][:MAX_NOTE_CHARS]
            result.meta = {**(result.meta or {}), MISMATCH_KEY: why}

    session.validate_tool_result = validate_or_note  # type: ignore[method-assign]  # no other seam


def convert_content(result: CallToolResult) -> ToolOutput:
    """Convert a result without its structured content."""
    parts = _Parts()
    for block in result.content:
        parts.add(block)
    text = "\n".join(parts.texts)
    output = text_output(text)
    if result.is_error:
        output = error_output(text.strip() or "the tool failed without saying why")
    mismatch = str((result.meta or {}).get(MISMATCH_KEY, ""))
    note = (
        f"the call was carried out; its result breaks the tool's own schema: {mismatch}"
        if mismatch
        else ""
    )
    return add_notes(replace(output, attachments=tuple(parts.attachments)), note)


def decode_resource(contents: TextResourceContents | BlobResourceContents) -> str:
    """Return one of a resource's contents as text; of bytes that are no text only their size."""
    if isinstance(contents, TextResourceContents):
        return contents.text
    content = base64.b64decode(contents.blob)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        kind = contents.mime_type or DEFAULT_MEDIA_TYPE
        return f"({contents.uri}: {kind}, {len(content)} bytes, which are no text)"


def error_result(text: str) -> CallToolResult:
    """Create an error result with this text."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


@dataclass
class _Parts:
    texts: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    def add(self, block: ContentBlock) -> None:
        match block:
            case TextContent():
                self._add_text(block.text)
            case ImageContent():
                self._attach("image", block.mime_type, block.data)
            case AudioContent():
                self._attach("audio", block.mime_type, block.data)
            case ResourceLink():
                said = (block.mime_type, block.title, block.description)
                about = "".join(f", {each}" for each in said if each)
                self.texts.append(f"({block.name}: {block.uri}{about})")
            case EmbeddedResource(resource=TextResourceContents() as resource):
                self._add_text(f"{resource.uri}:\n{resource.text}")
            case EmbeddedResource(resource=BlobResourceContents() as resource):
                self._add_blob(resource)

    def _add_text(self, text: str) -> None:
        """Add a text; what a data URI in it holds is attached."""

        def attach(found: re.Match[str]) -> str:
            self._attach("data", found["type"] or DEFAULT_MEDIA_TYPE, found["base64"])
            return self.texts.pop()

        self.texts.append(leave_out_base64_text(DATA_URI.sub(attach, text)))

    def _add_blob(self, resource: BlobResourceContents) -> None:
        kind = resource.mime_type or DEFAULT_MEDIA_TYPE
        text = decode_resource(resource) if TEXT_TYPE.match(kind) else ""
        if text:
            self._add_text(f"{resource.uri}:\n{text}")
        else:
            self._attach(str(resource.uri), kind, resource.blob)

    def _attach(self, name: str, media_type: str, base64: str) -> None:
        attachment = Attachment(
            name=f"{name}-{len(self.attachments) + 1}" if "/" not in name else name,
            media_type=media_type,
            base64=base64,
        )
        has_room = _size([*self.attachments, attachment]) <= MAX_ATTACHMENT_BYTES
        if has_room:
            self.attachments.append(attachment)
        note = "" if has_room else ", too large to keep"
        size = f"{attachment.bytes} bytes"
        self.texts.append(f"(attached: {attachment.name}, {media_type}, {size}{note})")


def _size(attachments: Iterable[Attachment]) -> int:
    return sum(attachment.bytes for attachment in attachments)
