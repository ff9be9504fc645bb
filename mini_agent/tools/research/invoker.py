"""`ResearchPythonInvoker`: the research tools whose services are configured."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from mini_agent.errors import BadRequest, MiniAgentError
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import RejectedCall, parse_tool_call
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, error_output
from mini_agent.tools.research import context7, perplexity
from mini_agent.tools.research.common import ResearchSettings, RetryPolicy
from mini_agent.tools.research.context7 import Context7
from mini_agent.tools.research.perplexity import Perplexity

SETUP_HINTS: Final = MappingProxyType(
    {
        perplexity.NAME: perplexity.SETUP_HINT,
        context7.NAME: context7.SETUP_HINT,
    }
)
NOT_CONFIGURED: Final = f"no research tool is configured: {', or '.join(SETUP_HINTS.values())}"
MAX_TIMEOUT_S: Final = 600.0


class ResearchNotConfiguredWarning(UserWarning):
    """Research tools are asked for where none is configured: the model gets none."""


class ResearchSource(Protocol):
    """A service that a research tool queries."""

    @property
    def tool(self) -> Tool:
        """The tool as the model sees it."""
        ...

    async def output(self, arguments: JsonObject) -> ToolOutput:
        """Query the service and return its output."""
        ...


class ResearchPythonInvoker:
    """`research_perplexity` with PPLX_API_KEY, `research_context7_docs` with C7_API_BASE.

    A tool whose variable is not set is not offered. A call may take `timeout` seconds, in which a
    service that is busy or broken is asked up to four times.
    """

    def __init__(self, timeout: float = 30.0, *, settings: ResearchSettings | None = None) -> None:
        if not 0 < timeout <= MAX_TIMEOUT_S:
            raise BadRequest(
                f"timeout must be above 0 and at most {MAX_TIMEOUT_S:g} seconds, not {timeout!r}",
                field="timeout",
            )
        self._sources = _build_sources(settings or ResearchSettings(), RetryPolicy(timeout))

    @property
    def is_configured(self) -> bool:
        """Whether there is a tool at all."""
        return bool(self._sources)

    async def list_openai_tools(self) -> list[Tool]:
        """The tools whose service is configured; with none of them, none, and a warning."""
        if not self._sources:
            warnings.warn(NOT_CONFIGURED, ResearchNotConfiguredWarning, stacklevel=2)
        return [source.tool for source in self._sources.values()]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Call one tool; a failure of the service is an output as well, for the model."""
        try:
            name, arguments = parse_tool_call(openai_tool)
            return await self._source(name).output(arguments)
        except (RejectedCall, MiniAgentError) as why:
            return error_output(str(why))

    def _source(self, name: str) -> ResearchSource:
        if name in self._sources:
            return self._sources[name]
        if name in SETUP_HINTS:
            raise RejectedCall(f"{name} is not configured: {SETUP_HINTS[name]}")
        known = ", ".join(self._sources) or NOT_CONFIGURED
        raise RejectedCall(f"there is no tool {name!r:.80}; there is {known}")


def _build_sources(settings: ResearchSettings, policy: RetryPolicy) -> Mapping[str, ResearchSource]:
    sources: dict[str, ResearchSource] = {}
    if settings.pplx_api_key.get_secret_value():
        sources[perplexity.NAME] = Perplexity(settings, policy)
    if settings.c7_api_base:
        sources[context7.NAME] = Context7(settings, policy)
    return sources
