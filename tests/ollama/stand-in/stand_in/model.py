"""The model: like a small, well-behaved one it runs Python for a run-length task, and quotes."""

from __future__ import annotations

import re

from mini_agent.testing import Reply, call, text
from mini_agent.testing.replies import JsonObject

MAX_CALLS = 3
QUOTED = re.compile(r"\"([^\"]+)\"|`([^`]+)`|'(\w+)'")
LAST_LIST = re.compile(r":\s*([\w, ]+)\W*$")
PROGRAM = """\
from itertools import groupby
for text in {texts!r}:
    print("".join(f"{{char}}{{len(list(run))}}" for char, run in groupby(text)))
"""


def reply(messages: list[JsonObject]) -> Reply:
    """Calls exec_python on the strings of the last user message, then says what it printed."""
    asked_at = max((i for i, one in enumerate(messages) if one["role"] == "user"), default=0)
    observations = [str(one["content"]) for one in messages[asked_at:] if one["role"] == "tool"]
    if observations and _succeeded(observations[-1]):
        return text(f"The program printed:\n{_stdout(observations[-1])}")
    if len(observations) >= MAX_CALLS:
        return text(f"The program failed:\n{observations[-1]}")
    texts = strings_in(str(messages[asked_at].get("content", "")) if messages else "")
    if not texts:
        return text("Name the strings, in quotes, and they will be run-length encoded.")
    return call("exec_python", code=PROGRAM.format(texts=texts))


def strings_in(prompt: str) -> list[str]:
    """What is quoted, else the words after the last colon."""
    quoted = [next(filter(None, found)) for found in QUOTED.findall(prompt)]
    listed = LAST_LIST.search(prompt)
    words = re.findall(r"\w+", listed[1]) if listed else []
    return quoted or [word for word in words if word != "and"]


def _succeeded(observation: str) -> bool:
    return "rc=0]" in observation.partition("\n")[0]


def _stdout(observation: str) -> str:
    return observation.partition("stdout:\n")[2].partition("\nstderr:\n")[0] or observation
