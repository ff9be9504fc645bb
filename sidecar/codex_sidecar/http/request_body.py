"""What a request's body, which may be anything, asks for."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from codex_sidecar.errors import InvalidSnippet, RefusedRequest
from codex_sidecar.runner.workspace import MOST_FILE_BYTES
from mini_agent_protocol.asgi.body_limit import MAX_BODY_BYTES, read_body
from mini_agent_protocol.snippet import Snippet
from mini_agent_protocol.workspace import SessionRequest

LARGE_BODY_BYTES: Final = 1 << 20
MOST_VALUE_SHOWN: Final = 80
MOST_FIELDS_SHOWN: Final = 5

Value = TypeVar("Value", bound=BaseModel)


async def snippet_of(request: Request) -> Snippet:
    """The snippet; `RefusedRequest` where it is no JSON, `InvalidSnippet` where no snippet."""
    return await parsed_body(request, Snippet)


async def session_request_of(request: Request) -> SessionRequest:
    """What a session is to be; one that nothing is said of is as sessions usually are."""
    if request.headers.get("content-length", "0") == "0" and not _is_chunked(request):
        return SessionRequest()
    return await parsed_body(request, SessionRequest)


async def content_of(request: Request) -> bytes:
    """A file's content."""
    if "content-encoding" in request.headers:
        raise RefusedRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the content is compressed; send it as it is"
        )
    return await _body(request, MOST_FILE_BYTES)


async def parsed_body(request: Request, kind: type[Value]) -> Value:
    """A body of JSON as a value; `RefusedRequest` where it is none, `InvalidSnippet` where odd."""
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named != "application/json" or "content-encoding" in request.headers:
        raise RefusedRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body is {named or 'of no type'}, not plain JSON",
            hint="send it as Content-Type: application/json, not compressed",
        )
    body = await _body(request, MAX_BODY_BYTES)
    if len(body) < LARGE_BODY_BYTES:
        return _parsed(body, kind)
    return await asyncio.to_thread(_parsed, body, kind)


def _is_chunked(request: Request) -> bool:
    return "transfer-encoding" in request.headers


async def _body(request: Request, most: int) -> bytes:
    try:
        return await read_body(request, most)
    except HTTPException as refused:
        raise RefusedRequest(refused.status_code, refused.detail) from None
    except ClientDisconnect:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the body ended too early") from None


def _parsed(body: bytes, kind: type[Value]) -> Value:
    try:
        value = kind.model_validate_json(body, strict=True)
    except ValidationError as wrong:
        raise _refusal(wrong) from None
    # Of two values with one name, which one counts would depend on the reader.
    json.loads(body, object_pairs_hook=_require_each_name_once)
    return value


def _require_each_name_once(pairs: list[tuple[str, object]]) -> None:
    names = {name for name, _ in pairs}
    for name, _ in pairs:
        if name not in names:
            raise InvalidSnippet(f"{name[:MOST_VALUE_SHOWN]!r} is there twice", field=name)
        names.discard(name)


def _refusal(wrong: ValidationError) -> RefusedRequest | InvalidSnippet:
    errors = wrong.errors(include_url=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        return RefusedRequest(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {errors[0]['msg']}")
    said = []
    for error in errors[:MOST_FIELDS_SHOWN]:
        field = ".".join(str(part) for part in error["loc"]) or "body"
        given = repr(error["input"])
        shown = given if len(given) <= MOST_VALUE_SHOWN else f"{given[:MOST_VALUE_SHOWN]}..."
        what = error["msg"].removeprefix("Value error, ")
        said.append(f"{field}: {what}" + ("" if error["type"] == "missing" else f" (got {shown})"))
    if len(errors) > MOST_FIELDS_SHOWN:
        said.append(f"and {len(errors) - MOST_FIELDS_SHOWN} more")
    first = ".".join(str(part) for part in errors[0]["loc"])
    return InvalidSnippet("; ".join(said), field=first)
