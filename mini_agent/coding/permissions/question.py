"""Words the permission prompt for a call, and suggests the rule that would make it unnecessary."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.request import PermissionRequest
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.permissions.shell_commands import BLANKS, escape_line
from mini_agent.coding.permissions.shell_options import find_risky_words
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.coding_tool import FileEditTool
from mini_agent.coding.tools.text_file import is_folder, real_path
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.shell_parser import parse_line

# Programs whose second word says what they do.
SUBCOMMAND_PROGRAMS: Final = frozenset(
    {"apt", "brew", "bun", "cargo", "conda", "docker", "gh", "git", "go", "helm", "kubectl", "make"}
    | {"npm", "pip", "pnpm", "poetry", "terraform", "uv", "yarn"}
)
# Subcommands that may be followed by any command.
ARBITRARY_SUBCOMMANDS: Final = frozenset(
    {"run", "exec", "x", "dlx", "shell", "tool", "eval", "api", "alias", "config", "hook"}
    | {"submodule", "bisect", "rebase", "filter-branch", "difftool", "mergetool", "attach"}
    | {"debug", "plugin"}
)
SCRIPT_RUNNERS: Final = (("npm", "run"), ("pnpm", "run"), ("yarn", "run"), ("bun", "run"))
SUBCOMMAND: Final = re.compile(r"[a-z][a-z0-9:_-]*")
MAX_ARGUMENT_CHARS: Final = 300


def format_question(request: PermissionRequest) -> str:
    """Return the question, in one line."""
    if request.command is not None:
        return f"Run this command? {request.command}"
    if request.paths:
        names = ", ".join(str(path) for path in request.paths)
        where = (
            "" if all(map(request.context.contains, request.paths)) else " (outside the project)"
        )
        return f"{request.tool_name} {names}{where}?"
    if request.host:
        return f"Fetch a page of {request.host}? {request.arguments.get('url')}"
    written = json.dumps(request.arguments, ensure_ascii=False)
    return f"Call {request.tool_name} with {written:.{MAX_ARGUMENT_CHARS}}?"


def preview_change(request: PermissionRequest) -> Change | str:
    """Return the change, or why it cannot be made; empty for tools that edit no file."""
    if not isinstance(request.tool, FileEditTool):
        return ""
    try:
        return request.tool.propose_change(request.context)
    except (RejectedCall, OSError) as error:
        return f"(it will not be made: {error})"


def suggest_rule(request: PermissionRequest) -> Rule:
    """Return the narrowest rule that would allow calls like this one."""
    if request.command is not None:
        return Rule(request.tool_name, _command_spec(request.command))
    if request.paths:
        tool = "Edit" if request.changes_files else "Read"
        return Rule(tool, _path_spec(request.paths[0], request))
    return Rule(request.tool_name, f"domain:{request.host}" if request.host else "")


def _command_spec(line: str) -> str:
    parsed = parse_line(line.strip(BLANKS))
    words = parsed.commands[0].texts if parsed.plain else ()
    count = 3 if words[:2] in SCRIPT_RUNNERS else 2
    subcommands = words[1:count]
    if (
        len(words) < count
        or words[0] not in SUBCOMMAND_PROGRAMS
        or not all(map(SUBCOMMAND.fullmatch, subcommands))
        or subcommands[-1] in ARBITRARY_SUBCOMMANDS
        or find_risky_words(words)
    ):
        return escape_line(line)
    return f"{' '.join(words[:count])} *"


def _path_spec(path: Path, request: PermissionRequest) -> str:
    real, project = real_path(path), request.context.project
    spec = f"/{real.relative_to(project)}" if real.is_relative_to(project) else f"/{real}"
    escaped = re.sub(r"([*?\[{}])", r"[\1]", spec)
    return f"{escaped}/**" if is_folder(real) else escaped
