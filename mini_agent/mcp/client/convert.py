"""Converts tools and results of the MCP SDK to tools and outputs of the library."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

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
from mini_agent.tools.invoker import Tool, ToolOutput, error_output, text_output
from mini_agent.tools.outputs import add_data
from mini_agent.tools.portable_tools import make_portable

MAX_ATTACHMENT_BYTES: Final = 8 << 20


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
        output = add_data(output, result.structured_content)
    return output


def convert_content(result: CallToolResult) -> ToolOutput:
    """Convert a result without its structured content."""
    parts = _Parts()
    for block in result.content:
        parts.add(block)
    text = "\n".join(parts.texts)
    output = text_output(text)
    if result.is_error:
        output = error_output(text.strip() or "the tool failed without saying why")
    return replace(output, attachments=tuple(parts.attachments))


def decode_resource(contents: TextResourceContents | BlobResourceContents) -> str:
    """Return one of a resource's contents as text; bytes are decoded as UTF-8."""
    if isinstance(contents, TextResourceContents):
        return contents.text
    return base64.b64decode(contents.blob).decode("utf-8", "replace")


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
                self.texts.append(block.text)
            case ImageContent():
                self._attach("image", block.mime_type, block.data)
            case AudioContent():
                self._attach("audio", block.mime_type, block.data)
            case ResourceLink():
                kind = f", {block.mime_type}" if block.mime_type else ""
                self.texts.append(f"({block.name}: {block.uri}{kind})")
            case EmbeddedResource(resource=TextResourceContents() as resource):
                self.texts.append(f"{resource.uri}:\n{resource.text}")
            case EmbeddedResource(resource=BlobResourceContents() as resource):
                kind = resource.mime_type or "application/octet-stream"
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
