"""Servers that fail once and are fine after that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mini_agent.testing import (
    ScriptedReply,
    breaks_off,
    call,
    delayed,
    drip,
    empty_choices,
    garbage,
    half_closed,
    hang,
    null_content,
    refusal,
    server_error,
)
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.programs import RLE

RUN: Final = call("exec_python", code=RLE.code)
ANSWER: Final = f"It is {RLE.prints}."
FAULTS: Final[dict[str, ScriptedReply]] = {
    "500": server_error(),
    "500 as llama.cpp": refusal(500, "produced output that does not match the expected format"),
    "502": refusal(502, "bad gateway"),
    "503": refusal(503, "server busy, please try again. maximum pending requests exceeded"),
    "504": refusal(504, "gateway timeout"),
    "408": refusal(408, "request timeout"),
    "429": refusal(429, "rate limit"),
    "529": refusal(529, "overloaded"),
    "an HTML page": garbage(),
    "an HTML page as 502": garbage(status=502),
    "an empty body": garbage("", media_type="application/json"),
    "half of JSON": garbage('{"choices": [{"mess', media_type="application/json"),
    "JSON of another kind": garbage('{"hello": "world"}', media_type="application/json"),
    "an error as 200": garbage('{"error": "overloaded"}', media_type="application/json"),
    "a list": garbage("[]", media_type="application/json"),
    "a half-closed connection": half_closed("The result"),
    "an error in the middle": breaks_off("The res"),
    "no choices": empty_choices(),
    "null content": null_content(),
}


def behaviours() -> Iterator[Behaviour]:
    """Each fault before the tool ran, and some after it."""
    for name, fault in FAULTS.items():
        yield Behaviour("fault", f"{name}, then fine", (fault, RUN))
    for name in ("500", "429", "an HTML page", "a half-closed connection", "no choices", "503"):
        yield Behaviour("fault", f"{name} after the tool ran", (RUN,), (FAULTS[name], ANSWER))
    yield Behaviour("fault", "500 for ever after the tool ran", (RUN,), (server_error(),))
    yield Behaviour("fault", "HTML for ever after the tool ran", (RUN,), (garbage(),))
    yield Behaviour("fault", "silence, then fine", (hang(), RUN), seconds=10.0)
    yield Behaviour("fault", "a slow reply", (delayed(RUN, 1.0),))
    yield Behaviour("fault", "a body in drops", (drip(RUN, 0.05),))
