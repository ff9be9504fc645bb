"""Models and servers with which there is no right answer: the run has to say so, in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mini_agent.testing import (
    Call,
    Reply,
    blank,
    call,
    calls,
    delayed,
    empty_choices,
    garbage,
    half_closed,
    hang,
    not_pulled,
    null_content,
    reasoning_only,
    refusal,
    server_error,
    text,
    think,
    truncated,
    truncated_call,
)
from tests.behaviours.behaviour import Behaviour, Turn
from tests.behaviours.programs import Program

SHORT_TIMEOUT_S: Final = 2.0
FAILS: Final = Program("exec_python", "print(undefined_name)", "")
NEVER_ENDS: Final = Program("exec_python", "while True:\n    pass", "")
FAILURES: Final = tuple(Program("exec_python", f"print(undefined_{n})", "") for n in range(10))
FOR_EVER: Final[dict[str, tuple[Turn, ...]]] = {
    "blank": (blank(),),
    "white space": (blank("  \n "),),
    "null": (null_content(),),
    "no choices": (empty_choices(),),
    "{}": (text("{}"),),
    "an empty thought": (think("", ""),),
    "a tag that opens": (text("<tool_call>"),),
    "500": (server_error(),),
    "503": (refusal(503, "server busy"),),
    "429": (refusal(429, "rate limit"),),
    "401": (refusal(401, "invalid api key"),),
    "404": (not_pulled("scripted"),),
    "400": (refusal(400, "this request cannot be"),),
    "a context that is too long": (
        refusal(400, "the request exceeds the available context size, try increasing it"),
    ),
    "an HTML page": (garbage(),),
    "a half-closed connection": (half_closed("The res"),),
    "an unknown tool": (call("frobnicate", x=1),),
    "200 unknown tools": (calls(*(Call("frobnicate", {"x": n}) for n in range(200))),),
    "no arguments": (call("exec_python"),),
    "broken arguments": (calls(Call("exec_python", '{"code": ')),),
    "a call that is cut": (truncated_call("exec_python"),),
    "a block that is cut": (truncated("```python\nfor i in range(10):\n    print("),),
    "a call in text that is cut": (truncated('<tool_call>{"name": "exec_python", "argum'),),
}
HONEST_ANSWERS: Final[dict[str, tuple[Turn, str]]] = {
    "a refusal": (text("I'm sorry, but I can't help with that."), "can't help"),
    "a question back": (text("Which string do you mean?"), "Which string"),
    "a lack of tools": (text("I have no way to run code here."), "no way to run"),
    "reasoning alone": (reasoning_only("I would need a tool for this."), "need a tool"),
}


def behaviours() -> Iterator[Behaviour]:
    """What goes on for ever, what hangs, and what fails each time it is run."""
    for name, turns in FOR_EVER.items():
        yield Behaviour("for ever", name, turns, kind="honest")
    for name, (turn, words) in HONEST_ANSWERS.items():
        yield Behaviour("for ever", name, (turn,), kind="honest", words=words)
    for name, turn in (("silence", hang()), ("an answer too late", delayed("42", 9.0))):
        yield Behaviour("for ever", name, (turn,), kind="honest", seconds=SHORT_TIMEOUT_S)
    same = call("exec_python", code=FAILS.code)
    yield Behaviour("for ever", "the same failure", (same,), also=(FAILS,), kind="honest")
    others = tuple(call("exec_python", code=each.code) for each in FAILURES)
    yield Behaviour("for ever", "new failures", others, also=FAILURES, kind="honest")
    endless = Reply(calls=(Call("exec_python", {"code": NEVER_ENDS.code}),))
    yield Behaviour(
        "for ever", "an endless program", (endless,), also=(NEVER_ENDS,), kind="honest", seconds=3.0
    )
