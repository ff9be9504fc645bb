"""An answer that a model gives as if it were a tool call: `final_answer(answer="42")`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.argument_text import read_arguments
from mini_agent.tool_parsing.found_ import Tools, Wanted
from mini_agent.tools.names import spelled
from mini_agent.tools.spelling import words_in

NAMES: Final = words_in(
    "final finalanswer finalresponse finalresult answer respond response reply finish finished "
    "submit submitanswer done complete taskcomplete attemptcompletion giveanswer returnanswer "
    "sendmessage say speak noaction none notool"
)


def final_in(calls: Sequence[Wanted], tools: Tools) -> str | None:
    """The answer, where it is all that the calls say; None where one of them is a call."""
    if len(calls) != 1 or not calls[0].is_whole:
        return None
    return final_answer(calls[0].name, calls[0].written, tools)


def final_answer(name: str, arguments: str, tools: Tools) -> str | None:
    """The text of a call by a name that only ends a conversation; None for any other."""
    if spelled(name) not in NAMES or name in tools:
        return None
    given = read_arguments(arguments)
    if given.problem:
        return None
    text = given.value if isinstance(given.value, str) else _only_text(given.named)
    return text.strip() or None if text else None


def _only_text(given: JsonObject) -> str | None:
    texts = [str(value) for value in given.values() if isinstance(value, str | int | float)]
    return texts[0] if len(texts) == 1 else None
