"""One turn of the model: the request, a hedged second one, retries, and the parsed reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final, TypeVar

from pydantic import JsonValue

from mini_agent.agent.context_window import ContextWindow
from mini_agent.agent.deadline import Deadline, DeadlineExceeded
from mini_agent.agent.guardrails.policy import Escalation
from mini_agent.agent.prompted_tools import PromptedTools
from mini_agent.agent.structured_output import JsonFormat
from mini_agent.agent.transcript import Transcript
from mini_agent.config import AgentConfig
from mini_agent.errors import ContextTooLong, MiniAgentError, ModelError, ModelUnavailable
from mini_agent.events import Listener, ModelAsked
from mini_agent.messages import Message
from mini_agent.model import Model, ModelReply, ModelRequest, ToolCall
from mini_agent.result import Usage
from mini_agent.tool_parsing.reply import parse_reply
from mini_agent.tool_parsing.scanner import ParseOptions
from mini_agent.tool_parsing.text_spans import OfferedTools
from mini_agent.tools.invoker import Tool

# With less time left than this no hedged request is sent: a slow model needs all of it.
MIN_HEDGE_TIME_S: Final = 8.0
HEDGE_FRACTION: Final = 0.5
RETRY_PAUSE_S: Final = 0.3
OPTIONAL_TOOL_CHOICES: Final = ("auto", "none")
# The address and key of the run's first model: never sent to another provider.
PROVIDER_OPTIONS: Final = ("api_base", "base_url", "api_key")
SHORTER_CONTEXT: Final = "the server said the conversation is too long, so it was shown less of it"
HEDGED: Final = "the model server was silent, and was asked once more beside it"
RETRIED: Final = "the model server failed, and was asked once more"

Reply = TypeVar("Reply")
SendRequest = Callable[[], Coroutine[object, object, Reply]]


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """The tools that a turn is offered, and what its reply is parsed with.

    A call of one of the `known` tools is a call, also where the tool was not `offered`.
    """

    iteration: int
    offered: OfferedTools
    known: OfferedTools
    options: ParseOptions


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply of the model, parsed into text and tool calls; `ms` is the time it took."""

    text: str
    reasoning: str
    calls: tuple[ToolCall, ...]
    finish_reason: str
    model: str
    usage: Usage
    ms: float
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnRequester:
    """Requests the turns of a run, and retries once for each fault that a remedy may help."""

    model: Model
    config: AgentConfig
    deadline: Deadline
    transcript: Transcript
    context_window: ContextWindow
    escalation: Escalation
    json_format: JsonFormat | None
    emit: Listener
    prompted_tools: PromptedTools = field(default_factory=PromptedTools)

    async def request(self, turn: TurnRequest) -> Turn:
        """Requests the next turn; raises `ModelError`, and `DeadlineExceeded` when time is up."""
        remedies: list[str] = []
        started = perf_counter()
        while True:
            native = self._build_request([tool.schema for tool in turn.offered.values()])
            request = self.prompted_tools.rewrite_request(native, turn.offered)
            self.emit(_model_asked_event(request, turn.iteration, remedies))

            def on_hedge(request: ModelRequest = request) -> None:
                remedies.append(HEDGED)
                self.emit(_model_asked_event(request, turn.iteration, remedies))

            try:
                reply = await request_reply(self.model, request, self.deadline, on_hedge)
            except ModelError as broken:
                remedies.append(self._apply_remedy(broken, request, remedies))
                await asyncio.sleep(_retry_pause_s(broken))
            else:
                ms = (perf_counter() - started) * 1000
                reply = self.prompted_tools.parse_reply(reply)
                parsed = parse_turn(reply, turn.known, turn.options, ms)
                model, repaired = parsed.model or request.model, (*remedies, *parsed.repaired)
                return replace(parsed, model=model, repaired=repaired)

    def _build_request(self, tools: list[Tool]) -> ModelRequest:
        addenda = [self.json_format.instruction] if self.json_format else []
        messages = self.context_window.messages(tools, addenda)
        return ModelRequest(
            model=self.escalation.model,
            messages=messages,
            tools=tools,
            timeout_s=self.deadline.remaining,
            temperature=self.config.temperature,
            num_ctx=self.config.num_ctx,
            options=self._build_options(messages, tools),
        )

    def _build_options(self, messages: list[Message], tools: list[Tool]) -> dict[str, JsonValue]:
        options = dict(self.config.completion_kwargs)
        has_results = self.transcript.has_tool_results or messages[-1]["role"] == "tool"
        if not tools or (has_results and options.get("tool_choice") not in OPTIONAL_TOOL_CHOICES):
            # A model that must call a tool in every turn could never answer.
            options.pop("tool_choice", None)
        if not tools:
            options.pop("parallel_tool_calls", None)
        for option in PROVIDER_OPTIONS if self.escalation.changes_provider else ():
            options.pop(option, None)
        # A server that enforces a response format could not call the tools.
        if self.config.response_format and not tools:
            options["response_format"] = self.config.response_format
        return options

    def _apply_remedy(self, broken: ModelError, request: ModelRequest, tried: list[str]) -> str:
        """Applies the remedy for `broken` and names it; raises `broken` when there is none."""
        prompted = self.prompted_tools.apply_remedy(broken, request)
        if prompted:
            return prompted
        if isinstance(broken, ContextTooLong) and SHORTER_CONTEXT not in tried:
            self.context_window.shrink(request.messages)
            return SHORTER_CONTEXT
        in_time = _retry_pause_s(broken) < self.deadline.remaining
        if broken.retryable and RETRIED not in tried and in_time:
            return RETRIED
        raise broken


