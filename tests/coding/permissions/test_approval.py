"""Permission prompts: one at a time, once for all that a rule covers, and always answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mini_agent.coding.approval import PolicyApprover, UserAnswer
from mini_agent.coding.permissions.policy import Ask, PermissionPolicy
from mini_agent.coding.permissions.settings import LOCAL_SETTINGS, add_allow_rule
from mini_agent.coding.tools.context import ToolContext
from mini_agent.messages import JsonObject

FETCH: JsonObject = {"url": "https://a.example/x", "prompt": "p"}


@dataclass
class ScriptedPrompter:
    """Gives the same answer to every question."""

    said: UserAnswer
    heard: list[str] = field(default_factory=list)

    async def ask_permission(self, asked: Ask) -> UserAnswer:
        self.heard.append(asked.question)
        await asyncio.sleep(0)
        return self.said


async def test_always_answers_the_calls_that_wait_as_well(context: ToolContext) -> None:
    user = ScriptedPrompter(UserAnswer("always"))
    approval = PolicyApprover(PermissionPolicy(context), user)
    async with asyncio.TaskGroup() as calls:
        asked = [
            calls.create_task(approval.find_objection("WebFetch", FETCH, "")) for _ in range(20)
        ]
    assert [each.result() for each in asked] == [""] * 20
    assert len(user.heard) == 1


async def test_once_is_for_one_call(context: ToolContext) -> None:
    user = ScriptedPrompter(UserAnswer("once"))
    approval = PolicyApprover(PermissionPolicy(context), user)
    for _ in range(2):
        assert await approval.find_objection("WebFetch", FETCH, "") == ""
    assert len(user.heard) == 2


async def test_no_comes_with_what_the_user_says(context: ToolContext) -> None:
    approval = PolicyApprover(
        PermissionPolicy(context), ScriptedPrompter(UserAnswer("no", "use the cache"))
    )
    objection = await approval.find_objection("WebFetch", FETCH, "")
    assert objection == "The user does not want this to be done. They say: use the cache"


async def test_a_rule_that_cannot_be_kept_holds_all_the_same(
    context: ToolContext, project: Path
) -> None:
    (project / LOCAL_SETTINGS).parent.mkdir()
    (project / LOCAL_SETTINGS).write_text("{")
    told: list[str] = []
    user = ScriptedPrompter(UserAnswer("always"))
    keep = partial(add_allow_rule, project / LOCAL_SETTINGS)
    approval = PolicyApprover(PermissionPolicy(context, save_rule=keep), user, told.append)
    for _ in range(2):
        assert await approval.find_objection("WebFetch", FETCH, "") == ""
    assert len(user.heard) == 1
    assert "settings.local.json, line 1" in told[0]
    assert (project / LOCAL_SETTINGS).read_text() == "{"


async def test_where_nobody_is_there_the_reason_names_the_rule(context: ToolContext) -> None:
    objection = await PolicyApprover(PermissionPolicy(context), None).find_objection(
        "WebFetch", FETCH, ""
    )
    assert "nobody is there to be asked" in objection
    assert "WebFetch(domain:a.example)" in objection


async def test_a_hook_that_allows_does_not_undo_a_rule_that_denies(context: ToolContext) -> None:
    planning = PolicyApprover(
        PermissionPolicy(context, mode="plan"), ScriptedPrompter(UserAnswer("always"))
    )
    assert "plan mode" in await planning.find_objection("Bash", {"command": "ls"}, "allow")
    assert (
        await PolicyApprover(PermissionPolicy(context), None).find_objection(
            "WebFetch", FETCH, "allow"
        )
        == ""
    )


async def test_a_hook_can_have_the_user_asked_about_what_is_allowed(context: ToolContext) -> None:
    user = ScriptedPrompter(UserAnswer("no"))
    approval = PolicyApprover(PermissionPolicy(context), user)
    assert await approval.find_objection("LS", {"path": ""}, "ask")
    assert user.heard == ["A hook wants to know: call LS?"]
