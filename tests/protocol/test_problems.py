"""Errors as responses."""

from __future__ import annotations

import json

from mini_agent.errors import BadRequest, MiniAgentError, NotConfigured, SandboxBusy
from mini_agent_protocol.asgi.problems import error_body, find_status, problem_response

STATUSES = ((NotConfigured, 501), (BadRequest, 400))


def test_an_error_is_a_problem_under_the_id_that_its_header_names() -> None:
    error = SandboxBusy("all are taken", hint="wait")
    response = problem_response(503, error_body(error), {"Retry-After": "1"})
    request_id = response.headers["x-request-id"]
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert json.loads(bytes(response.body)) == {
        "error": {
            "code": "busy",
            "message": "all are taken",
            "hint": "wait",
            "request_id": request_id,
            "retryable": True,
        }
    }


def test_the_first_class_that_fits_gives_the_status() -> None:
    errors = NotConfigured("no model"), BadRequest("no field"), MiniAgentError("no idea")
    assert [find_status(error, STATUSES) for error in errors] == [501, 400, 500]
