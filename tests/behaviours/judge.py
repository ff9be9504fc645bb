"""Judges a run: compares its outcome with what its behaviour should lead to."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.testing import Call, Reply
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.programs import program_key

GRACE_S: Final = 1.0
RAW_CALL: Final = re.compile(
    r'"(?:arguments|parameters|tool_calls)"\s*:|<\|?/?(?:tool_call|function_call|python_tag)'
    r"|\[TOOL_CALLS\]|<\uff5ctool|\bexec_(?:python|shell|go|node|rust)\("
)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The outcome of one run. `gave_up`: it stopped without an answer, and said so."""

    answer: str = ""
    error: str = ""
    gave_up: bool = False
    seconds: float = 0.0
    ran: tuple[tuple[str, str], ...] = ()
    broken_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judged run; `is_right` covers all that its behaviour asks for."""

    behaviour: Behaviour
    outcome: RunOutcome

    @property
    def is_blank(self) -> bool:
        """Whether it ended in nothing at all."""
        return not self.outcome.error and self.outcome.answer.strip() in ("", "None", "null")

    @property
    def wrong_runs(self) -> Sequence[tuple[str, str]]:
        """The programs that nobody wanted to be run."""
        return [each for each in self.outcome.ran if not self._may_run(*each)]

    def _may_run(self, tool: str, code: str) -> bool:
        """Whether it is one of the programs that are wanted, or several of them in one."""
        _, rest = program_key(tool, code)
        for allowed_tool, program in sorted(each.key for each in self.behaviour.may_run):
            if allowed_tool == tool and rest == program:
                return True
            rest = rest.replace(program, "") if allowed_tool == tool and program else rest
        return (not rest and bool(code.strip())) or self._was_given(code)

    def _was_given(self, code: str) -> bool:
        """Whether it is, to the letter, what a native call gives: to run that is no mistake."""
        turns = (turn for turn in self.behaviour.first if isinstance(turn, Reply))
        given = [_argument_text(call) for turn in turns for call in turn.calls]
        as_json = json.dumps(code, ensure_ascii=False)[1:-1]
        is_given = any(as_json in each or code in each for each in given)
        return self.behaviour.kind == "recoverable" and is_given

    @property
    def is_late(self) -> bool:
        """Whether it ended more than a second past its deadline."""
        return self.outcome.seconds > self.behaviour.seconds + GRACE_S

    @property
    def is_clean(self) -> bool:
        """Whether it ended in words, in time, with nothing run that should not have been."""
        return not (self.is_blank or self.is_late or self.wrong_runs or self.outcome.broken_rules)

    @property
    def shows_a_raw_call(self) -> bool:
        """Whether the reader gets a call to read instead of an answer."""
        return bool(RAW_CALL.search(self.outcome.answer)) and self.behaviour.kind != "nothing"

    @property
    def is_right(self) -> bool:
        """Whether the run came to what it should have come to."""
        if self.is_blank or self.is_late or self.wrong_runs or self.shows_a_raw_call:
            return False
        if self.behaviour.kind == "honest":
            return self.outcome.gave_up or self._says(self.behaviour.words)
        return not self.outcome.error and self._says(self._wanted)

    @property
    def _wanted(self) -> str:
        behaviour = self.behaviour
        return behaviour.program.prints if behaviour.kind == "recoverable" else behaviour.words

    def _says(self, words: str) -> bool:
        return bool(words) and words in self.outcome.answer


def _argument_text(call: Call) -> str:
    given = call.arguments
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
