"""How an MCP server is reached: by a command that starts it, or at a URL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from mini_agent.errors import BadRequest, ToolsUnavailable

MIN_SECRET_CHARS: Final = 6
USER_INFO: Final = re.compile(r"//[^/\s@]*@")
QUERY_VALUE: Final = re.compile(r"([?&][^=&\s#]{1,80}=)[^&\s#'\"]+")


@dataclass(frozen=True, slots=True)
class McpCommand:
    """A server that is a child process and serves on its stdin and stdout.

    It gets this process's HOME, LOGNAME, PATH, SHELL, TERM and USER, and `env`; nothing else.
    """

    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str | None = None

    def __post_init__(self) -> None:
        if not self.command or isinstance(self.args, str):
            raise BadRequest(
                "an MCP server needs a command and a list of arguments, not "
                f"{self.command!r:.80} and {self.args!r:.80}",
                field="command",
                hint='such as McpCommand("npx", ["-y", "@modelcontextprotocol/server-everything"])',
            )

    @property
    def label(self) -> str:
        """The server as errors name it: without arguments, which may hold a secret."""
        return f"the MCP server {self.command}"

    def redact(self, text: str) -> str:
        """Return an error's text without credentials of URLs."""
        return hide_credentials(text)


@dataclass(frozen=True, slots=True)
class McpAddress:
    """A server at `url`; `headers` are sent with every request.

    It speaks streamable HTTP, or SSE as the protocol of 2024 has it, which `auto` finds out.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transport: Literal["auto", "http", "sse"] = "auto"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(
                f"an MCP server's url must be such as http://127.0.0.1:8000/mcp, not "
                f"{hide_credentials(self.url)!r:.80}",
                field="url",
            )

    @property
    def label(self) -> str:
        """The server as errors name it: without a password or a query."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"the MCP server at {parts.scheme}://{host}{parts.path}"

    def redact(self, text: str) -> str:
        """Return an error's text without the values of headers, and credentials of URLs."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return hide_credentials(text)

    def _secrets(self) -> Iterator[str]:
        parts = urlsplit(self.url)
        queried = (value for _, value in parse_qsl(parts.query))
        for value in (*self.headers.values(), parts.password or "", *queried):
            for part in (value, value.rpartition(" ")[2], unquote(value)):
                if len(part) >= MIN_SECRET_CHARS:
                    yield part


def hide_credentials(text: str) -> str:
    """Return a text without the users and the values of queries of its URLs."""
    text = USER_INFO.sub("//***@", text)
    return QUERY_VALUE.sub(r"\1***", text)


McpTarget: TypeAlias = McpCommand | McpAddress


class SessionLost(ToolsUnavailable):
    """The server refused a request of a session that it does not know, before it began."""


class ProgressListener(Protocol):
    """Receives the progress of a call."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """Receive progress so far, of `total` where that is known."""
        ...
