"""Why an MCP server refuses a request: a session that it has forgotten, or an HTTP status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mcp import MCPError
from mcp.types import INVALID_REQUEST

REFUSED_KEY: Final = "mini-agent/refused"
MAX_BODY_CHARS: Final = 200
FIRST_SERVER_ERROR: Final = 500
# Statuses that servers give to a request of a session that they do not know.
SESSION_STATUSES: Final = frozenset({400, 404, 409, 410, 422, 500})
SESSION_CODES: Final = frozenset({INVALID_REQUEST, -32001, -32000})
FORGOTTEN: Final = re.compile(
    r"session[^.;]{0,60}(?:not found|not exist|terminated|expired|unknown|invalid|missing|closed"
    r"|not valid|no longer|gone|ended|required|not initiali[sz]ed)"
    r"|(?:no valid|invalid|unknown|no such|missing|expired|terminated|cannot find|could not find"
    r"|no|stale|bad)\s[^.;]{0,30}session"
    r"|server not initiali[sz]ed",
    re.IGNORECASE,
)
TAG: Final = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL)
CREDENTIALS: Final = "set bearer_token_env_var or http_headers of this server"
STATUSES: Final[Mapping[int, str]] = {
    404: "there is nothing at this path (404): check the url, which often ends in /mcp or /sse",
    405: "it takes no such requests at this path (405): check the url, and its type",
    407: "the proxy wants authorization (407): put user and password into the proxy's url",
    408: "it gave up waiting (408): call again",
    413: "the call is too large for it (413)",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused; `is_lost`: nothing was begun, and a new session may do."""

    why: str
    is_lost: bool = False
    code: int = 0
    status: int = 0


def says_session_lost(status: int, text: str) -> bool:
    """Tell whether a refusal of a request with a session means that the session is unknown."""
    return status in SESSION_STATUSES and FORGOTTEN.search(text) is not None


def is_session_lost(error: MCPError, *, has_address: bool) -> bool:
    """Tell whether an error means that the session is lost, and that nothing was begun."""
    marks = refusal_marks(error)
    if marks is not None:
        return marks.get("lost") is True
    is_known = has_address and error.code in SESSION_CODES
    return is_known and FORGOTTEN.search(error.message) is not None


def refusal_marks(error: MCPError) -> Mapping[str, object] | None:
    """Return what `McpHttpClient` noted of a refusal; None where the server sent the error."""
    data = error.error.data
    marks = data.get(REFUSED_KEY) if isinstance(data, dict) else None
    return marks if isinstance(marks, dict) else None


def explain_status(status: int, headers: Mapping[str, str], body: str, *, sent_token: bool) -> str:
    """Return what a status says, and what to do."""
    if status == 401:
        what = "does not accept this authorization" if sent_token else "wants authorization"
        advice = "renew the token" if sent_token else CREDENTIALS
        return f"it {what} (401): {advice}{_quote(body)}"
    if status == 403:
        return f"it forbids this (403): the account of the token lacks the right{_quote(body)}"
    if status == 429:
        after = headers.get("retry-after", "")
        when = f"again after {after:.40}{' s' if after.isdigit() else ''}" if after else "later"
        return f"it has had too many requests (429): call {when}{_quote(body)}"
    if status in STATUSES:
        return STATUSES[status] + _quote(body)
    if status >= FIRST_SERVER_ERROR:
        return f"it failed ({status}), which its own log explains: call later{_quote(body)}"
    return f"it refuses the request ({status}){_quote(body)}"


def _quote(body: str) -> str:
    text = " ".join(TAG.sub(" ", body).split())
    return f"; it says: {text:.{MAX_BODY_CHARS}}" if text else ""
