"""How an MCP server is reached: by a command that starts it, or at a URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

from mini_agent.errors import BadRequest


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


@dataclass(frozen=True, slots=True)
class McpAddress:
    """A server with streamable HTTP at `url`; `headers` are sent with every request."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(
                f"an MCP server's url must be such as http://127.0.0.1:8000/mcp, not "
                f"{self.url!r:.80}",
                field="url",
            )

    @property
    def label(self) -> str:
        """The server as errors name it: without a password or a query."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"the MCP server at {parts.scheme}://{host}{parts.path}"


McpTarget: TypeAlias = McpCommand | McpAddress


class ProgressListener(Protocol):
    """Receives the progress of a call."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """Receive progress so far, of `total` where that is known."""
        ...
