"""Requests that a prompt server's tool makes of the assistant: run a subagent, approve a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mini_agent.coding.prompts.server import SYSTEM_PROMPT_URI, PromptServer, send_mode
from mini_agent.coding.side_model import SideModel
from mini_agent.coding.subagents.definition import DEFAULT_TYPE, SubagentType
from mini_agent.coding.subagents.run import SubagentRunner
from mini_agent.coding.tools.protocols import UserPrompter
from mini_agent.tools.invoker import (
    Invoker,
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    discard_output,
    error_output,
    forward_call,
    text_output,
)
from mini_agent.tools.outputs import parse_output

PROMPT_HOOK_URI: Final = "hook://UserPromptSubmit/"
NESTING_REFUSAL: Final = "agents that were started by agents start no more of them"


class _CallbackModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _DigestPart(_CallbackModel):
    """A text that the small model is to write."""

    system_content: list[str] = Field(
        default=[], description="Parts of the instructions for the small model."
    )
    user_content: list[str] = Field(default=[], description="The words to be digested.")


_Parts: TypeAlias = list[str | _DigestPart]


class _AgentCallback(_CallbackModel):
    kind: Literal["agent_callback"] = Field(description="Tells the requests apart.")
    subagent_type: str = Field(default=DEFAULT_TYPE, description="The kind of the subagent.")
    tools: list[str] | None = Field(
        default=None, description="The names of the tools it may use; null for all of its kind."
    )
    system_content: _Parts = Field(default=[], description="Parts of its system prompt, in order.")
    user_content: _Parts = Field(default=[], description="Parts of its task, in order.")


class _PlanCallback(_CallbackModel):
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


_Callback: TypeAlias = _AgentCallback | _PlanCallback


CALLBACK_ADAPTER: Final[TypeAdapter[_Callback]] = TypeAdapter(
    Annotated[_Callback, Field(discriminator="kind")]
)


@dataclass(frozen=True, slots=True)
class CallbackInvoker:
    """The tools of a server that --mcp names; requests in their results are executed.

    Only a server that has prompts or hooks is obeyed: elsewhere a text of this shape is a page or
    a file that somebody else wrote. No request starts a command.
    """

    tools: Invoker
    server: PromptServer
    agents: SubagentRunner | None
    digest: SideModel
    prompter: UserPrompter | None

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools of the server."""
        return await self.tools.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Call a tool."""
        return await self.stream_openai_tool(openai_tool, discard_output)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: OutputListener
    ) -> ToolOutput:
        """Call a tool, passing its output to `listener` as it comes."""
        output = parse_output(await forward_call(self.tools, openai_tool, listener))
        callback = _parse_callback(output.stdout) if output.ok else None
        if callback is None or not await self._provides_prompts():
            return output
        if isinstance(callback, _PlanCallback):
            return await self._ask_approval(callback)
        return await self._run_agent(callback, str(openai_tool.get("id") or ""))

    async def _provides_prompts(self) -> bool:
        return await self.server.serves(SYSTEM_PROMPT_URI) or await self.server.serves(
            PROMPT_HOOK_URI
        )

    async def _ask_approval(self, callback: _PlanCallback) -> ToolOutput:
        if self.prompter is None or not await self.prompter.approve_plan(callback.plan):
            return text_output(callback.text_on_reject)
        await send_mode([self.server], "default")
        return text_output(callback.text_on_accept)

    async def _run_agent(self, callback: _AgentCallback, call_id: str) -> ToolOutput:
        if self.agents is None:
            return error_output(NESTING_REFUSAL)
        system_prompt = "\n\n".join(await self._join_parts(callback.system_content))
        prompt = "\n\n".join(await self._join_parts(callback.user_content))
        tools = None if callback.tools is None else tuple(callback.tools)
        agent = SubagentType(callback.subagent_type, "", system_prompt, tools)
        return await self.agents.run_agent(agent, system_prompt, prompt, call_id)

    async def _join_parts(self, parts: Sequence[str | _DigestPart]) -> list[str]:
        return [part if isinstance(part, str) else await self._digest(part) for part in parts]

    async def _digest(self, part: _DigestPart) -> str:
        return await self.digest.answer(
            "\n\n".join(part.system_content), "\n\n".join(part.user_content)
        )


def _parse_callback(text: str) -> _Callback | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return CALLBACK_ADAPTER.validate_json(text)
    except ValidationError:
        return None
