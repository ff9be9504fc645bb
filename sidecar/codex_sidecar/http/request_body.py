"""Parses and validates request bodies, which are untrusted."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from codex_sidecar.errors import InvalidSnippet, RefusedRequest
from codex_sidecar.runner.workspace import MAX_FILE_BYTES
from mini_agent_protocol.asgi.body_limit import MAX_BODY_BYTES, read_body
from mini_agent_protocol.snippet import Snippet
from mini_agent_protocol.workspace import SessionRequest

LARGE_BODY_BYTES: Final = 1 << 20
MAX_VALUE_CHARS: Final = 80
MAX_FIELDS: Final = 5

Value = TypeVar("Value", bound=BaseModel)


async def read_snippet(request: Request) -> Snippet:
    """Read a snippet; `RefusedRequest` where it is no JSON, `InvalidSnippet` where invalid."""
    return await read_json(request, Snippet)


async def read_session_request(request: Request) -> SessionRequest:
    """Read the request for a session; without a body, the defaults."""
    if request.headers.get("content-length", "0") == "0" and not _is_chunked(request):
        return SessionRequest()
    return await read_json(request, SessionRequest)


async def read_content(request: Request) -> bytes:
    """Read a file's content."""
    if "content-encoding" in request.headers:
        raise RefusedRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the content is compressed; send it as it is"
        )
    return await _read_body(request, MAX_FILE_BYTES)


async def read_json(request: Request, kind: type[Value]) -> Value:
    """Read a JSON body; `RefusedRequest` where it is no JSON, `InvalidSnippet` where invalid."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" or "content-encoding" in request.headers:
        raise RefusedRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body is {content_type or 'of no type'}, not plain JSON",
            hint="send it as Content-Type: application/json, not compressed",
        )
    body = await _read_body(request, MAX_BODY_BYTES)
    if len(body) < LARGE_BODY_BYTES:
        return _parse(body, kind)
    return await asyncio.to_thread(_parse, body, kind)


def _is_chunked(request: Request) -> bool:
    return "transfer-encoding" in request.headers


async def _read_body(request: Request, max_bytes: int) -> bytes:
    try:
        return await read_body(request, max_bytes)
    except HTTPException as refused:
        raise RefusedRequest(refused.status_code, refused.detail) from None
    except ClientDisconnect:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the body ended too early") from None


def _parse(body: bytes, kind: type[Value]) -> Value:
    try:
        value = kind.model_validate_json(body, strict=True)
    except ValidationError as wrong:
        raise _describe(wrong) from None
    # With a name given twice, which value counts would depend on the parser.
    json.loads(body, object_pairs_hook=_require_unique_names)
    return value


def _require_unique_names(pairs: list[tuple[str, object]]) -> None:
    names = {name for name, _ in pairs}
    for name, _ in pairs:
        if name not in names:
            raise InvalidSnippet(f"{name[:MAX_VALUE_CHARS]!r} is there twice", field=name)
        names.discard(name)


def _describe(wrong: ValidationError) -> RefusedRequest | InvalidSnippet:
    errors = wrong.errors(include_url=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        return RefusedRequest(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {errors[0]['msg']}")
    problems = []
    for error in errors[:MAX_FIELDS]:
        field = ".".join(str(part) for part in error["loc"]) or "body"
        value = repr(error["input"])
        shown = value if len(value) <= MAX_VALUE_CHARS else f"{value[:MAX_VALUE_CHARS]}..."
        what = error["msg"].removeprefix("Value error, ")
        problems.append(
            f"{field}: {what}" + ("" if error["type"] == "missing" else f" (got {shown})")
        )
    if len(errors) > MAX_FIELDS:
        problems.append(f"and {len(errors) - MAX_FIELDS} more")
    first = ".".join(str(part) for part in errors[0]["loc"])
    return InvalidSnippet("; ".join(problems), field=first)
