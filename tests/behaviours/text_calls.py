"""Calls written as text, in each vendor's form, among other words and by other names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Final

from mini_agent.testing import Reply, reasoning_only
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.formats import CALL_FORMATS, CONTEXTS, format_call
from tests.behaviours.programs import GO, LOOP, NODE, PRODUCT, RLE, SHELL, Program

PROGRAMS: Final = (RLE, LOOP, PRODUCT, SHELL, NODE, GO)
OTHER_NAMES: Final = (
    ("hermes", LOOP, "python", "code"),
    ("hermes", LOOP, "code_interpreter", "source"),
    ("hermes", SHELL, "bash", "command"),
    ("bare JSON", LOOP, "run_python", "script"),
    ("bare JSON", SHELL, "terminal", "command"),
    ("fenced JSON", LOOP, "execute_python_code", "python_code"),
    ("parameters", NODE, "javascript", "source"),
    ("mistral list", LOOP, "python_interpreter", "code"),
    ("llama python_tag with JSON", LOOP, "execute_code", "code"),
    ("harmony", LOOP, "python", "code"),
    ("deepseek r1", SHELL, "execute_bash", "command"),
    ("claude", SHELL, "bash", "command"),
    ("ReAct", LOOP, "python_repl", "query"),
    ("LangChain", LOOP, "Python_REPL", "input"),
    ("Gemini part", LOOP, "execute_code", "code"),
    ("glm-4.5", SHELL, "run_shell_command", "command"),
    ("functionary v3", LOOP, "python", "code"),
    ("phi-4 functools", LOOP, "run_code", "program"),
    ("granite", LOOP, "exec_code", "code"),
    ("OpenAI tool_calls", SHELL, "container.exec", "cmd"),
)


def behaviours() -> Iterator[Behaviour]:
    """Each form among the next words with the next program; some by another name as well."""
    for (form, template), around, program in zip(
        CALL_FORMATS.items(), cycle(CONTEXTS.items()), cycle(PROGRAMS), strict=False
    ):
        content = around[1].replace("{}", format_call(template, program))
        yield Behaviour("spoken", f"{form}, {around[0]}", (Reply(content),), program=program)
    for form, program, name, key in OTHER_NAMES:
        content = format_call(CALL_FORMATS[form], program, name, key)
        yield Behaviour("spoken", f"{form} by {name}", (Reply(content),), program=program)
    for form in ("hermes", "bare JSON", "mistral list", "harmony", "fenced JSON"):
        yield _in_reasoning(form, LOOP)


def _in_reasoning(form: str, program: Program) -> Behaviour:
    reply = reasoning_only(f"I need to run it.\n{format_call(CALL_FORMATS[form], program)}")
    return Behaviour("spoken", f"{form}, in the thoughts", (reply,), program=program)
