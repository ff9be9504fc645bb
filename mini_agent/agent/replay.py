"""Replays a recorded run: executes its programs again, with the recorded replies of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from mini_agent.agent.loop import run_agent
from mini_agent.errors import BadRequest, ModelError
from mini_agent.events import Event, ModelReplied, RequestedCall, Stopped, ToolFinished
from mini_agent.model import ModelReply, ModelRequest, ToolCall
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult, ToolInvocation
from mini_agent.tools.invoker import Invoker

COMPARED_FIELDS: Final = ("name", "arguments", "ok", "rc", "stdout", "stderr", "attachments")
EXECUTION_FIELDS: Final = ("status", "exit_code", "result_repr", "rich", "artifacts", "limits")
SANDBOX_FIELDS: Final = ("image", "image_id")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bundle(_Value):
    """All that a replay needs of a run: the request without its secrets, and the events.

    Replies, programs, outputs, the image each ran in (its name and digest) and its limits are in
    the events.
    """

    version: Literal[1] = Field(default=1, description="The version of the format.")
    run_id: str = Field(description="The id of the recorded run.")
    request: dict[str, JsonValue] = Field(
        description="The request of the run, without its secrets."
    )
    events: tuple[Event, ...] = Field(description="The events of the run, in order.")

    @property
    def calls(self) -> list[ToolInvocation]:
        """The executed calls, in the order in which they ended."""
        return [each.invocation for each in self.events if isinstance(each, ToolFinished)]

    def parse_request(self) -> AgentRunRequest:
        """Parses the request; raises `BadRequest` where this version does not know it."""
        try:
            return AgentRunRequest.model_validate(self.request)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise BadRequest(f"the recorded request: {where}: {first['msg']}") from None


class Difference(_Value):
    """A value that differs from the recorded one."""

    call: int = Field(description="The number of the call, from 1.")
    field: str = Field(
        description='The field that differs; "call" where one of the two calls is not there.'
    )
    recorded: JsonValue = Field(description="The value of the recorded run.")
    replayed: JsonValue = Field(description="The value of the repetition.")


class ReplayReport(_Value):
    """The result of a replay."""

    run_id: str = Field(description="The id of the recorded run.")
    calls: int = Field(description="How many calls were compared.")
    differences: tuple[Difference, ...] = Field(
        description="What was different; empty where nothing was."
    )


async def replay(bundle: Bundle, tools: Invoker) -> ReplayReport:
    """Executes the bundle's programs again with `tools`, and compares the results.

    The order of concurrent calls of one turn is ignored.
    """
    request = bundle.parse_request()
    result = await _run_again(bundle, request, tools)
    now = [call for each in result.iterations for call in each.tool_invocations]
    then = _recorded_calls(bundle)
    return ReplayReport(
        run_id=bundle.run_id, calls=len(then), differences=tuple(_compare_calls(then, now))
    )


async def _run_again(bundle: Bundle, request: AgentRunRequest, tools: Invoker) -> AgentResult:
    model = _RecordedModel([each for each in bundle.events if isinstance(each, ModelReplied)])
    return await run_agent(
        request.messages, tools, request.config(request.model or "recorded"), model
    )


class _RecordedModel:
    """A model that gives the recorded replies, turn by turn."""

    def __init__(self, replies: Sequence[ModelReplied]) -> None:
        self._replies = iter(replies)

    async def reply(self, request: ModelRequest) -> ModelReply:
        del request
        recorded = next(self._replies, None)
        if recorded is None:
            raise ModelError("the recording has no further reply of the model")
        return ModelReply(
            text=recorded.text,
            reasoning=recorded.reasoning,
            tool_calls=tuple(_call(each) for each in recorded.calls),
            finish_reason=recorded.finish_reason,
            usage=recorded.usage,
            model=recorded.model,
        )


def _call(recorded: RequestedCall) -> ToolCall:
    return ToolCall(id=recorded.id, name=recorded.name, arguments=recorded.arguments)


# The result has the calls in order; a run that was cut off has only its events.
def _recorded_calls(bundle: Bundle) -> list[ToolInvocation]:
    for event in bundle.events:
        if isinstance(event, Stopped):
            turns = event.result.iterations
            return [call for each in turns for call in each.tool_invocations]
    return bundle.calls


def _compare_calls(
    then: Sequence[ToolInvocation], now: Sequence[ToolInvocation]
) -> Iterator[Difference]:
    for number, (before, after) in enumerate(zip(then, now, strict=False), start=1):
        yield from _compare_call(number, before, after)
    for number in range(min(len(then), len(now)), max(len(then), len(now))):
        yield Difference(
            call=number + 1,
            field="call",
            recorded=then[number].name if number < len(then) else None,
            replayed=now[number].name if number < len(now) else None,
        )


def _compare_call(number: int, then: ToolInvocation, now: ToolInvocation) -> Iterator[Difference]:
    before, after = _compared_values(then), _compared_values(now)
    for field, value in before.items():
        # Some recordings and some sandboxes have no digest of their image.
        is_unknown = field == "image_id" and not (value and after[field])
        if value != after[field] and not is_unknown:
            yield Difference(call=number, field=field, recorded=value, replayed=after[field])


def _compared_values(call: ToolInvocation) -> dict[str, JsonValue]:
    dumped = call.model_dump(mode="json")
    values = {field: dumped[field] for field in COMPARED_FIELDS}
    execution = dumped["execution"] or {}
    values |= {field: execution.get(field) for field in EXECUTION_FIELDS}
    sandbox = execution.get("sandbox") or {}
    return values | {field: sandbox.get(field) for field in SANDBOX_FIELDS}
