"""The results of tool calls for MCP clients: text, images and files."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mcp.types import (
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from mini_agent.sandbox import IMAGE_TYPES, Execution, Rich, WorkspaceFile, sniff_media_type

META_KEY: Final = "mini-agent/execution"
BINARY_TYPE: Final = "application/octet-stream"
MAX_LISTED_FILES: Final = 500


def execution_result(execution: Execution, *notes: str) -> CallToolResult:
    """Return a program's exit code, output, figures and artifacts.

    A program that failed is a result, not an error. The facts are in `_meta`, because beside
    structured content some clients show their model no images.
    """
    remarks = (f"note: {note}" for note in (*_notes(execution), *notes) if note)
    content: list[ContentBlock] = [
        _text("\n".join([_header(execution), *_streams(execution), *remarks])),
        *_figures(execution.rich),
    ]
    for artifact in execution.artifacts:
        content += _file(artifact.path, artifact.media_type, artifact.base64)
    return CallToolResult(content=content, _meta={META_KEY: _facts(execution)})


def text_result(text: str, note: str = "") -> CallToolResult:
    """Return a text as a result."""
    return CallToolResult(content=[_text(f"{text}\nnote: {note}" if note else text)])


def file_result(path: str, content: bytes) -> CallToolResult:
    """Return a file: as text, as an image, or as a resource of bytes."""
    try:
        return text_result(content.decode())
    except UnicodeDecodeError:
        kind = sniff_media_type(content)
        written = base64.b64encode(content).decode()
        media_type = kind if kind in IMAGE_TYPES else BINARY_TYPE
        return CallToolResult(content=list(_file(path, media_type, written)))


def file_list_result(files: Sequence[WorkspaceFile], note: str) -> CallToolResult:
    """Return a list of files, one a line."""
    lines = [f"{file.path} ({file.bytes} bytes)" for file in files[:MAX_LISTED_FILES]]
    more = [f"and {len(files) - MAX_LISTED_FILES} more"] if len(files) > MAX_LISTED_FILES else []
    return text_result("\n".join([*(lines or ["(no files)"]), *more]), note)


def _header(execution: Execution) -> str:
    status = "" if execution.status in ("ok", "nonzero") else f" ({execution.status})"
    return f"exit code {execution.exit_code}{status}"


def _streams(execution: Execution) -> Iterator[str]:
    streams = (
        ("stdout", execution.stdout),
        ("stderr", execution.stderr),
        ("value", execution.result_repr),
    )
    printed = [(name, text.removesuffix("\n")) for name, text in streams if text]
    for name, text in printed:
        yield f"{name}:"
        yield text
    if not printed:
        yield "(no output)"


def _figures(shown: Iterable[Rich]) -> Iterator[ImageContent]:
    for rich in shown:
        if rich.media_type in IMAGE_TYPES and rich.base64 is not None:
            yield ImageContent(type="image", data=rich.base64, mime_type=rich.media_type)


def _notes(execution: Execution) -> Iterator[str]:
    for name in ("stdout", "stderr"):
        if getattr(execution.truncated, name):
            yield f"{name} was longer than the sandbox keeps and is cut"
    for change in execution.normalized:
        yield f"before it ran, {change}"
    for skipped in execution.rich_skipped:
        yield f"not shown: {skipped}"
    for skipped in execution.artifacts_skipped:
        yield f"not brought back: {skipped}"
    if execution.session is not None and execution.session.workspace == "lost":
        yield "the files of earlier calls are lost"
    if execution.session is not None and execution.session.python == "lost":
        yield "the variables of earlier programs are lost"


def _facts(execution: Execution) -> dict[str, object]:
    kept = {"language", "status", "exit_code", "signal", "truncated", "result_repr", "timings_ms"}
    facts: dict[str, object] = execution.model_dump(mode="json", include=kept)
    return facts | {"session": execution.session.id if execution.session else None}


def _file(path: str, media_type: str, content: str) -> Iterator[ContentBlock]:
    size = len(base64.b64decode(content))
    yield _text(f"{path} ({media_type}, {size} bytes):")
    if media_type in IMAGE_TYPES:
        yield ImageContent(type="image", data=content, mime_type=media_type)
    else:
        yield EmbeddedResource(type="resource", resource=_resource(path, media_type, content))


def _resource(
    path: str, media_type: str, content: str
) -> TextResourceContents | BlobResourceContents:
    uri = f"sandbox:///{path}"
    try:
        text = base64.b64decode(content).decode()
    except UnicodeDecodeError:
        return BlobResourceContents(uri=uri, mime_type=media_type, blob=content)
    return TextResourceContents(uri=uri, mime_type=media_type, text=text)


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)
