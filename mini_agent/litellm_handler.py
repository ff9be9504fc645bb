"""`MiniAgentLLM`: the agent as a provider of LiteLLM's completion and acompletion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final, Protocol, TypedDict, Unpack

from mini_agent.blocking import run_blocking
from mini_agent.errors import BadRequest, MiniAgentError, Unauthorized
from mini_agent.litellm_lazy import litellm_module
from mini_agent.litellm_parameters import PROVIDER, GivenCall
from mini_agent.litellm_provider import provider_result
from mini_agent.messages import JsonObject
from mini_agent.result import AgentResult, Usage
from mini_agent.wire import AgentRunResponse

litellm: Final = litellm_module()

WHOLE: Final = "stream=True is not available here: a run's answer comes whole"

ERRORS: Final[tuple[tuple[type[MiniAgentError], str], ...]] = (
    (BadRequest, "BadRequestError"),
    (Unauthorized, "AuthenticationError"),
    (MiniAgentError, "ServiceUnavailableError"),
)


class ResponseMessage(Protocol):
    """LiteLLM's message object, as far as we write it."""

    content: str


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


class CallFromLiteLLM(TypedDict, total=False):
    """What LiteLLM hands to a provider, as far as we read it; always by keyword."""

    model: str
    messages: list[object]
    model_response: Response
    optional_params: dict[str, object]
    api_base: str | None
    api_key: str | None
    timeout: object


class MiniAgentLLM(litellm.CustomLLM):  # type: ignore[misc, name-defined]  # LiteLLM is untyped here
    """A whole run of the agent behind each completion.

    The answer is the message; `response.mini_agent` holds the rest: `stopped_reason`,
    `answer_source`, `iterations`, `conversation`, `metrics`, `last_tool_invocation`, `error`.
    A run that stopped early is an answer, too. Raises LiteLLM's BadRequestError for parameters
    that cannot be, and its ServiceUnavailableError when there is nothing to run in.
    """

    def completion(self, **call: Unpack[CallFromLiteLLM]) -> Response:
        """A run, from plain code; inside a running event loop it holds that loop up."""
        return _filled(call["model_response"], run_blocking(_result(call)))

    async def acompletion(self, **call: Unpack[CallFromLiteLLM]) -> Response:
        """A run; cancelling it cancels the run, wherever that is."""
        return _filled(call["model_response"], await _result(call))

    def streaming(self, **call: Unpack[CallFromLiteLLM]) -> Iterator[object]:
        """Refused: an answer comes whole."""
        raise _for_litellm(BadRequest(WHOLE, field="stream"), call["model"])

    def astreaming(self, **call: Unpack[CallFromLiteLLM]) -> AsyncIterator[object]:
        """Refused: an answer comes whole."""
        raise _for_litellm(BadRequest(WHOLE, field="stream"), call["model"])


async def _result(call: CallFromLiteLLM) -> AgentResult:
    try:
        return await provider_result(_given(call))
    except MiniAgentError as wrong:
        raise _for_litellm(wrong, call["model"]) from wrong


def _given(call: CallFromLiteLLM) -> GivenCall:
    own = {name: call.get(name) for name in ("api_base", "api_key") if call.get(name)}
    return GivenCall(
        model=call["model"],
        messages=list(_plain(call["messages"])),
        parameters={
            **{name: value for name, value in own.items() if value},
            **call["optional_params"],
        },
        timeout=call.get("timeout"),
    )


# A conversation that goes on may hold LiteLLM's own message objects beside plain ones.
def _plain(messages: list[object]) -> Iterator[object]:
    for message in messages:
        dump = getattr(message, "model_dump", None)
        yield dump(exclude_none=True) if callable(dump) else message


def _for_litellm(wrong: MiniAgentError, model: str) -> Exception:
    name = next(name for kind, name in ERRORS if isinstance(wrong, kind))
    error: Exception = getattr(litellm, name)(
        message=str(wrong), model=model, llm_provider=PROVIDER
    )
    return error


def _filled(response: Response, result: AgentResult) -> Response:
    response.choices[0].message.content = result.final_answer
    response.choices[0].finish_reason = "stop"
    response.model = result.used_model
    response.usage = _usage(result.usage)
    response.mini_agent = told(result)
    response._hidden_params["mini_agent"] = response.mini_agent  # noqa: SLF001 - LiteLLM's name
    return response


def told(result: AgentResult) -> JsonObject:
    """A result as `response.mini_agent` has it."""
    said: JsonObject = AgentRunResponse.of_result(result).model_dump(mode="json")
    said["conversation"] = said.pop("messages")
    return said


def _usage(usage: Usage) -> object:
    return litellm.Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details={"cached_tokens": usage.cached_tokens},
    )
