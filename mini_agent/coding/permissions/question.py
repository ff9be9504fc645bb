"""The permission question for a call: its command or its Edit's diff, and the rule for "always"."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.request import PermissionRequest
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.permissions.shell_commands import escape_line
from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.coding_tool import FileEditTool
from mini_agent.coding.tools.text_file import is_folder, real_path
from mini_agent.tools.arguments import RejectedCall

MAX_ARGUMENT_CHARS: Final = 300


def format_question(request: PermissionRequest, limit: Rule | None = None) -> str:
    """Return the question, in one line; `limit` is a rule that may be about the call."""
    if request.command is not None:
        why = f"{describe_limit(limit)} " if limit else ""
        return f"{why}Run this command? {request.command}"
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


def describe_limit(limit: Rule) -> str:
    """Return why a rule may be about a command line that does not show it."""
    return f"The line does not show whether the rule {limit} is about it."


def preview_change(request: PermissionRequest) -> Change | str:
    """Return the change, or why it cannot be made; empty for tools that edit no file."""
    if not isinstance(request.tool, FileEditTool):
        return ""
    try:
        return request.tool.propose_change(request.context)
    except (RejectedCall, OSError) as error:
        return f"(it will not be made: {error})"


def suggest_rule(request: PermissionRequest) -> Rule:
    """Return the narrowest rule that would allow this call; of a command line, it alone.

    Who may list or search a folder may not read its files by that.
    """
    if request.command is not None:
        return Rule(request.tool_name, escape_line(request.command))
    if request.paths:
        tool = "Edit" if request.changes_files else request.tool_name
        return Rule(tool, _path_spec(request.paths[0], request))
    return Rule(request.tool_name, f"domain:{request.host}" if request.host else "")


def _path_spec(path: Path, request: PermissionRequest) -> str:
    real, project = real_path(path), request.context.project
    spec = f"/{real.relative_to(project)}" if real.is_relative_to(project) else f"/{real}"
    escaped = re.sub(r"([*?\[{}])", r"[\1]", spec)
    return f"{escaped}/**" if is_folder(real) else escaped
