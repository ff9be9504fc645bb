"""When a run sends its model to the tools that look things up, which it does a few times only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from mini_agent.agent.guardrails.research import is_unsure
from mini_agent.config import AgentConfig

NAMED: Final = "research"
ALSO_NAMED: Final = "search"
UNSURE: Final = (
    "You are not sure of your answer. Look it up with {tools}, then answer from what it says."
)
FAILING: Final = "Calls keep failing. Look up what is wrong with {tools}, then try another way."


class Research:
    """Counts a run's failures and hops; `tools` are the names of all that the invoker lists."""

    def __init__(self, config: AgentConfig, tools: Iterable[str]) -> None:
        self._config = config
        self._tools = " or ".join(_that_look_up(list(tools)))
        self._hops = 0
        self._failures = 0

    def on_answer(self, text: str) -> str:
        """What to tell a model that would answer `text`; empty to accept it."""
        if self._config.research_on_unsure and is_unsure(text):
            return self._hop(UNSURE)
        return ""

    def after_calls(self, *, failed: bool) -> str:
        """What to tell the model after a turn of calls, of which all `failed` or not."""
        self._failures = self._failures + 1 if failed else 0
        enough = self._failures >= self._config.max_failures_before_research
        if not (enough and self._config.research_after_failures):
            return ""
        self._failures = 0
        return self._hop(FAILING)

    def _hop(self, directive: str) -> str:
        if not self._tools or self._hops >= self._config.max_research_hops:
            return ""
        self._hops += 1
        return directive.format(tools=self._tools)


def _that_look_up(tools: Sequence[str]) -> list[str]:
    """The research tools, and where there are none those that search, by the words in their names.

    A tool of one of several servers is named `server__tool`, so the word may stand anywhere.
    """
    for word in (NAMED, ALSO_NAMED):
        named = [name for name in tools if word in re.split(r"[^a-z]+", name.lower())]
        if named:
            return named
    return []
