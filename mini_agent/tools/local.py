"""`LocalMCPInvoker`: run programs as child processes of this one, which is not a sandbox."""

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
    RejectedCall,
    note_unknown_arguments,
    parse_tool_call,
    read_program_argument,
    read_timeout,
)
from mini_agent.tools.catalog import EXEC_PYTHON, TEXT_TOOLS, build_shell_tool, run_text_tool
from mini_agent.tools.child_process import run_child
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, add_notes, error_output
from mini_agent.tools.languages import find_command_language, list_commands, resolve_languages
from mini_agent.tools.shell_parser import parse_line

PRINTING_WORDS: Final = (
    "print",
    "stdout",
    "stderr",
    "logging",
    "subprocess",
    "os.system",
    "display",
)
MAX_CODE_CHARS: Final = 100_000


def print_last_expression(code: str) -> str:
    """Add to `code` that its last expression is printed, unless it prints itself or has none."""
    if len(code) > MAX_CODE_CHARS or any(word in code for word in PRINTING_WORDS):
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


DEFAULT_COMMANDS: Final = ("echo", "python", "pip")
MAX_TIMEOUT_S: Final = 600.0
PROGRAM_FILE: Final = "main.py"
FILE_NOT_FOUND: Final = "No such file or directory"
PYTHON_COMMAND: Final = (sys.executable, "-I", "-u", "-X", "utf8", PROGRAM_FILE)


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
        shell_allow_prefixes: Sequence[str] = DEFAULT_COMMANDS,
        tool_timeout_sec: float = 10.0,
        *,
        languages: Iterable[str] | None = None,
    ) -> None:
        if isinstance(shell_allow_prefixes, str):
            raise BadRequest(
                f"shell_allow_prefixes must be a list, not the text {shell_allow_prefixes!r}",
                field="shell_allow_prefixes",
            )
        if not 0 < tool_timeout_sec <= MAX_TIMEOUT_S:
            raise BadRequest(
                f"tool_timeout_sec must be above 0 and at most {MAX_TIMEOUT_S:g}, "
                f"not {tool_timeout_sec!r}",
                field="tool_timeout_sec",
            )
        self._has_python = languages is None
        self._prefixes = tuple(prefix for prefix in shell_allow_prefixes if prefix.strip())
        self._timeout_s = tool_timeout_sec
        if languages is not None:
            self._narrow(languages)

    def _narrow(self, names: Iterable[str]) -> None:
        languages = resolve_languages(names)
        self._has_python = "python" in languages
        others = (each for each in self._prefixes if find_command_language(each.split()[0]) is None)
        self._prefixes = tuple(dict.fromkeys((*others, *list_commands(languages))))

    async def list_openai_tools(self) -> list[Tool]:
        """List exec_python, exec_shell and the text tools."""
        python = [EXEC_PYTHON] if self._has_python else []
        return [*python, build_shell_tool(self._rule), *TEXT_TOOLS]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Call one tool."""
        try:
            name, arguments = parse_tool_call(openai_tool)
            return run_text_tool(name, arguments) or await self._run(name, arguments)
        except RejectedCall as why:
            return error_output(str(why))

    @property
    def _rule(self) -> str:
        allowed = ", ".join(self._prefixes)
        return f"One plain command, no pipes. Allowed commands: {allowed}."

    async def _run(self, name: str, arguments: JsonObject) -> ToolOutput:
        if name == "exec_python" and self._has_python:
            program = print_last_expression(read_program_argument(arguments, "code"))
            with _temporary_folder(program) as folder:
                return await self._child(PYTHON_COMMAND, folder, arguments, "code")
        if name == "exec_shell":
            command = self._command(read_program_argument(arguments, "cmd"))
            with _temporary_folder() as folder:
                return await self._child(command, folder, arguments, "cmd")
        raise RejectedCall(f"there is no tool {name!r:.80} here")

    async def _child(
        self, command: Sequence[str], folder: Path, arguments: JsonObject, own: str
    ) -> ToolOutput:
        seconds = read_timeout(arguments, longest=MAX_TIMEOUT_S)
        output = await run_child(command, folder, seconds.value or self._timeout_s)
        # The folder has another name in every call; without it equal failures read the same.
        output = replace(output, stderr=output.stderr.replace(f"{folder}/", ""))
        there = _list_folder(folder) if not output.ok and FILE_NOT_FOUND in output.stderr else ""
        return add_notes(
            output, seconds.note, note_unknown_arguments(arguments, (own, "timeout_s")), there
        )

    def _command(self, line: str) -> list[str]:
        parsed = parse_line(line.strip())
        if parsed.unreadable:
            raise RejectedCall(f"this line is not run, because {parsed.unreadable}. {self._rule}")
        if not parsed.plain:
            raise RejectedCall(f"there is no shell here to read this line. {self._rule}")
        words = parsed.commands[0].texts
        if not any(words[: len(prefix)] == prefix for prefix in self._split_prefixes()):
            raise RejectedCall(f"the command {words[0]!r:.80} is not allowed. {self._rule}")
        return _resolve_command(words)

    def _split_prefixes(self) -> list[tuple[str, ...]]:
        return [tuple(prefix.split()) for prefix in self._prefixes]


@contextmanager
def _temporary_folder(program: str = "") -> Iterator[Path]:
    with TemporaryDirectory(prefix="mini-agent-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if program:
            (folder / PROGRAM_FILE).write_text(program, encoding="utf-8", errors="replace")
        yield folder


def _list_folder(folder: Path) -> str:
    names = sorted(each.name for each in folder.iterdir())[:20]
    return f"each call starts in a folder of its own, which held: {', '.join(names) or 'nothing'}"


def _resolve_command(words: tuple[str, ...]) -> list[str]:
    if "\0" in "".join(words):
        raise RejectedCall("the line holds a NUL character")
    beside_python = str(Path(sys.executable).parent)
    if shutil.which(words[0], path=beside_python) or shutil.which(words[0]):
        return list(words)
    if words[0] in ("python", "python3"):
        return [sys.executable, *words[1:]]
    if words[0] == "pip":
        return [sys.executable, "-m", "pip", *words[1:]]
    raise RejectedCall(f"the command {words[0]!r:.80} is not installed on this machine")
