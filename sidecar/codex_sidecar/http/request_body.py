"""Parses and validates request bodies, which are untrusted."""

from __future__ import annotations

import asyncio
import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from codex_sidecar.errors import InvalidSnippet, RefusedRequest
from codex_sidecar.runner.workspace import MAX_FILE_BYTES
from mini_agent_protocol.asgi.body_limit import MAX_BODY_BYTES, LimitedReceive, read_body
from mini_agent_protocol.nulls import without_nulls
from mini_agent_protocol.snippet import Limits, Snippet
from mini_agent_protocol.workspace import SessionRequest

LARGE_BODY_BYTES: Final = 1 << 20
FILE_TIMEOUT_S: Final = 300.0
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


async def stream_content(request: Request) -> AsyncIterator[bytes]:
    """Yield a file's content as it comes, `MAX_FILE_BYTES` at most."""
    if "content-encoding" in request.headers:
        raise RefusedRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the content is compressed; send it as it is"
        )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_FILE_BYTES:
        why = f"the file is larger than {MAX_FILE_BYTES} bytes"
        raise RefusedRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
    limited = LimitedReceive(request.receive, MAX_FILE_BYTES, FILE_TIMEOUT_S)
    with _refusing():
        async for chunk in Request(request.scope, limited).stream():
            yield chunk


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
    with _refusing():
        return await read_body(request, max_bytes)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except HTTPException as refused:
        raise RefusedRequest(refused.status_code, refused.detail) from None
    except ClientDisconnect:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "the body ended too early") from None


def _parse(body: bytes, kind: type[Value]) -> Value:
    body = body.removeprefix(BOM_UTF8)
    try:
        # With a name given twice, which value counts would depend on the parser.
        read = json.loads(body, object_pairs_hook=_require_unique_names)
    except (ValueError, RecursionError):
        read = None  # The model says what is wrong with it.
    if (known := without_nulls(read, kind)) != read:
        body = json.dumps(known).encode()
    try:
        return kind.model_validate_json(body, strict=True)
    except ValidationError as wrong:
        raise _describe(wrong, kind) from None


def _require_unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        name = next(name for name, count in counts.items() if count > 1)
        raise InvalidSnippet(f"{name[:MAX_VALUE_CHARS]!r} is there twice", field=name)
    return read


def _describe(wrong: ValidationError, kind: type[BaseModel]) -> RefusedRequest | InvalidSnippet:
    errors = wrong.errors(include_url=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        return RefusedRequest(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {errors[0]['msg']}")
    problems = []
    for error in errors[:MAX_FIELDS]:
        field = ".".join(str(part) for part in error["loc"]) or "body"
        what = error["msg"].removeprefix("Value error, ")
        got = "" if error["type"] == "missing" else f" (got {_shorten(error['input'])})"
        meant = _suggest(error["loc"], kind) if error["type"] == "extra_forbidden" else ""
        problems.append(f"{field}: {what}{got}{meant}")
    if len(errors) > MAX_FIELDS:
        problems.append(f"and {len(errors) - MAX_FIELDS} more")
    first = ".".join(str(part) for part in errors[0]["loc"])
    return InvalidSnippet("; ".join(problems), field=first)


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}..."


def _suggest(loc: tuple[int | str, ...], kind: type[BaseModel]) -> str:
    """Name the field that was probably meant by one that there is not."""
    limits = {name: f"limits.{name}" for name in Limits.model_fields}
    if "limits" not in kind.model_fields:
        limits = {}
    known = limits if loc[0] == "limits" else limits | {name: name for name in kind.model_fields}
    meant = (
        get_close_matches(str(loc[-1]), known, n=1) if len(loc) == 1 + (loc[0] == "limits") else []
    )
    return f", did you mean {known[meant[0]]}?" if meant else ""
