"""A snippet out of a request's body, which may be anything."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request

from codex_sidecar.errors import InvalidSnippet, RefusedRequest
from mini_agent.sandbox import Snippet

MOST_BODY_BYTES: Final = 32 << 20
BODY_S: Final = 30.0
LARGE_BODY_BYTES: Final = 1 << 20
MOST_VALUE_SHOWN: Final = 80
MOST_FIELDS_SHOWN: Final = 5


async def snippet_of(request: Request) -> Snippet:
    """The snippet; `RefusedRequest` where it is no JSON, `InvalidSnippet` where no snippet."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in request.headers:
        raise RefusedRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body is {kind or 'of no type'}, not plain JSON",
            hint="send it as Content-Type: application/json, not compressed",
        )
    body = await _body(request)
    if len(body) < LARGE_BODY_BYTES:
        return _parsed(body)
    return await asyncio.to_thread(_parsed, body)


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY_BYTES:
                    raise RefusedRequest(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        f"the body is larger than {MOST_BODY_BYTES} bytes",
                    )
    except TimeoutError:
        raise RefusedRequest(
            HTTPStatus.REQUEST_TIMEOUT, f"the body took longer than {BODY_S:g} s"
        ) from None
    except ClientDisconnect:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the body ended too early") from None
    return bytes(body)


def _parsed(body: bytes) -> Snippet:
    try:
        return Snippet.model_validate_json(body, strict=True)
    except ValidationError as wrong:
        raise _refusal(wrong) from None


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
