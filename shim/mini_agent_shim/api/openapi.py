"""Response descriptions of the OpenAPI document that several routes share."""

from __future__ import annotations

from typing import Final

from mini_agent.errors import Problem
from mini_agent_protocol.sse import MEDIA_TYPE

Responses = dict[int | str, dict[str, object]]

PROBLEMS: Final[Responses] = {
    400: {"model": Problem, "description": "The request cannot be carried out; it says why."},
    401: {"model": Problem, "description": "The token is missing or wrong."},
    403: {"model": Problem, "description": "Not a name of this service, or a foreign page."},
    404: {"model": Problem, "description": "There is no such thing."},
    408: {"model": Problem, "description": "The body takes too long to come."},
    409: {"model": Problem, "description": "The Idempotency-Key stands for something else."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "A field has a wrong name, type or range."},
    429: {"model": Problem, "description": "Too many; Retry-After says when to come back."},
    500: {"model": Problem, "description": "A fault of the shim."},
    503: {"model": Problem, "description": "No sandbox or no room for the log; try again later."},
}
AUTH_PROBLEMS: Final[Responses] = {code: PROBLEMS[code] for code in (401, 403, 429)}
RUN_PROBLEMS: Final[Responses] = {
    code: PROBLEMS[code] for code in (400, 401, 403, 408, 409, 413, 422, 429, 503)
}
READ_PROBLEMS: Final[Responses] = {code: PROBLEMS[code] for code in (401, 403, 404, 422, 429)}
METRICS_RESPONSE: Final[Responses] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}
# The schema of one event of a stream.
EVENT_SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string"},
    },
    "required": ["data"],
}
STREAM_CONTENT: Final[dict[str, object]] = {MEDIA_TYPE: {"schema": EVENT_SCHEMA}}
STREAM_RESPONSE: Final[Responses] = {
    200: {
        "content": STREAM_CONTENT,
        "description": "The finished run; with `stream`, its events as they happen, "
        "`event: KIND` and `data: JSON` each, the last one `stopped`.",
    }
}
