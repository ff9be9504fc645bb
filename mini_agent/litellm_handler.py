"""`MiniAgentLLM`: the agent as a provider of LiteLLM's completion and acompletion."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from mini_agent.blocking import run_blocking
from mini_agent.errors import BadRequest, MiniAgentError, Unauthorized
from mini_agent.litellm_lazy import litellm_module
from mini_agent.litellm_parameters import PROVIDER, GivenCall
from mini_agent.litellm_provider import provider_result
from mini_agent.result import AgentResult, Usage
from mini_agent.wire import AgentRunResponse

litellm: Final = litellm_module()


class MiniAgentLLM(litellm.CustomLLM):  # type: ignore[misc, name-defined]  # LiteLLM is not typed here
    """A whole run of the agent behind each completion.

    The answer is the message; `response.mini_agent` holds the rest: `stopped_reason`,
    `answer_source`, `iterations`, `conversation`, `metrics`, `last_tool_invocation`, `error`.
    A run that stopped early is an answer, too. Raises LiteLLM's BadRequestError for parameters
    that cannot be, and its ServiceUnavailableError when there is nothing to run in.
    """

    def completion(self, **call: object) -> object:
        """A run, from plain code; inside a running event loop it blocks that loop."""
        return _filled(call["model_response"], run_blocking(_result(call)))

    async def acompletion(self, **call: object) -> object:
        """A run; cancelling it cancels the run, wherever that is."""
        return _filled(call["model_response"], await _result(call))
