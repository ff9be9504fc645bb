"""What small models did when they were asked to write, run and quote `compress_runs`, as scripts.

The first nine are the ways in which qwen2.5-coder:3b and :14b ended an earlier loop without an
answer, or ran it into its client's time limit. Where a model would have gone on for ever, so does
its script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.testing import (
    Call,
    blank,
    call,
    calls,
    fenced_call,
    fenced_code,
    hang,
    json_call,
    reasoning_only,
    server_error,
    tagged_call,
    text,
    think,
    truncated_call,
)
from mini_agent.testing.replies import ScriptedReply

PROMPT: Final = (
    "Write a Python function compress_runs(s) that turns every run of a character into the "
    "character and how often it stands there, and the empty string into the empty string. Run it "
    "on 'aaabbc' and on 'aabbccddeeffgg', and answer with what it printed."
)
FIRST, SECOND = "a3b2c1", "a2b2c2d2e2f2g2"
DEFINES: Final = (
    "from itertools import groupby\n\n"
    "def compress_runs(s):\n"
    "    return ''.join(f'{c}{len(list(run))}' for c, run in groupby(s))\n"
)
PRINTS: Final = f"{DEFINES}\nfor s in ('aaabbc', 'aabbccddeeffgg'):\n    print(compress_runs(s))\n"
FAILS: Final = PRINTS.replace("from itertools import groupby\n", "")
FOR_EVER: Final = f"{PRINTS}while True:\n    pass\n"
ANSWER: Final = text(f"It printed {FIRST} and {SECOND}.")


@dataclass(frozen=True)
class Replay:
    """A model's turns; the last one is said for ever if `repeats`."""

    name: str
    turns: Sequence[ScriptedReply]
    repeats: bool = False

    def __str__(self) -> str:
        return self.name


RIGHT: Final = (
    Replay(
        "calls the tool compress_runs, for one string at a time",
        (call("compress_runs", s="aaabbc"), call("compress_runs", s="aabbccddeeffgg"), ANSWER),
    ),
    Replay(
        "calls the tool compress_runs twice in a turn",
        (
            calls(
                Call("compress_runs", {"s": "aaabbc"}),
                Call("compress_runs", {"s": "aabbccddeeffgg"}),
            ),
            ANSWER,
        ),
    ),
    Replay("gives the tool compress_runs a program", (call("compress_runs", code=PRINTS), ANSWER)),
    Replay("calls __main__ with a program", (call("__main__", code=PRINTS), ANSWER)),
    Replay(
        "calls __main__ without a program, then a tool that there is",
        (call("__main__"), call("exec_python", code=PRINTS), ANSWER),
    ),
    Replay(
        "defines the function and prints nothing, then prints",
        (call("exec_python", code=DEFINES), call("exec_python", code=PRINTS), ANSWER),
    ),
    Replay("puts the program under script", (call("exec_python", script=PRINTS), ANSWER)),
    Replay("writes a block of code for a call", (fenced_code(PRINTS), ANSWER)),
    Replay(
        "writes a block of code, then says nothing", (fenced_code(PRINTS), blank()), repeats=True
    ),
    Replay(
        "writes a block that fails, then says nothing, then mends it",
        (fenced_code(FAILS), blank(), fenced_code(PRINTS), ANSWER),
    ),
    Replay("writes its call as JSON", (json_call("exec_python", code=PRINTS), ANSWER)),
    Replay("writes its call as JSON in a fence", (fenced_call("exec_python", code=PRINTS), ANSWER)),
    Replay("writes its call in tags", (tagged_call("exec_python", code=PRINTS), ANSWER)),
    Replay("says nothing at first", (blank(), call("exec_python", code=PRINTS), ANSWER)),
    Replay(
        "answers in its thoughts alone, after the program ran",
        (call("exec_python", code=PRINTS), reasoning_only(f"So it is {FIRST} and {SECOND}.")),
        repeats=True,
    ),
    Replay(
        "thinks aloud before each turn",
        (
            think("I need a tool.", f"```python\n{PRINTS}\n```"),
            think("Two lines were printed.", f"It printed {FIRST} and {SECOND}."),
        ),
    ),
    Replay(
        "is cut off in its call, then makes it again",
        (truncated_call("exec_python"), call("exec_python", code=PRINTS), ANSWER),
    ),
    Replay(
        "makes its call over and over",
        (call("exec_python", code=PRINTS),),
        repeats=True,
    ),
    Replay(
        "fails with its server once",
        (server_error(), call("exec_python", code=PRINTS), ANSWER),
    ),
    Replay("hangs after the program ran", (call("exec_python", code=PRINTS), hang()), repeats=True),
    Replay(
        "writes a program that does not end, then one that does",
        (
            call("exec_python", code=FOR_EVER, timeout_s=1),
            call("exec_python", code=PRINTS),
            ANSWER,
        ),
    ),
)

HONEST: Final = (
    Replay("says nothing, ever", (blank(),), repeats=True),
    Replay("says {}, ever", (text("{}"),), repeats=True),
    Replay("calls __main__ without a program, ever", (call("__main__"),), repeats=True),
    Replay("defines the function, and never prints", (call("exec_python", code=DEFINES),), True),
    Replay("writes a block that fails, then says nothing", (fenced_code(FAILS), blank()), True),
    Replay("writes the same failing program, ever", (call("exec_python", code=FAILS),), True),
    Replay("never answers at all", (hang(),), repeats=True),
    Replay("is cut off in its call, ever", (truncated_call("exec_python"),), repeats=True),
    Replay("fails with its server, ever", (server_error(),), repeats=True),
)
