"""A run as `response.mini_agent` tells it beside the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mini_agent.messages import JsonObject
from mini_agent.remote.schema import AgentRunResponse
from mini_agent.result import AgentResult, Iteration


def details_of(result: AgentResult) -> JsonObject:
    """All of the result as plain values: `conversation` is the transcript, `parsed_tools` every
    tool call in one flat list, and the rest as in the answer of `POST /agent/run`."""
    said: JsonObject = AgentRunResponse.of_result(result).model_dump(mode="json")
    said["conversation"] = said.pop("messages")
    said["parsed_tools"] = [call for each in result.iterations for call in _parsed(each)]
    return said


def result_in(details: JsonObject) -> AgentResult:
    """The result that `details` were made of."""
    told = dict(details)
    told["messages"] = told.pop("conversation")
    return AgentRunResponse.model_validate(told).result()


def _parsed(iteration: Iteration) -> Iterator[JsonObject]:
    for index, call in enumerate(iteration.tool_invocations):
        yield {
            "iteration": iteration.index,
            "call_index": index,
            "name": call.name,
            "tool_name": call.requested_name,
            "tool_call_id": call.tool_call_id,
            "arguments_raw": json.dumps(call.arguments, ensure_ascii=False),
            "arguments": call.arguments,
            "ok": call.ok,
            "rc": call.rc,
            "result": call.text,
            "stdout": call.stdout,
            "stderr": call.stderr,
            "error": call.error,
            "t_ms": call.duration_ms,
            "model": iteration.model,
        }
