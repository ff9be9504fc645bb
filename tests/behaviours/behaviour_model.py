"""The scripted model of a behaviour: its next turn depends on whether it has seen the result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from mini_agent.testing import Reply, ScriptedReply, call
from mini_agent.testing.replies import JsonObject, to_scripted_reply
from tests.behaviours.behaviour import Behaviour, Turn

RESULT_ANSWER: Final = "The result is {result}."


@dataclass(slots=True)
class BehaviourModel:
    """Plays its behaviour in one conversation."""

    behaviour: Behaviour
    asked: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})

    def __call__(self, messages: list[JsonObject]) -> ScriptedReply:
        """The next turn."""
        has_result = self._knows(messages)
        turns = self._turns(has_result=has_result)
        turn = to_scripted_reply(turns[min(self.asked[has_result], len(turns) - 1)])
        self.asked[has_result] += 1
        return _adapt_to_smolagents(turn, messages, has_result=has_result)

    def _turns(self, *, has_result: bool) -> tuple[Turn, ...]:
        if not has_result:
            return self.behaviour.first
        return self.behaviour.then or (RESULT_ANSWER.format(result=self.behaviour.program.prints),)

    def _knows(self, messages: list[JsonObject]) -> bool:
        shown = [each for each in messages if each.get("role") not in ("system", "assistant")]
        return self.behaviour.program.prints in json.dumps(shown[1:], ensure_ascii=False)


def _adapt_to_smolagents(
    turn: ScriptedReply, messages: list[JsonObject], *, has_result: bool
) -> ScriptedReply:
    """smolagents has rules of its own, which a model that is offered them keeps to.

    A run of its ToolCallingAgent ends by a call of final_answer. Its CodeAgent offers no tools, so
    there is no native call: programs call them, and final_answer.
    """
    rules = json.dumps(messages[0]) if messages else ""
    if "final_answer" not in rules or not isinstance(turn, Reply):
        return turn
    is_answer = has_result and bool(turn.content) and not turn.calls
    if "<code>" not in rules:
        return call("final_answer", answer=turn.content) if is_answer else turn
    if is_answer:
        return _program(f"final_answer({turn.content!r})")
    calls = [f"print({each.name}(**{each.arguments!r}))" for each in turn.calls]
    return _program("\n".join(calls)) if calls else turn


def _program(code: str) -> Reply:
    return Reply(f"Thought: this is next.\n<code>\n{code}\n</code>")
