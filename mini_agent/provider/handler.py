"""`MiniAgentLLM`: the agent as a provider of LiteLLM's completion and acompletion."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Final, Protocol, TypedDict, Unpack

from mini_agent.agent.sync import run_blocking, stream_blocking
from mini_agent.errors import BadRequest, MiniAgentError, Unauthorized
from mini_agent.messages import JsonObject
from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.provider.parameters import PROVIDER, LiteLLMCall
from mini_agent.provider.responses import (
    Chunk,
    build_details,
    describe_answer,
    stream_chunks,
    to_litellm_calls,
    to_litellm_usage,
)
from mini_agent.provider.run import prepare_run
from mini_agent.result import AgentResult

litellm: Final = import_litellm()

LITELLM_ERRORS: Final[tuple[tuple[type[MiniAgentError], str], ...]] = (
    (BadRequest, "BadRequestError"),
    (Unauthorized, "AuthenticationError"),
    (MiniAgentError, "ServiceUnavailableError"),
)


class ResponseMessage(Protocol):
    """LiteLLM's message object, as far as we write it."""

    content: str | None
    tool_calls: list[object] | None


class ResponseChoice(Protocol):
    """LiteLLM's choice object, as far as we write it."""

    message: ResponseMessage
    finish_reason: str


class Response(Protocol):
    """LiteLLM's response object, as far as we write it, and what we add: `mini_agent`."""

    choices: list[ResponseChoice]
    model: str
    usage: object
    mini_agent: JsonObject
    _hidden_params: dict[str, object]


class CompletionArguments(TypedDict, total=False):
    """The keyword arguments that LiteLLM passes to a provider, as far as we read them."""

    model: str
    messages: list[object]
    model_response: Response
    optional_params: dict[str, object]
    api_base: str | None
    api_key: str | None
    timeout: object
    litellm_params: dict[str, object]


class MiniAgentLLM(litellm.CustomLLM):  # type: ignore[misc, name-defined]  # LiteLLM is untyped here
    """A whole run of the agent behind each completion.

    The answer is the message; `response.mini_agent` holds the rest: `stopped_reason`,
    `answer_source`, `iterations`, `conversation`, `parsed_tools`, `metrics`,
    `last_tool_invocation`, `error`.
    A run that stopped early is an answer, too. Raises LiteLLM's BadRequestError for parameters
    that cannot be, and its ServiceUnavailableError when there is nothing to run in.
    """

    def completion(self, **call: Unpack[CompletionArguments]) -> Response:
        """A run, from plain code; inside a running event loop it holds that loop up."""
        return _fill_response(call["model_response"], run_blocking(_run_completion(call)))

    async def acompletion(self, **call: Unpack[CompletionArguments]) -> Response:
        """A run; cancelling it cancels the run, wherever that is."""
        return _fill_response(call["model_response"], await _run_completion(call))

    def streaming(self, **call: Unpack[CompletionArguments]) -> Iterator[Chunk]:
        """A run as a stream: its answer, and with `stream_progress` also what it does.

        Dropping the stream ends the run.
        """
        return stream_blocking(_start_stream(call))

    def astreaming(self, **call: Unpack[CompletionArguments]) -> AsyncIterator[Chunk]:
        """The same for coroutines; `aclose()` of the stream ends the run."""
        return _start_stream(call)


async def _run_completion(call: CompletionArguments) -> AgentResult:
    with _translate_errors(call["model"]):
        return await prepare_run(_build_call(call)).result()


# Not a generator itself: what cannot be is raised by the call, before there is a stream.
def _start_stream(call: CompletionArguments) -> AsyncGenerator[Chunk, None]:
    with _translate_errors(call["model"]):
        run = prepare_run(_build_call(call))
    chunks = stream_chunks(run.events(), call["model"], shows_progress=run.shows_progress)
    return _translate_stream_errors(chunks, call["model"])


async def _translate_stream_errors(
    chunks: AsyncGenerator[Chunk, None], model: str
) -> AsyncGenerator[Chunk, None]:
    with _translate_errors(model):
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk


@contextmanager
def _translate_errors(model: str) -> Iterator[None]:
    try:
        yield
    except MiniAgentError as wrong:
        raise _to_litellm_error(wrong, model) from wrong


def _build_call(call: CompletionArguments) -> LiteLLMCall:
    own = {name: call.get(name) for name in ("api_base", "api_key") if call.get(name)}
    return LiteLLMCall(
        model=call["model"],
        messages=list(_to_plain_messages(call["messages"])),
        parameters={
            **{name: value for name, value in own.items() if value},
            **call["optional_params"],
        },
        timeout=call.get("timeout"),
        drops_unknown=_drops_unknown(call),
    )


def _drops_unknown(call: CompletionArguments) -> bool:
    asked = call.get("litellm_params", {}).get("drop_params")
    asked = call["optional_params"].get("drop_params") if asked is None else asked
    return bool(litellm.drop_params if asked is None else asked)


# A conversation that goes on may hold LiteLLM's own message objects beside plain ones.
def _to_plain_messages(messages: list[object]) -> Iterator[object]:
    for message in messages:
        dump = getattr(message, "model_dump", None)
        yield dump(exclude_none=True) if callable(dump) else message


def _to_litellm_error(wrong: MiniAgentError, model: str) -> Exception:
    name = next(name for kind, name in LITELLM_ERRORS if isinstance(wrong, kind))
    error: Exception = getattr(litellm, name)(
        message=str(wrong), model=model, llm_provider=PROVIDER
    )
    return error


def _fill_response(response: Response, result: AgentResult) -> Response:
    message = response.choices[0].message
    message.content = describe_answer(result)
    if result.tool_calls:
        message.tool_calls = to_litellm_calls(result)
    response.choices[0].finish_reason = result.finish_reason
    response.model = result.used_model
    response.usage = to_litellm_usage(result.usage)
    response.mini_agent = build_details(result)
    hidden = response._hidden_params  # noqa: SLF001 - LiteLLM's name
    hidden["mini_agent"] = response.mini_agent
    if result.usage.cost:
        hidden["response_cost"] = result.usage.cost
    return response
