"""Runs subagents: each has a conversation and a transcript of its own and returns one answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from mini_agent.coding.hooks.commands import HookSource
from mini_agent.coding.hooks.event import HookContext
from mini_agent.coding.inner_loop import MAX_STOP_RETRIES, InnerLoop, build_config
from mini_agent.coding.permissions.policy import PermissionPolicy
from mini_agent.coding.subagents.definition import SubagentType
from mini_agent.coding.subagents.restrictions import SubagentTools
from mini_agent.coding.transcript.locations import SessionFile
from mini_agent.coding.transcript.session import Session
from mini_agent.events import Listener
from mini_agent.messages import JsonObject, system
from mini_agent.model import Model
from mini_agent.tools.invoker import Invoker, ToolOutput, error_output

UNSAFE_CHARS: Final = re.compile(r"[^A-Za-z0-9_-]")
MAX_TURNS: Final = 100
ToolsAtDepth: TypeAlias = Callable[[int], Invoker]


@dataclass(frozen=True, slots=True)
class ParentSession:
    """What a subagent shares with the session that starts it."""

    session: Session
    model: Model
    model_name: str
    hooks: HookSource
    hook_context: Callable[[], HookContext]
    environment: Callable[[], str]
    listener: Listener
    warn: Callable[[str], None]
    permissions: PermissionPolicy


@dataclass(frozen=True, slots=True)
class SubagentRunner:
    """Runs subagents at `depth`; `tools_at` returns the tools for a depth."""

    parent: ParentSession
    types: Mapping[str, SubagentType]
    tools_at: ToolsAtDepth
    depth: int = 0

    def subagent_types(self) -> Mapping[str, str]:
        """Return the names of the types with their descriptions."""
        return {name: type_name.description for name, type_name in self.types.items()}

    async def run(self, type_name: str, prompt: str, call_id: str) -> ToolOutput:
        """Run a subagent of a type; an unknown type is refused."""
        agent = self.types.get(type_name)
        if agent is None:
            names = ", ".join(self.types)
            return error_output(
                f"Error: subagent_type '{type_name:.80}' is not recognized. Available subagent "
                f"types: {names}"
            )
        system_prompt = f"{agent.prompt}\n\n{self.parent.environment()}"
        return await self.run_agent(agent, system_prompt, prompt, call_id)

    async def run_agent(
        self, agent: SubagentType, system_prompt: str, prompt: str, call_id: str
    ) -> ToolOutput:
        """Run a subagent and return its last answer, or why there is none."""
        messages = [system(system_prompt)] if system_prompt else []
        loop = self._loop(agent, call_id)
        loop.session.add_user_message([{"type": "text", "text": prompt}])
        outcome = await loop.run(messages)
        for times in range(MAX_STOP_RETRIES):
            payload: JsonObject = {
                "stop_hook_active": bool(times),
                "agent_id": call_id,
                "agent_type": agent.name,
                "agent_transcript_path": str(loop.session.path),
                "last_assistant_message": outcome.answer,
            }
            reason = await self._ask_stop_hooks(payload)
            if outcome.status != "done" or not reason:
                break
            loop.session.add_user_message([{"type": "text", "text": reason}], is_meta=True)
            outcome = await loop.run(messages)
        if not outcome.answer:
            return error_output(f"the agent came to no answer: {outcome.error}")
        # The other agent must not take a part for the whole.
        answer = "\n\n".join(part for part in (outcome.answer, outcome.error) if part)
        return ToolOutput(ok=True, rc=0, stdout=answer, model_text=answer)

    async def _ask_stop_hooks(self, payload: JsonObject) -> str:
        """Return what SubagentStop hooks want done before it ends; empty if nothing."""
        type_name = str(payload["agent_type"])
        event = self.parent.hook_context().event("SubagentStop", type_name, payload)
        decision = await self.parent.hooks.decide(event)
        for message in (*decision.messages, *decision.faults):
            self.parent.warn(message)
        return decision.reason if decision.blocked and not decision.stops else ""

    def _loop(self, agent: SubagentType, call_id: str) -> InnerLoop:
        parent_session = self.parent.session
        path = parent_session.path.with_suffix(
            f".{UNSAFE_CHARS.sub('-', agent.name)[:40]}-{call_id}.jsonl"
        )
        session = Session.open(SessionFile(path, parent_session.id), parent_session.origin)
        tools = SubagentTools(self.tools_at(self.depth + 1), agent, self.parent.permissions)
        config = build_config(agent.model or self.parent.model_name, MAX_TURNS)
        return InnerLoop(session, self.parent.model, tools, config, self.parent.listener)
