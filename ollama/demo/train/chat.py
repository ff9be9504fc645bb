"""A client for the served model: the conversations of an agent, and what came back."""

import json
import random
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from train.vocabulary import SNIPPETS

Message = dict[str, Any]
_TIMEOUT_S: Final = 120


def _tool(name: str, argument: str) -> dict[str, Any]:
    properties = {argument: {"type": "string"}, "timeout_s": {"type": "integer"}}
    parameters = {"type": "object", "properties": properties, "required": [argument]}
    function = {"name": name, "description": f"Runs {name}.", "parameters": parameters}
    return {"type": "function", "function": function}


_PYTHON: Final = _tool("exec_python", "code")
_OTHERS: Final = [
    _tool("exec_shell", "cmd"),
    _tool("research_echo", "query"),
    _tool("compress_runs", "s"),
]
_LANGUAGES: Final = [_tool(f"exec_{name}", "code") for name in ("go", "rust", "node")]
_TOOL_LISTS: Final = ([_PYTHON], [_PYTHON, *_OTHERS], [*_OTHERS, _PYTHON, *_LANGUAGES])
_SYSTEM: Final = "You are a careful agent.\nRun code with the tools; report what it printed."


@dataclass(frozen=True)
class Reply:
    """What the model answered: a program to run, or text."""

    code: str | None
    text: str

    def __str__(self) -> str:
        return repr(self.text if self.code is None else self.code)


def _code(message: Message) -> str | None:
    """Return the program, if the message is one call of exec_python and nothing else."""
    calls = message.get("tool_calls") or []
    if len(calls) != 1 or calls[0]["function"]["name"] != "exec_python":
        return None
    try:
        return str(json.loads(calls[0]["function"]["arguments"])["code"])
    except (ValueError, KeyError):
        return None


@dataclass(frozen=True)
class Conversation:
    """The messages and tools that an agent sends."""

    messages: tuple[Message, ...]
    tools: list[dict[str, Any]]

    @property
    def prompt(self) -> str:
        """Return what the user asked, as far as the model is shown it."""
        asked = next(str(m["content"]) for m in self.messages if m["role"] == "user")
        return asked.splitlines()[-1]

    def then_called(self, task: str, payload: str, result: str) -> "Conversation":
        """Return the conversation after the right call and its tool message."""
        arguments = json.dumps({"code": SNIPPETS[task].code(payload)})
        identity = f"call_{len(self.messages)}"
        function = {"name": "exec_python", "arguments": arguments}
        call = {"id": identity, "type": "function", "function": function}
        said = {"role": "assistant", "content": None, "tool_calls": [call]}
        heard = {"role": "tool", "tool_call_id": identity, "content": result}
        return Conversation((*self.messages, said, heard), self.tools)

    def ask(self, url: str) -> Reply:
        """Return the model's reply at temperature 0."""
        body = {"messages": self.messages, "tools": self.tools, "temperature": 0, "max_tokens": 200}
        request = urllib.request.Request(  # noqa: S310
            f"{url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            message = json.load(response)["choices"][0]["message"]
        return Reply(_code(message), message.get("content") or "")


def conversation(rng: random.Random, prompt: str) -> Conversation:
    """Return the start of a conversation, with any of the surroundings that agents use."""
    system = [{"role": "system", "content": _SYSTEM}] if rng.random() < 0.5 else []
    earlier = "Some context comes first.\nIt has two lines.\n" if rng.random() < 0.2 else ""
    user = {"role": "user", "content": earlier + prompt}
    return Conversation((*system, user), rng.choice(_TOOL_LISTS))
