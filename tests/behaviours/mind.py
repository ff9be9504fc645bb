"""The model of a behaviour: what it says next depends on whether it was shown the result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from mini_agent.testing import Reply, Scripted, call
from mini_agent.testing.replies import JsonObject, as_scripted
from tests.behaviours.behaviour import Behaviour, Turn

SAID: Final = "The result is {result}."


@dataclass(slots=True)
class Mind:
    """Says what its behaviour says; one conversation."""

    behaviour: Behaviour
    asked: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})

    def __call__(self, messages: list[JsonObject]) -> Scripted:
        """The next turn. Where an agent wants its answer as a call, a plain answer is one."""
        knows = self._knows(messages)
        turns = self._turns(knows=knows)
        turn = as_scripted(turns[min(self.asked[knows], len(turns) - 1)])
        self.asked[knows] += 1
        return _as_wanted(turn, messages) if knows else turn

    def _turns(self, *, knows: bool) -> tuple[Turn, ...]:
        if not knows:
            return self.behaviour.first
        return self.behaviour.then or (SAID.format(result=self.behaviour.program.prints),)

    def _knows(self, messages: list[JsonObject]) -> bool:
        shown = [each for each in messages if each.get("role") not in ("system", "assistant")]
        return self.behaviour.program.prints in json.dumps(shown[1:], ensure_ascii=False)


def _as_wanted(turn: Scripted, messages: list[JsonObject]) -> Scripted:
    """smolagents ends a run by a call of final_answer, or by a program that calls it."""
    rules = json.dumps(messages[0]) if messages else ""
    is_answer = isinstance(turn, Reply) and turn.content and not turn.calls
    if not is_answer or "final_answer" not in rules or not isinstance(turn, Reply):
        return turn
    if "<code>" in rules:
        return Reply(f"Thought: I have it.\n<code>\nfinal_answer({turn.content!r})\n</code>")
    return call("final_answer", answer=turn.content)
