"""What an MCP server that is a child process gets to know of this process's environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

# Beside HOME, LOGNAME, PATH, SHELL, TERM and USER, which every child gets: as Codex has it.
ALLOWED: Final = (
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)


def child_environment(
    parent: Mapping[str, str], forwarded: Iterable[str], own: Mapping[str, str]
) -> dict[str, str]:
    """The allowed variables, those `forwarded` by name as far as they are set, and its `own`."""
    names = (*ALLOWED, *forwarded)
    return {name: parent[name] for name in names if name in parent} | dict(own)
