"""`mini-agent replay`: a recorded run again, and what came out otherwise."""

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
from mini_agent.net.terminal_text import visible
from mini_agent.remote.schema import AgentRunRequest, Place, places_in
from mini_agent.settings import Settings
from mini_agent.tools.configured_sandbox import open_sandbox

HERE: Final = ("echo", "local")
FOREIGN: Final = ("http", "mcp", "research")
SHOWN_CHARS: Final = 500


def replay_file(file: str, *, as_json: bool = False) -> int:
    """Prints what is different; 0 where nothing is, else 1."""
    bundle = _bundle_in(file)
    done = asyncio.run(_replayed(bundle, Settings()))
    print(done.model_dump_json() if as_json else "\n".join(_told(done)))
    return 1 if done.differences else 0


def _bundle_in(file: str) -> Bundle:
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


async def _replayed(bundle: Bundle, settings: Settings) -> ReplayReport:
    async with _tools(bundle.parse_request(), settings) as tools:
        return await replay(bundle, tools)


def _tools(asked: AgentRunRequest, settings: Settings) -> InvokerContext:
    places = places_in(asked.tool_backend)
    foreign = [place for place in places if place in FOREIGN]
    if foreign:
        raise BadRequest(
            f"a run with tools of {' and '.join(foreign)} cannot be repeated: they may act twice"
        )
    here: list[Place] = [place if place in HERE else "sidecar" for place in places]
    return open_tools(here, ToolSources(asked, settings, lambda: open_sandbox(settings), _none_of_these))


def _none_of_these(names: Sequence[str] | None) -> InvokerContext:
    raise AssertionError(names)


def _told(done: ReplayReport) -> Iterator[str]:
    for each in done.differences:
        yield f"call {each.call}: {each.field} is different"
        yield from _lines(each)
    calls = "1 call" if done.calls == 1 else f"{done.calls} calls"
    found = len(done.differences)
    yield f"run {done.run_id}: {calls}, " + (f"{found} different" if found else "all as recorded")


def _lines(each: Difference) -> Iterator[str]:
    before, after = _text(each.recorded), _text(each.replayed)
    compared = difflib.unified_diff(before, after, "recorded", "replayed", lineterm="", n=1)
    for line in compared:
        yield f"  {visible(line)[:SHOWN_CHARS]}"


def _text(value: JsonValue) -> list[str]:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return said.splitlines()
