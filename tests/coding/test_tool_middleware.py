"""What hooks say to a program's result stands beside what it printed, not in its place."""

from __future__ import annotations

from mini_agent.coding.hooks.decision import HookDecision, Permission
from mini_agent.coding.hooks.event import HookContext, HookEvent
from mini_agent.coding.observer import NullObserver
from mini_agent.coding.tool_middleware import MiddlewareContext, ToolMiddleware
from mini_agent.messages import JsonObject, function_call
from mini_agent.testing.scripted import ScriptedSandbox, execution
from mini_agent.tools.observation import format_observation
from mini_agent.tools.sandbox import SandboxInvoker


class Linting:
    """Hooks that want something done after each call, and an approver who allows it."""

    def __init__(self) -> None:
        self.heard: list[HookEvent] = []

    async def decide(self, event: HookEvent) -> HookDecision:
        self.heard.append(event)
        return (
            HookDecision(after=("run the linter",))
            if event.name == "PostToolUse"
            else HookDecision()
        )

    async def find_objection(self, name: str, arguments: JsonObject, said: Permission) -> str:
        return ""


async def test_what_a_program_printed_stays_when_a_hook_adds_to_it() -> None:
    linting = Linting()
    around = MiddlewareContext(
        lambda: HookContext("s", "s.jsonl", "/"), linting, linting, NullObserver, lambda _: None
    )
    with ScriptedSandbox(execution(stdout="42\n")) as sandbox:
        tools = ToolMiddleware(SandboxInvoker(sandbox), around)
        program = function_call("c1", "exec_python", {"code": "print(6 * 7)"})
        output = await tools.call_openai_tool(program)
    seen = output.model_text or format_observation("exec_python", output)
    assert "42" in seen
    assert "run the linter" in seen
    assert linting.heard[-1].payload["tool_response"] == "42\n"
