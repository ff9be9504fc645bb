"""Authentication: the service's bearer token, OpenSandbox's API key, and the key of one sandbox."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from starlette.requests import Request

from codex_sidecar.errors import NotReady
from mini_agent_protocol.errors import Unauthorized

API_KEY_HEADER: Final = "OPEN-SANDBOX-API-KEY"
SANDBOX_KEY_HEADER: Final = "X-EXECD-ACCESS-TOKEN"
TOKEN_BYTES: Final = 32
MIN_TOKEN_CHARS: Final = 16


def load_token(path: Path, mode: int) -> str:
    """Read the token file, or make it where there is none; `NotReady` where neither works."""
    try:
        with contextlib.suppress(FileExistsError):
            if not path.exists():
                _create(path, mode)
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as refused:
        raise NotReady(
            f"no token: {path} can neither be read nor made: {refused}",
            hint="set CODEX_SIDECAR_TOKEN_FILE to a file that this process may read or make",
        ) from refused
    if len(token) < MIN_TOKEN_CHARS:
        raise NotReady(
            f"the token in {path} has {len(token)} characters, fewer than {MIN_TOKEN_CHARS}",
            hint="remove the file: a new token is made at the next start",
        )
    return token


def require_bearer(token: str, authorization: str) -> None:
    """Raise `Unauthorized` unless the header's value is the bearer token."""
    scheme, _, value = authorization.partition(" ")
    is_right = secrets.compare_digest(value.encode(errors="replace"), token.encode())
    if scheme.lower() != "bearer" or not is_right:
        raise Unauthorized(
            "the token is missing or wrong",
            hint="send `Authorization: Bearer TOKEN`; `make token` prints the running stack's",
        )


def _create(path: Path, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Linked only when it is complete, so that no reader sees half a token.
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.touch(mode)
    try:
        temporary.write_text(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        temporary.chmod(mode)
        os.link(temporary, path)
    finally:
        temporary.unlink()


def require_api_key(token: str, request: Request) -> None:
    """Raise `Unauthorized` unless the token is there, as OpenSandbox's key or as a bearer token."""
    value = request.headers.get(API_KEY_HEADER)
    if value is None:
        require_bearer(token, request.headers.get("authorization", ""))
    elif not _are_equal(value, token):
        raise Unauthorized(
            "the key is missing or wrong",
            hint=f"send the sidecar's token as {API_KEY_HEADER}, which is api_key in LiteLLM; "
            "`make token` prints the running stack's",
        )


def derive_sandbox_key(token: str, sandbox_id: str) -> str:
    """Derive the key that admits to one sandbox, and does not disclose the token."""
    return hmac.digest(token.encode(), sandbox_id.encode(), "sha256").hex()


def require_sandbox_key(token: str, sandbox_id: str, request: Request) -> None:
    """Raise `Unauthorized` unless the sandbox's own key is there, or the token."""
    value = request.headers.get(SANDBOX_KEY_HEADER)
    if value is None:
        require_api_key(token, request)
    elif not _are_equal(value, derive_sandbox_key(token, sandbox_id)):
        raise Unauthorized(
            f"{SANDBOX_KEY_HEADER} is not the key of this sandbox",
            hint="send the headers that GET /v1/sandboxes/{id}/endpoints/44772 tells",
        )


def _are_equal(value: str, expected: str) -> bool:
    return hmac.compare_digest(value.encode(errors="replace"), expected.encode())
