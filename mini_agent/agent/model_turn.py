"""A turn asked for: what the request says, and what is done when the server cannot take it.

One turn of the model: asked within the deadline, and its reply read.

A model server that stays silent is asked a second time, beside the first; who answers counts.
"""

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

# A slow model is left its time; with less than this there is none to share.
MIN_HEDGE_TIME_S: Final = 8.0
HEDGE_FRACTION: Final = 0.5

Reply = TypeVar("Reply")
SendRequest = Callable[[], Coroutine[object, object, Reply]]


async def hedge_request(
    ask: SendRequest[Reply], remaining_s: float, on_silence: Callable[[], None]
) -> Reply:
    """What `ask` comes to; after half of `remaining_s` without a word it is asked once more.

    `on_silence` is told so. The first reply counts, and an error only when there is no other.
    """
    if remaining_s < MIN_HEDGE_TIME_S:
        return await ask()
    asked = [asyncio.ensure_future(ask())]
    try:
        done, _ = await asyncio.wait(asked, timeout=remaining_s * HEDGE_FRACTION)
        if not done:
            on_silence()
            asked.append(asyncio.ensure_future(ask()))
        return await _first_reply(asked)
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _first_reply(asked: Sequence[asyncio.Future[Reply]]) -> Reply:
    waiting = set(asked)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        good = [each for each in done if not each.cancelled() and each.exception() is None]
        if good:
            return good[0].result()
        if not waiting:
            return next(iter(done)).result()


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model said and asked for."""

    text: str
    reasoning: str
    calls: tuple[ToolCall, ...]
    finish_reason: str
    model: str
    usage: Usage
    ms: float
    repaired: tuple[str, ...] = ()


async def request_reply(
    model: Model, request: ModelRequest, deadline: Deadline, on_silence: Callable[[], None]
) -> ModelReply:
    """The model's reply; `ModelError` when it fails, `DeadlineExceeded` when it is too late.

    A model that says nothing for long is asked once more, which `on_silence` is told.
    """
    asked = hedge_request(lambda: model.reply(request), deadline.remaining, on_silence)
    try:
        reply: object = await deadline.wait_for(asked)
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


def parse_turn(reply: ModelReply, tools: OfferedTools, setting: ParseOptions, ms: float) -> Turn:
    """What `reply`, which took `ms` milliseconds, says and asks of `tools`."""
    read = parse_reply(reply, tools, setting)
    return Turn(
        text=read.text,
        reasoning=read.reasoning,
        calls=read.calls,
        finish_reason=reply.finish_reason,
        model=reply.model,
        usage=reply.usage,
        ms=ms,
        repaired=read.repaired,
    )


RETRY_PAUSE_S: Final = 0.3
OPTIONAL_TOOL_CHOICES: Final = ("auto", "none")
# Where the run's first model is and what opens it: nothing to send to another provider.
PROVIDER_OPTIONS: Final = ("api_base", "base_url", "api_key")
SHORTER_CONTEXT: Final = "the server said the conversation is too long, so it was shown less of it"
HEDGED: Final = "the model server was silent, and was asked once more beside it"
RETRIED: Final = "the model server failed, and was asked once more"


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What one turn is asked with: the tools it is offered, and what its reply is read against.

    A call of one of the `known` tools is a call, also where it was not `offered`.
    """

    iteration: int
    offered: OfferedTools
    known: OfferedTools
    setting: ParseOptions


@dataclass(frozen=True, slots=True)
class TurnRequester:
    """Puts a run's turns to the model, each server fault answered once with what may help."""

    model: Model
    config: AgentConfig
    deadline: Deadline
    transcript: Transcript
    shown: ContextWindow
    escalation: Escalation
    form: JsonFormat | None
    tell: Listener
    plain_text: PromptedTools = field(default_factory=PromptedTools)

    async def turn(self, question: TurnRequest) -> Turn:
        """The next turn; `ModelError` when the model has none, `DeadlineExceeded` when it is too late."""
        remedies: list[str] = []
        started = perf_counter()
        while True:
            native = self._request([tool.schema for tool in question.offered.values()])
            request = self.plain_text.request(native, question.offered)
            self.tell(_model_asked_event(request, question.iteration, remedies))

            def asked_again(request: ModelRequest = request) -> None:
                remedies.append(HEDGED)
                self.tell(_model_asked_event(request, question.iteration, remedies))

            try:
                reply = await request_reply(self.model, request, self.deadline, asked_again)
            except ModelError as broken:
                remedies.append(self._remedy(broken, request, remedies))
                await self._pause(broken)
            else:
                ms = (perf_counter() - started) * 1000
                reply = self.plain_text.read(reply)
                turn = parse_turn(reply, question.known, question.setting, ms)
                model, repaired = turn.model or request.model, (*remedies, *turn.repaired)
                return replace(turn, model=model, repaired=repaired)

    def _request(self, tools: list[Tool]) -> ModelRequest:
        addenda = [self.form.instruction] if self.form else []
        messages = self.shown.messages(tools, addenda)
        return ModelRequest(
            model=self.escalation.model,
            messages=messages,
            tools=tools,
            timeout_s=self.deadline.remaining,
            temperature=self.config.temperature,
            num_ctx=self.config.num_ctx,
            options=self._options(messages, tools),
        )

    def _options(self, messages: list[Message], tools: list[Tool]) -> dict[str, JsonValue]:
        options = dict(self.config.completion_kwargs)
        has_answers = self.transcript.has_tool_answers or messages[-1]["role"] == "tool"
        if not tools or (has_answers and options.get("tool_choice") not in OPTIONAL_TOOL_CHOICES):
            # A model that must call a tool every time could never give its answer.
            options.pop("tool_choice", None)
        if not tools:
            options.pop("parallel_tool_calls", None)
        for address in PROVIDER_OPTIONS if self.escalation.changes_provider else ():
            options.pop(address, None)
        # Where there are tools, a server that is held to a form could not call them.
        if self.config.response_format and not tools:
            options["response_format"] = self.config.response_format
        return options

    def _remedy(self, broken: ModelError, request: ModelRequest, tried: list[str]) -> str:
        """What is done about `broken`, which is raised again where nothing more can be."""
        in_words = self.plain_text.remedy(broken, request)
        if in_words:
            return in_words
        if isinstance(broken, ContextTooLong) and SHORTER_CONTEXT not in tried:
            self.shown.shrink(request.messages)
            return SHORTER_CONTEXT
        if broken.retryable and RETRIED not in tried and _pause_s(broken) < self.deadline.remaining:
            return RETRIED
        raise broken

    async def _pause(self, broken: ModelError) -> None:
        await asyncio.sleep(_pause_s(broken))


def _pause_s(broken: ModelError) -> float:
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
