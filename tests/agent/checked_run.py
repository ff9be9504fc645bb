"""A run with the checks that every run of the tests has to pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from mini_agent.agent import loop
from mini_agent.agent.recorder import IterationLog
from mini_agent.config import AgentConfig
from mini_agent.events import Event, Stopped
from mini_agent.messages import Message, user
from mini_agent.model import Model
from mini_agent.result import AgentResult
from mini_agent.testing.transcript_rules import broken_rules
from mini_agent.tools.invoker import Invoker, OpenAIToolCall, Tool

TASK = [user("Go.")]
ECHO_TOOL: Tool = {
    "type": "function",
    "function": {
        "name": "echo",
        "description": "Get the same text back.",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}},
    },
}


async def run_agent(
    messages: Sequence[Mapping[str, JsonValue]],
    invoker: Invoker,
    config: AgentConfig,
    model: Model,
) -> AgentResult:
    """Runs the agent and checks its transcript, its answer and its events."""
    events: list[Event] = []
    result = await loop.run_agent(messages, invoker, config, model, events.append)
    assert broken_rules(result.messages) == []
    assert result.final_answer.strip()
    assert result.final_answer != "None"
    log = IterationLog()
    for event in events:
        log.apply(event)
    assert log.iterations == result.iterations
    assert events[-1] == Stopped(result=result)
    return result


async def wait_until(holds: Callable[[], object]) -> None:
    """Polls until the condition is true, for fakes that signal nothing."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class ScriptedInvoker:
    """An invoker with the tools `names`, each of which answers with the next of `answers`."""

    def __init__(self, *answers: object, names: Sequence[str] = ("echo",)) -> None:
        self.called: list[OpenAIToolCall] = []
        self._answers = list(answers)
        self._names = names

    async def list_openai_tools(self) -> list[Tool]:
        return [echo_tool(name) for name in self._names]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str:
        self.called.append(openai_tool)
        # It may be any nonsense, as a foreign tool's.
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]  # type: ignore[return-value]  # see above


def echo_tool(name: str) -> Tool:
    """The tool echo under another name."""
    function = ECHO_TOOL["function"]
    assert isinstance(function, dict)
    return {"type": "function", "function": {**function, "name": name}}


def tool_texts(messages: Sequence[Message]) -> list[str]:
    """The texts of the results of tools."""
    return [str(message["content"]) for message in messages if message["role"] == "tool"]


def user_texts(messages: Sequence[Message]) -> list[str]:
    """The texts of the messages of the user and of the loop."""
    return [str(message["content"]) for message in messages if message["role"] == "user"]
