"""What a tool of a behaviour server may ask of the assistant: a subagent, or a word on a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mini_agent.coding.prompts.server import SYSTEM_PROMPT, BehaviourServer, tell_mode
from mini_agent.coding.side_model import ModelDigest
from mini_agent.coding.subagents.run import DEFAULT, Kind, Subagents
from mini_agent.coding.tools.protocols import Asker
from mini_agent.tools.invoker import (
    Invoker,
    Listener,
    OpenAIToolCall,
    Tool,
    ToolOutput,
    passed_on,
    printed,
    refused,
    unheard,
)
from mini_agent.tools.outputs import output_of

HOOKS: Final = "hook://UserPromptSubmit/"
TOO_DEEP: Final = "agents that were started by agents start no more of them"


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Digested(_Asked):
    """Words that the small model makes of others."""

    system_content: list[str] = Field(
        default=[], description="Parts of the instructions for the small model."
    )
    user_content: list[str] = Field(default=[], description="The words to be digested.")


_Parts: TypeAlias = list[str | _Digested]


class _Agent(_Asked):
    kind: Literal["agent_callback"] = Field(description="Tells the requests apart.")
    subagent_type: str = Field(default=DEFAULT, description="The kind of the subagent.")
    tools: list[str] | None = Field(
        default=None, description="The names of the tools it may use; null for all of its kind."
    )
    system_content: _Parts = Field(default=[], description="Parts of its system prompt, in order.")
    user_content: _Parts = Field(default=[], description="Parts of its task, in order.")


class _Plan(_Asked):
    kind: Literal["plan_callback"] = Field(description="Tells the requests apart.")
    plan: str = Field(description="The plan that the user is shown, in Markdown.")
    text_on_accept: str = Field(
        default="The user agrees to the plan.",
        description="What the model is told where the user agrees.",
    )
    text_on_reject: str = Field(
        default="The user does not agree to the plan.",
        description="What the model is told where the user does not agree.",
    )


_Callback: TypeAlias = _Agent | _Plan
CALLBACK: Final[TypeAdapter[_Callback]] = TypeAdapter(
    Annotated[_Callback, Field(discriminator="kind")]
)


@dataclass(frozen=True, slots=True)
class CalledBack:
    """The tools of a server that the user has named; what they ask for is done.

    Only of one that has prompts or hooks, too: elsewhere a text that looks like this is a page or
    a file that somebody else wrote. A command is started for none of them.
    """

    tools: Invoker
    server: BehaviourServer
    agents: Subagents | None
    digest: ModelDigest
    asker: Asker | None

    async def list_openai_tools(self) -> list[Tool]:
        """The tools of the server."""
        return await self.tools.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """What came of one call."""
        return await self.stream_openai_tool(openai_tool, unheard)

    async def stream_openai_tool(self, openai_tool: OpenAIToolCall, tell: Listener) -> ToolOutput:
        """The same; `tell` gets the output as it comes."""
        output = output_of(await passed_on(self.tools, openai_tool, tell))
        asked = _asked_in(output.stdout) if output.ok else None
        if asked is None or not await self._behaves():
            return output
        if isinstance(asked, _Plan):
            return await self._judged(asked)
        return await self._worked(asked, str(openai_tool.get("id") or ""))

    async def _behaves(self) -> bool:
        return await self.server.serves(SYSTEM_PROMPT) or await self.server.serves(HOOKS)

    async def _judged(self, asked: _Plan) -> ToolOutput:
        if self.asker is None or not await self.asker.approves(asked.plan):
            return printed(asked.text_on_reject)
        await tell_mode([self.server], "default")
        return printed(asked.text_on_accept)

    async def _worked(self, asked: _Agent, call_id: str) -> ToolOutput:
        if self.agents is None:
            return refused(TOO_DEEP)
        told = "\n\n".join(await self._words(asked.system_content))
        prompt = "\n\n".join(await self._words(asked.user_content))
        tools = None if asked.tools is None else tuple(asked.tools)
        agent = Kind(asked.subagent_type, "", told, tools)
        return await self.agents.worked(agent, told, prompt, call_id)

    async def _words(self, parts: Sequence[str | _Digested]) -> list[str]:
        return [part if isinstance(part, str) else await self._digested(part) for part in parts]

    async def _digested(self, part: _Digested) -> str:
        return await self.digest.answer(
            "\n\n".join(part.system_content), "\n\n".join(part.user_content)
        )


def _asked_in(text: str) -> _Callback | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return CALLBACK.validate_json(text)
    except ValidationError:
        return None
