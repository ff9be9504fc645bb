"""Hooks hear that the user is waited for, and nothing waits for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from io import StringIO

from rich.console import Console

from mini_agent.coding.hooks.decision import HookDecision
from mini_agent.coding.hooks.event import HookContext, HookEvent
from mini_agent.coding.notifications import Notifications
from mini_agent.coding.terminal.commands import USER_EXIT, SlashCommands
from mini_agent.coding.terminal.repl import Repl
from mini_agent.coding.terminal.screen import Screen
from mini_agent.messages import JsonObject
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness
from tests.coding.test_hook_events import TOLD, Patient, read_payloads
from tests.coding.test_hooks import hook


async def test_hooks_hear_of_questions_and_plans_and_what_they_say_is_shown(
    harness: Harness,
) -> None:
    says_so = '; echo \'{"systemMessage": "called"}\''
    harness.settings(
        hook("Notification", TOLD.format("Notification") + says_so, "permission_prompt")
    )
    harness.prompter = Patient(harness.project)
    question: JsonObject = {"question": "Tabs?", "options": [{"label": "yes"}, {"label": "no"}]}
    script = (
        calls_reply(scripted_call("AskUserQuestion", questions=[question])),
        calls_reply(scripted_call("ExitPlanMode", plan="Write.")),
        text_reply("Done."),
    )
    with ScriptedModel(*script) as model:
        await harness.run_prompt(model, "Go.", permission_mode="plan")
    heard = [str(each["message"]) for each in read_payloads(harness, "Notification")]
    assert heard == [
        "mini-agent has a question for you: Tabs?",
        "mini-agent needs your approval of its plan",
    ]


async def test_a_user_who_says_nothing_for_a_while_is_called(harness: Harness) -> None:
    harness.settings(hook("Notification", TOLD.format("Notification"), "idle_prompt"))
    user, screen = Patient(harness.project), Screen(Console(file=StringIO()))
    with ScriptedModel() as model:
        async with harness.open_session(model) as runtime:
            talk = Repl(runtime, screen, user, SlashCommands(runtime, screen.say), idle_s=0.05)
            assert await talk.run("") == USER_EXIT
    (notice,) = read_payloads(harness, "Notification")
    assert notice["notification_type"] == "idle_prompt"
    assert notice["message"] == "mini-agent is waiting for your input"


@dataclass
class Loud:
    """Hooks that have something to say to everything, at once or never."""

    answered: asyncio.Event
    ever: bool = True

    async def decide(self, event: HookEvent) -> HookDecision:
        if not self.ever:
            await asyncio.Event().wait()
        self.answered.set()
        return HookDecision(
            blocked=True, reasons=(f"{event.subject} failed",), messages=("called",)
        )


async def test_what_hooks_say_to_a_question_is_shown_behind_it(harness: Harness) -> None:
    hooks, shown = Loud(asyncio.Event()), list[str]()
    notifications = Notifications(
        hooks, lambda: HookContext("s", "s.jsonl", str(harness.project)), shown.append
    )
    with notifications.during_question("Go on?"):
        await hooks.answered.wait()
        assert shown == []
    assert shown == ["called", "permission_prompt failed"]
    with notifications.during_prompt(60):
        pass
    assert len(shown) == 2
    hooks.ever = False
    with notifications.during_question("Go on?"):
        pass
    await notifications.aclose()
    assert len(shown) == 2
