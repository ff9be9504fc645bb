"""Parse what an invoker returned into a `ToolOutput`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import JsonValue
from pydantic_core import from_json

from mini_agent.messages import parse_json_object, replace_surrogates
from mini_agent.tools.invoker import ToolOutput, error_output, text_output

MAX_DATA_CHARS: Final = 1000
MIN_RUN_CHARS: Final = 256


def add_data(output: ToolOutput, data: JsonValue) -> ToolOutput:
    """Add `data` to `output`: all of it where there is no text, else its beginning.

    Many tools give the same twice, as text and as data: then the text is enough.
    """
    if output.rc is None:
        return replace(output, error=f"{output.error}\n{_format_data(data)}")
    text = output.stdout.strip()
    if not text:
        return replace(output, stdout=to_json(data))
    if _repeats(text, data):
        return output
    return replace(output, stdout=f"{output.stdout}\n{_format_data(data)}")


def to_json(value: JsonValue) -> str:
    """Format a value as JSON, without escapes for letters."""
    return json.dumps(value, ensure_ascii=False)


def _repeats(text: str, data: JsonValue) -> bool:
    """Tell whether `text` says all of `data`: as it is, as JSON, or an item in each line."""
    only = next(iter(data.values())) if isinstance(data, dict) and len(data) == 1 else None
    if text == only or text in (_join_items(data), _join_items(only)):
        return True
    is_container = isinstance(data, dict | list) and bool(data)
    if is_container and (to_json(data) in text or _indent(data) in text):
        return True
    try:
        read: JsonValue = from_json(text)
    except ValueError:
        return False
    return read in (data, only)


def _indent(data: JsonValue) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


def _join_items(items: JsonValue) -> str | None:
    """The texts that servers send beside a list: one for each item."""
    if not isinstance(items, list):
        return None
    return "\n".join(each if isinstance(each, str) else to_json(each) for each in items)


def _format_data(data: JsonValue) -> str:
    return f"data: {keep_ends(to_json(data), MAX_DATA_CHARS)}"


def keep_ends(text: str, most: int) -> str:
    """Return `text`, or of a longer one than `most` characters its head and its tail."""
    if len(text) <= most:
        return text
    half = most // 2
    left_out = f"[... {len(text) - 2 * half} characters were left out ...]"
    return f"{text[:half]}\n{left_out}\n{text[-half:]}"


BASE64_RUN: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{256,}={0,2}(?![A-Za-z0-9+/=])")
# Fewer different characters are no encoded bytes, but a sequence or a filler.
MIN_BASE64_LETTERS: Final = 32


def leave_out_base64(data: JsonValue) -> JsonValue:
    """Return `data` without long runs of base64, in which no model can read."""
    if isinstance(data, str):
        return leave_out_base64_text(data)
    if isinstance(data, list):
        return [leave_out_base64(each) for each in data]
    if isinstance(data, dict):
        return {key: leave_out_base64(each) for key, each in data.items()}
    return data


def leave_out_base64_text(text: str) -> str:
    """Return `text` without long runs of base64."""
    return BASE64_RUN.sub(_describe_base64, text) if len(text) >= MIN_RUN_CHARS else text


def _describe_base64(run: re.Match[str]) -> str:
    encoded = run.group()
    is_padded = len(encoded) % 4 == 0
    if not is_padded or len(set(encoded)) < MIN_BASE64_LETTERS:
        return encoded
    return f"({len(encoded) * 3 // 4} bytes in base64 were left out)"


MAX_OUTPUT_CHARS: Final = 65_536
TEXT_FIELDS: Final = ("stdout", "text", "result", "answer")
OUTPUT_FIELDS: Final = frozenset({"ok", "rc", "stderr", "error", *TEXT_FIELDS})


def parse_output(answer: object) -> ToolOutput:
    """Parse what an invoker returned; of long text the head and the tail are kept.

    Text is what the tool printed, unless it is a JSON object that says how the call went.
    """
    if isinstance(answer, ToolOutput):
        return _truncate_streams(answer)
    if isinstance(answer, str):
        return _truncate_streams(_parse_text(answer))
    if isinstance(answer, dict):
        return _truncate_streams(_parse_fields(answer))
    return error_output(f"the tool answered with {type(answer).__name__}, not with text")


def _parse_text(text: str) -> ToolOutput:
    if not text.lstrip().startswith("{"):
        return text_output(text)
    try:
        said = parse_json_object(text)
    except ValueError:
        return text_output(text)
    return _parse_fields(said) if OUTPUT_FIELDS & said.keys() else text_output(text)


def _parse_fields(said: Mapping[str, JsonValue]) -> ToolOutput:
    error = _text(said.get("error"))
    rc = _integer(said.get("rc"))
    ok = said.get("ok", not error) is True and rc in (None, 0)
    stdout = next((_text(said[key]) for key in TEXT_FIELDS if _text(said.get(key))), "")
    stderr = _text(said.get("stderr"))
    if ok:
        return ToolOutput(ok=True, rc=0, stdout=stdout, stderr=stderr)
    if rc is None:
        return error_output(error or stderr or stdout or "the tool failed without saying why")
    return ToolOutput(ok=False, rc=rc, stdout=stdout, stderr=stderr or error, error=error or None)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _truncate_streams(output: ToolOutput) -> ToolOutput:
    cut = [name for name in ("stdout", "stderr") if len(getattr(output, name)) > MAX_OUTPUT_CHARS]
    note = (
        f"only {MAX_OUTPUT_CHARS} characters of {' and '.join(cut)} were kept, of both ends"
        if cut
        else ""
    )
    return replace(
        output,
        stdout=replace_surrogates(keep_ends(output.stdout, MAX_OUTPUT_CHARS)),
        stderr=replace_surrogates(keep_ends(output.stderr, MAX_OUTPUT_CHARS)),
        error=replace_surrogates(output.error[:MAX_OUTPUT_CHARS]) if output.error else output.error,
        model_text=replace_surrogates(output.model_text),
        note="; ".join(said for said in (output.note, note) if said),
    )
