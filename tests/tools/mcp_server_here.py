"""An MCP server with tools that answer, fail, hang, count, draw and die: a program, or HTTP."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from pathlib import Path

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
server = MCPServer("here")


def _note(said: str) -> None:
    """Into the file that the test reads: what happened, one line each."""
    path = os.environ.get("MCP_TEST_NOTES")
    if path:
        with Path(path).open("a") as notes:
            notes.write(f"{said}\n")


@server.tool()
def add(a: int, b: int) -> str:
    """Add two numbers."""
    _note(f"add {a} {b}")
    return str(a + b)


@server.tool()
def weather(city: str) -> dict[str, str | int]:
    """The weather as data."""
    return {"city": city, "degrees": 21}


@server.tool()
def draw() -> Image:
    """An image."""
    return Image(data=PNG, format="png")


@server.tool(structured_output=False)
def resources() -> CallToolResult:
    """A link, a text and some bytes."""
    link = ResourceLink(type="resource_link", name="log", uri="file:///log", mime_type="text/plain")
    text = TextResourceContents(uri="file:///a.txt", text="hello")
    blob = BlobResourceContents(uri="file:///b.bin", blob="AAEC")
    return CallToolResult(
        content=[
            TextContent(type="text", text="see:"),
            link,
            EmbeddedResource(type="resource", resource=text),
            EmbeddedResource(type="resource", resource=blob),
        ]
    )


@server.tool(name="files.read/all pages")
def read_pages(pages: list[int]) -> str:
    """A name that few model servers take."""
    return f"pages {pages}"


@server.tool(structured_output=False)
def encoded() -> CallToolResult:
    """Bytes in base64, in a text, as a data URI and in data; a text as bytes; a sound."""
    body = base64.b64encode(bytes(range(256)) * 4).decode()
    blob = base64.b64encode("grüße".encode()).decode()
    note = BlobResourceContents(uri="file:///n.txt", blob=blob, mime_type="text/plain")
    return CallToolResult(
        content=[
            TextContent(type="text", text=f"raw {body} end"),
            TextContent(type="text", text=f"![plot](data:image/png;base64,{body})"),
            EmbeddedResource(type="resource", resource=note),
            AudioContent(type="audio", data=body, mime_type="audio/wav"),
        ],
        structured_content={"image": body, "title": "plot"},
    )


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ValueError("no luck")


@server.tool()
def environment() -> str:
    """The names of the environment variables."""
    return " ".join(sorted(os.environ))


@server.tool()
def die() -> str:
    """Ends the server, which says what it had."""
    sys.stderr.write(f"giving up with {os.environ.get('SECRET')}\n")
    sys.stderr.flush()
    os._exit(3)


@server.tool()
def long(characters: int) -> str:
    """A long text."""
    return "x" * characters + "the end"


@server.tool()
async def slow(seconds: float, ctx: Context) -> str:
    """Takes its time, tells how far it is, and notes when it is cancelled."""
    _note("slow began")
    try:
        for step in range(4):
            await ctx.report_progress(step + 1, 4, f"step {step + 1}")
            await asyncio.sleep(seconds / 4)
    except asyncio.CancelledError:
        _note("slow cancelled")
        raise
    _note("slow ended")
    return "done"


if __name__ == "__main__":
    _note(f"started {os.getpid()}")
    if "--noise" in sys.argv:
        print("this is no message of the protocol", flush=True)
    if "--broken" in sys.argv:
        sys.exit("cannot read the configuration")
    if "--http" in sys.argv:
        server.run("streamable-http", port=int(sys.argv[sys.argv.index("--http") + 1]))
    else:
        server.run()
