"""Tools whose programs run as child processes of this one, which is not a sandbox.

A program's last expression shown, as a notebook shows it, where the program prints nothing.
"""

from __future__ import annotations

import ast
import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import (
    NotRun,
    called,
    program_in,
    seconds_in,
    unknown_in,
)
from mini_agent.tools.catalog import EXEC_PYTHON, TEXT_TOOLS, exec_shell, text_tool_output
from mini_agent.tools.child_process import run_child
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, refused, remarked
from mini_agent.tools.languages import allowed_languages, commands_of, language_of
from mini_agent.tools.shell_parser import parse_line

SHOWS: Final = ("print", "stdout", "stderr", "logging", "subprocess", "os.system", "display")
LONGEST: Final = 100_000


def with_last_expression(code: str) -> str:
    """`code` with its last expression shown; unchanged where it ends otherwise or prints itself."""
    if len(code) > LONGEST or any(word in code for word in SHOWS):
        return code
    last = _last_statement(code)
    if not isinstance(last, ast.Expr) or isinstance(last.value, ast.Constant | ast.Yield):
        return code
    lines = code.encode().split(b"\n")
    before = [*lines[: last.lineno - 1], lines[last.lineno - 1][: last.col_offset]]
    expression = ast.get_source_segment(code, last.value)
    begun = b"\n".join(before).decode()
    return f'{begun}__import__("sys").displayhook(\n{expression}\n)\n'


def _last_statement(code: str) -> ast.stmt | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            body = ast.parse(code).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return body[-1] if body else None


USUAL_COMMANDS: Final = ("echo", "python", "pip")
LONGEST_S: Final = 600.0
PROGRAM: Final = "main.py"
FILE_MISSING: Final = "No such file or directory"
PYTHON: Final = (sys.executable, "-I", "-u", "-X", "utf8", PROGRAM)


class LocalMCPInvoker:
    """Not a sandbox: programs run on this machine, with everything this user may do.

    What is there against accidents: each program gets a time limit, after which it and all its
    children are killed, a memory and file size limit, an empty working folder that is removed
    afterwards, and none of this process's environment variables but HOME, PATH and the locale.

    `shell_allow_prefixes` are the commands (or their first words, "python -m pytest") that
    `exec_shell` takes; no shell reads the line. With `languages`, only those languages' programs
    and commands are allowed. `tool_timeout_sec` holds where a call gives no `timeout_s`.
    """

    def __init__(
        self,
        shell_allow_prefixes: Sequence[str] = USUAL_COMMANDS,
        tool_timeout_sec: float = 10.0,
        *,
        languages: Iterable[str] | None = None,
    ) -> None:
        if isinstance(shell_allow_prefixes, str):
            raise BadRequest(
                f"shell_allow_prefixes must be a list, not the text {shell_allow_prefixes!r}",
                field="shell_allow_prefixes",
            )
        if not 0 < tool_timeout_sec <= LONGEST_S:
            raise BadRequest(
                f"tool_timeout_sec must be above 0 and at most {LONGEST_S:g}, "
                f"not {tool_timeout_sec!r}",
                field="tool_timeout_sec",
            )
        self._has_python = languages is None
        self._prefixes = tuple(prefix for prefix in shell_allow_prefixes if prefix.strip())
        self._timeout_s = tool_timeout_sec
        if languages is not None:
            self._narrow(languages)

    def _narrow(self, names: Iterable[str]) -> None:
        languages = allowed_languages(names)
        self._has_python = "python" in languages
        others = (each for each in self._prefixes if language_of(each.split()[0]) is None)
        self._prefixes = tuple(dict.fromkeys((*others, *commands_of(languages))))

    async def list_openai_tools(self) -> list[Tool]:
        """exec_python, exec_shell and the text tools."""
        python = [EXEC_PYTHON] if self._has_python else []
        return [*python, exec_shell(self._rule), *TEXT_TOOLS]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """What came of one call."""
        try:
            name, arguments = called(openai_tool)
            return text_tool_output(name, arguments) or await self._run(name, arguments)
        except NotRun as why:
            return refused(str(why))

    @property
    def _rule(self) -> str:
        allowed = ", ".join(self._prefixes)
        return f"One plain command, no pipes. Allowed commands: {allowed}."

    async def _run(self, name: str, arguments: JsonObject) -> ToolOutput:
        if name == "exec_python" and self._has_python:
            program = with_last_expression(program_in(arguments, "code"))
            with _folder(program) as folder:
                return await self._child(PYTHON, folder, arguments, "code")
        if name == "exec_shell":
            command = self._command(program_in(arguments, "cmd"))
            with _folder() as folder:
                return await self._child(command, folder, arguments, "cmd")
        raise NotRun(f"there is no tool {name!r:.80} here")

    async def _child(
        self, command: Sequence[str], folder: Path, arguments: JsonObject, own: str
    ) -> ToolOutput:
        seconds = seconds_in(arguments, longest=LONGEST_S)
        output = await run_child(command, folder, seconds.value or self._timeout_s)
        # The folder has another name in every call; without it equal failures read the same.
        output = replace(output, stderr=output.stderr.replace(f"{folder}/", ""))
        there = _what_is_in(folder) if not output.ok and FILE_MISSING in output.stderr else ""
        return remarked(output, seconds.note, unknown_in(arguments, (own, "timeout_s")), there)

    def _command(self, line: str) -> list[str]:
        parsed = parse_line(line.strip())
        if parsed.unreadable:
            raise NotRun(f"this line is not run, because {parsed.unreadable}. {self._rule}")
        if not parsed.plain:
            raise NotRun(f"there is no shell here to read this line. {self._rule}")
        words = parsed.commands[0].texts
        if not any(words[: len(prefix)] == prefix for prefix in self._split_prefixes()):
            raise NotRun(f"the command {words[0]!r:.80} is not allowed. {self._rule}")
        return _on_this_machine(words)

    def _split_prefixes(self) -> list[tuple[str, ...]]:
        return [tuple(prefix.split()) for prefix in self._prefixes]


@contextmanager
def _folder(program: str = "") -> Iterator[Path]:
    with TemporaryDirectory(prefix="mini-agent-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if program:
            (folder / PROGRAM).write_text(program, encoding="utf-8", errors="replace")
        yield folder


def _what_is_in(folder: Path) -> str:
    names = sorted(each.name for each in folder.iterdir())[:20]
    return f"each call starts in a folder of its own, which held: {', '.join(names) or 'nothing'}"


def _on_this_machine(words: tuple[str, ...]) -> list[str]:
    if "\0" in "".join(words):
        raise NotRun("the line holds a NUL character")
    beside_python = str(Path(sys.executable).parent)
    if shutil.which(words[0], path=beside_python) or shutil.which(words[0]):
        return list(words)
    if words[0] in ("python", "python3"):
        return [sys.executable, *words[1:]]
    if words[0] == "pip":
        return [sys.executable, "-m", "pip", *words[1:]]
    raise NotRun(f"the command {words[0]!r:.80} is not installed on this machine")
