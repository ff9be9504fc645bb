"""Who may use OpenSandbox's routes: who has the token, and for one sandbox, who was told its key.

LiteLLM sends its key where sandboxes are made, and the headers it is told there where code is run.
"""

from __future__ import annotations

import hmac
from typing import Final

from starlette.requests import Request

from codex_sidecar.http import auth
from mini_agent_protocol.errors import Unauthorized

KEY: Final = "OPEN-SANDBOX-API-KEY"
SANDBOX_KEY: Final = "X-EXECD-ACCESS-TOKEN"


def require_token(token: str, request: Request) -> None:
    """Raises `Unauthorized` unless the token is there, as OpenSandbox's key or as a bearer's."""
    given = request.headers.get(KEY)
    if given is None:
        auth.require(token, request.headers.get("authorization", ""))
    elif not _same(given, token):
        raise Unauthorized(
            "the key is missing or wrong",
            hint=f"send the sidecar's token as {KEY}, which is api_key in LiteLLM; "
            "`make token` prints the running stack's",
        )


def key_of(token: str, sandbox_id: str) -> str:
    """What admits to one sandbox, and does not tell the token."""
    return hmac.digest(token.encode(), sandbox_id.encode(), "sha256").hex()


def require_key(token: str, sandbox_id: str, request: Request) -> None:
    """Raises `Unauthorized` unless the sandbox's own key is there, or the token."""
    given = request.headers.get(SANDBOX_KEY)
    if given is None:
        require_token(token, request)
    elif not _same(given, key_of(token, sandbox_id)):
        raise Unauthorized(
            f"{SANDBOX_KEY} is not the key of this sandbox",
            hint="send the headers that GET /v1/sandboxes/{id}/endpoints/44772 tells",
        )


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
