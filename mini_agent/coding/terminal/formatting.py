"""Formats calls, results, reminders, diffs and earlier messages as lines of a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from mini_agent.coding.transcript.log import Block, Entry
from mini_agent.messages import JsonObject
from mini_agent.net.terminal_text import escape_controls
from mini_agent.result import ToolInvocation

MAX_RESULT_CHARS: Final = 120
MAX_ARGUMENT_CHARS: Final = 100
MAX_REMINDER_CHARS: Final = 400
KEY_ARGUMENTS: Final = (
    *("command", "file_path", "notebook_path", "pattern", "path", "url", "query"),
    *("bash_id", "description", "plan"),
)
COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}
MAX_RECENT_LINES: Final = 20
MAX_TEXT_CHARS: Final = 1000
REMINDER_TAG: Final = "<system-reminder>"


def format_call(name: str, arguments: JsonObject) -> str:
    """Format a call with its most telling argument."""
    values = [arguments[key] for key in KEY_ARGUMENTS if isinstance(arguments.get(key), str)]
    questions = arguments.get("questions")
    if isinstance(questions, list):
        values = [
            each["question"] for each in questions if isinstance(each, dict) and "question" in each
        ]
    argument = str(values[0]) if values else json.dumps(arguments, ensure_ascii=False)
    return f"{name}({shorten(argument, MAX_ARGUMENT_CHARS)})"


def format_result(call: ToolInvocation) -> Text:
    """Format a call and the beginning of its result."""
    formatted = Text("  >> ", style="dim")
    formatted.append(format_call(call.name, call.arguments), style="cyan")
    formatted.append(" -> " if call.ok else " failed: ", style="dim" if call.ok else "red")
    formatted.append(shorten(call.text, MAX_RESULT_CHARS), style="dim")
    return formatted


def format_added_reminder(call: ToolInvocation) -> Text | None:
    """Format the reminder at the end of a call's result; None without one."""
    result, separator, text = call.text.rpartition("\n\n<system-reminder>\n")
    if not separator or not text.endswith("\n</system-reminder>"):
        return None
    return format_reminder(f"{separator.strip()}\n{text}") if result else None


def format_reminder(text: str) -> Text:
    """Format a reminder that goes to the model."""
    whole = escape_controls(text)
    cut = f"{whole[:MAX_REMINDER_CHARS]}..." if len(whole) > MAX_REMINDER_CHARS else whole
    return Text(f"  >> {cut}", style="dim italic")


def format_diff(diff: str) -> Text:
    """Format a unified diff in colours."""
    formatted = Text()
    for line in escape_controls(diff).splitlines():
        formatted.append(f"  {line}\n", style=COLOURS.get(line[:1], "dim"))
    return formatted


def format_history(entries: Sequence[Entry]) -> list[Text]:
    """Format the last messages and calls: the user's after `>`, the model's after `<`."""
    texts = [text for entry in entries if not entry.is_meta for text in _format_entry(entry)]
    omitted = len(texts) - MAX_RECENT_LINES
    before = [Text(f"  ... {omitted} more before", style="dim")] if omitted > 0 else []
    return [*before, *texts[-MAX_RECENT_LINES:]]


def shorten(text: str, chars: int) -> str:
    """Join `text` to one line of at most `chars` characters."""
    line = " ".join(escape_controls(text).split())
    return line if len(line) <= chars else f"{line[:chars]}..."


def _format_entry(entry: Entry) -> Iterator[Text]:
    for block in entry.blocks:
        kind, words = block.get("type"), str(block.get("text") or "").strip()
        if kind == "tool_use":
            yield Text(f"  >> {_format_tool_use(block)}", style="dim")
        elif words and not words.startswith(REMINDER_TAG):
            mark = ">" if entry.type == "user" else "<"
            yield Text(f"{mark} {escape_controls(words[:MAX_TEXT_CHARS])}", style="dim")


def _format_tool_use(block: Block) -> str:
    tool_input = block.get("input")
    arguments: JsonObject = tool_input if isinstance(tool_input, dict) else {}
    return format_call(str(block.get("name")), arguments)