async def request_reply(
    model: Model, request: ModelRequest, deadline: Deadline, on_hedge: Callable[[], None]
) -> ModelReply:
    """Requests a reply; raises `ModelError`, and `DeadlineExceeded` when it comes too late.

    A model that stays silent gets a hedged request; `on_hedge` is called before it is sent.
    """
    hedged = hedge_request(lambda: model.reply(request), deadline.remaining, on_hedge)
    try:
        reply: object = await deadline.wait_for(hedged)
    except DeadlineExceeded:
        raise
    except MiniAgentError:
        if not deadline.remaining:
            raise DeadlineExceeded from None
        raise
    except Exception as broken:  # a model is foreign code and may raise anything
        raise ModelError(f"the model failed with {type(broken).__name__}: {broken}") from broken
    if not isinstance(reply, ModelReply):
        raise ModelError(f"the model answered with {type(reply).__name__}, not with a reply")
    return reply


async def hedge_request(
    send: SendRequest[Reply], remaining_s: float, on_hedge: Callable[[], None]
) -> Reply:
    """Sends a request, and a second one when half of `remaining_s` passes without a reply.

    Returns the first reply, and raises an error only when both requests fail. `on_hedge` is called
    before the second request.
    """
    if remaining_s < MIN_HEDGE_TIME_S:
        return await send()
    requests = [asyncio.ensure_future(send())]
    try:
        done, _ = await asyncio.wait(requests, timeout=remaining_s * HEDGE_FRACTION)
        if not done:
            on_hedge()
            requests.append(asyncio.ensure_future(send()))
        return await _first_reply(requests)
    finally:
        for each in requests:
            each.cancel()
        await asyncio.gather(*requests, return_exceptions=True)


async def _first_reply(requests: Sequence[asyncio.Future[Reply]]) -> Reply:
    pending = set(requests)
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        good = [each for each in done if not each.cancelled() and each.exception() is None]
        if good:
            return good[0].result()
        if not pending:
            return next(iter(done)).result()


def parse_turn(reply: ModelReply, tools: OfferedTools, options: ParseOptions, ms: float) -> Turn:
    """Parses `reply`, which took `ms` milliseconds, into text and calls of `tools`."""
    parsed = parse_reply(reply, tools, options)
    return Turn(
        text=parsed.text,
        reasoning=parsed.reasoning,
        calls=parsed.calls,
        finish_reason=reply.finish_reason,
        model=reply.model,
        usage=reply.usage,
        ms=ms,
        repaired=parsed.repaired,
    )


def _retry_pause_s(broken: ModelError) -> float:
    if not isinstance(broken, ModelUnavailable):
        return 0.0
    return RETRY_PAUSE_S if broken.retry_after_s is None else broken.retry_after_s


def _model_asked_event(request: ModelRequest, iteration: int, remedies: list[str]) -> ModelAsked:
    return ModelAsked(
        iteration=iteration,
        model=request.model,
        shown_messages=len(request.messages),
        tools_offered=len(request.tools),
        because=remedies[-1] if remedies else "",
    )
