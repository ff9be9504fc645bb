"""The tools that ask the user, run subagents and keep the todo list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.coding.tools.protocols import Question
from mini_agent.tools.invoker import get_tool_name
from tests.coding.tools.conftest import ToolFixture


@dataclass
class ScriptedUser:
    """Gives the answers of its script."""

    said: Mapping[str, str] = field(default_factory=dict)
    agrees: bool = True
    asked: list[Question] = field(default_factory=list)

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        self.asked += questions
        return self.said

    async def approve_plan(self, plan: str) -> bool:
        return self.agrees and plan == "the plan"


@dataclass
class ScriptedTaskRunner:
    """Runs subagents of one type, which repeat their prompt."""

    def subagent_types(self) -> Mapping[str, str]:
        return {"echo": "tells it back"}

    async def run(self, kind: str, prompt: str, call_id: str) -> str:
        return f"{kind} {call_id}: {prompt}"


async def list_names(tools: ToolFixture) -> set[str]:
    return {get_tool_name(tool) for tool in await coding_tools(tools.context).list_openai_tools()}


async def test_only_tools_that_have_all_they_need_are_offered(tools: ToolFixture) -> None:
    missing = {"Task", "WebFetch", "WebSearch", "AskUserQuestion", "ExitPlanMode"}
    assert not missing & await list_names(tools)
    user = ToolFixture(
        replace(tools.context, prompter=ScriptedUser(), subagents=ScriptedTaskRunner())
    )
    assert await list_names(user) - await list_names(tools) == {
        "Task",
        "AskUserQuestion",
        "ExitPlanMode",
    }


async def test_a_question_comes_back_with_its_answer(tools: ToolFixture) -> None:
    user = ScriptedUser({"Which?": "red"})
    options: list[JsonValue] = [{"label": "red"}, {"label": "blue", "description": "like the sky"}]
    question: JsonValue = {"question": "Which?", "header": "Colour", "options": options}
    told = await ToolFixture(replace(tools.context, prompter=user)).text(
        "AskUserQuestion", questions=[question]
    )
    assert told == 'The user has answered your questions: "Which?" = "red".'
    assert [choice.label for choice in user.asked[0].choices] == ["red", "blue"]


async def test_a_plan_is_approved_or_it_is_not(tools: ToolFixture) -> None:
    asker = ScriptedUser()
    agreeing = ToolFixture(replace(tools.context, prompter=asker))
    assert "has approved your plan" in await agreeing.text("ExitPlanMode", plan="the plan")
    asker.agrees = False
    assert "does not want" in await agreeing.error("ExitPlanMode", plan="the plan")


async def test_a_task_goes_to_its_agent_under_its_call(tools: ToolFixture) -> None:
    agents = ToolFixture(replace(tools.context, subagents=ScriptedTaskRunner()))
    task = {"description": "say hi", "prompt": "hi"}
    assert await agents.text("Task", **task, subagent_type="echo") == "echo c1: hi"
    refused = await agents.error("Task", **task, subagent_type="fly")
    assert refused == (
        "Error: subagent_type 'fly' is not recognized. Available subagent types: echo"
    )


async def test_todos_are_kept_and_told_back(tools: ToolFixture) -> None:
    todo: JsonValue = {"content": "try", "status": "pending", "activeForm": "Trying", "id": "1"}
    told = await tools.text("TodoWrite", todos=[todo])
    assert "Todos have been modified successfully." in told
    assert '[{"content": "try", "status": "pending", "id": "1", "activeForm": "Trying"}]' in told
    assert [each.content for each in tools.context.todos.todos] == ["try"]
    assert "is empty now" in await tools.text("TodoWrite", todos=[])
    wrong = await tools.error("TodoWrite", todos=[{"content": "", "status": "soon"}])
    assert "todos.0.content" in wrong
    assert "todos.0.status" in wrong
