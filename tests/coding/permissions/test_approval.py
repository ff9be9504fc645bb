"""The user, asked about calls: one at a time, once for all that is alike, and heard in any case."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mini_agent.coding.approval import RuledApproval, Said
from mini_agent.coding.permissions.policy import Asked, Permissions
from mini_agent.coding.permissions.settings import LOCAL, remember_in
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.messages import JsonObject

FETCH: JsonObject = {"url": "https://a.example/x", "prompt": "p"}


@dataclass
class User:
    """Says the same to everything."""

    said: Said
    heard: list[str] = field(default_factory=list)

    async def may(self, asked: Asked) -> Said:
        self.heard.append(asked.question)
        await asyncio.sleep(0)
        return self.said


async def test_always_answers_the_calls_that_wait_as_well(at: Workplace) -> None:
    user = User(Said("always"))
    approval = RuledApproval(Permissions(at), user)
    async with asyncio.TaskGroup() as calls:
        asked = [calls.create_task(approval.objection("WebFetch", FETCH, "")) for _ in range(20)]
    assert [each.result() for each in asked] == [""] * 20
    assert len(user.heard) == 1


async def test_once_is_for_one_call(at: Workplace) -> None:
    user = User(Said("once"))
    approval = RuledApproval(Permissions(at), user)
    for _ in range(2):
        assert await approval.objection("WebFetch", FETCH, "") == ""
    assert len(user.heard) == 2


async def test_no_comes_with_what_the_user_says(at: Workplace) -> None:
    approval = RuledApproval(Permissions(at), User(Said("no", "use the cache")))
    objection = await approval.objection("WebFetch", FETCH, "")
    assert objection == "The user does not want this to be done. They say: use the cache"


async def test_a_rule_that_cannot_be_kept_holds_all_the_same(at: Workplace, project: Path) -> None:
    (project / LOCAL).parent.mkdir()
    (project / LOCAL).write_text("{")
    told: list[str] = []
    user = User(Said("always"))
    keep = partial(remember_in, project / LOCAL)
    approval = RuledApproval(Permissions(at, keep=keep), user, told.append)
    for _ in range(2):
        assert await approval.objection("WebFetch", FETCH, "") == ""
    assert len(user.heard) == 1
    assert "settings.local.json, line 1" in told[0]
    assert (project / LOCAL).read_text() == "{"


async def test_where_nobody_is_there_the_reason_names_the_rule(at: Workplace) -> None:
    objection = await RuledApproval(Permissions(at), None).objection("WebFetch", FETCH, "")
    assert "nobody is there to be asked" in objection
    assert "WebFetch(domain:a.example)" in objection


async def test_a_hook_that_allows_does_not_undo_a_rule_that_denies(at: Workplace) -> None:
    planning = RuledApproval(Permissions(at, mode="plan"), User(Said("always")))
    assert "plan mode" in await planning.objection("Bash", {"command": "ls"}, "allow")
    assert await RuledApproval(Permissions(at), None).objection("WebFetch", FETCH, "allow") == ""


async def test_a_hook_can_have_the_user_asked_about_what_is_allowed(at: Workplace) -> None:
    user = User(Said("no"))
    approval = RuledApproval(Permissions(at), user)
    assert await approval.objection("LS", {"path": ""}, "ask")
    assert user.heard == ["A hook wants to know: call LS?"]
