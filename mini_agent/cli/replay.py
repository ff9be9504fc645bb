"""`mini-agent replay`: repeat a recorded run and print the differences."""

from __future__ import annotations

import asyncio
import difflib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import JsonValue, ValidationError

from mini_agent.agent.replay import (
    Bundle,
    Difference,
    ReplayReport,
    replay,
)
from mini_agent.agent.tool_backends import InvokerContext, ToolSources, open_tools
from mini_agent.errors import BadRequest
from mini_agent.net.terminal_text import escape_controls
from mini_agent.remote.schema import AgentRunRequest, Backend, split_tool_backend
from mini_agent.settings import Settings
from mini_agent.tools.sandbox_client import open_sandbox

LOCAL_BACKENDS: Final = ("echo", "local")
EXTERNAL_BACKENDS: Final = ("http", "mcp", "research")
MAX_LINE_CHARS: Final = 500


def replay_file(file: str, *, as_json: bool = False) -> int:
    """Repeat the run and print the differences; return 0 where there are none, else 1."""
    bundle = _read_bundle(file)
    done = asyncio.run(_replay(bundle, Settings()))
    print(done.model_dump_json() if as_json else "\n".join(_format_report(done)))
    return 1 if done.differences else 0


def _read_bundle(file: str) -> Bundle:
    try:
        said = sys.stdin.read() if file == "-" else Path(file).read_text()
        return Bundle.model_validate_json(said)
    except OSError as missing:
        raise BadRequest(f"{file} cannot be read: {missing.strerror}") from missing
    except (ValidationError, UnicodeDecodeError):
        raise BadRequest(
            f"{file} is no bundle of a run that this version knows",
            hint="curl -s http://127.0.0.1:8788/runs/ID/bundle writes one",
        ) from None


async def _replay(bundle: Bundle, settings: Settings) -> ReplayReport:
    async with _open_tools(bundle.parse_request(), settings) as tools:
        return await replay(bundle, tools)


def _open_tools(asked: AgentRunRequest, settings: Settings) -> InvokerContext:
    places = split_tool_backend(asked.tool_backend)
    foreign = [place for place in places if place in EXTERNAL_BACKENDS]
    if foreign:
        raise BadRequest(
            f"a run with tools of {' and '.join(foreign)} cannot be repeated: they may act twice"
        )
    here: list[Backend] = [place if place in LOCAL_BACKENDS else "sidecar" for place in places]
    return open_tools(
        here, ToolSources(asked, settings, lambda: open_sandbox(settings), _refuse_servers)
    )


def _refuse_servers(names: Sequence[str] | None) -> InvokerContext:
    raise AssertionError(names)


def _format_report(done: ReplayReport) -> Iterator[str]:
    for each in done.differences:
        yield f"call {each.call}: {each.field} is different"
        yield from _format_difference(each)
    calls = "1 call" if done.calls == 1 else f"{done.calls} calls"
    found = len(done.differences)
    yield f"run {done.run_id}: {calls}, " + (f"{found} different" if found else "all as recorded")


def _format_difference(each: Difference) -> Iterator[str]:
    before, after = _split_lines(each.recorded), _split_lines(each.replayed)
    compared = difflib.unified_diff(before, after, "recorded", "replayed", lineterm="", n=1)
    for line in compared:
        yield f"  {escape_controls(line)[:MAX_LINE_CHARS]}"


def _split_lines(value: JsonValue) -> list[str]:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return said.splitlines()
