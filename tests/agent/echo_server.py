"""A model that calls a tool and answers with its output, for many runs at a time.

Run as a program it serves until its standard input ends: what the server remembers of the requests
is then in another process's memory than the client.
"""

from __future__ import annotations

import sys

from mini_agent.testing import Reply, ScriptedServer, call, delayed, text
from mini_agent.testing.replies import DelayedReply, JsonObject

DELAY_S = 0.05


def answer(messages: list[JsonObject]) -> DelayedReply:
    """Calls the tool with the user's text, then answers with the tool's result."""
    last = messages[-1]
    said = str(last["content"])
    reply: Reply = call("echo", text=said) if last["role"] == "user" else text(f"It said {said}.")
    return delayed(reply, DELAY_S)


if __name__ == "__main__":
    with ScriptedServer(answer) as server:
        sys.stdout.write(f"{server.openai_url}\n")
        sys.stdout.flush()
        sys.stdin.read()
