"""An MCP server on stdin and stdout that answers carelessly; the name of a call says how."""

from __future__ import annotations

import json
import sys
import time

GOOD: dict[str, object] = {"name": "good", "inputSchema": {"type": "object"}}
TOOLS: list[object] = [
    GOOD,
    {"name": "bad schema", "inputSchema": "x"},
    {"inputSchema": {"type": "object"}},
    7,
    {"name": "no_schema"},
    {"name": "null_schema", "inputSchema": None, "description": None},
    {"name": "typeless", "inputSchema": {"properties": {"a": {}}}, "annotations": "x"},
    {"name": "odd_output", "inputSchema": {"type": "object"}, "outputSchema": 3, "title": 4},
    {"name": "grow"},
    {"name": "said\ud83d", "inputSchema": {"type": "object"}},
]
LINES = {
    "cut": '{"jsonrpc": "2.0", "id": %d, "result": {"content": [',
    "quotes": '{"jsonrpc": "2.0", "result": {"content": [{"text": "a "b""}]}, "id": %d}',
    "no_id": '{"jsonrpc": "2.0", "result": {"content": [} %.0s',
    "surrogate": '{"jsonrpc": "2.0", "id": %d, "result": {"content": '
    '[{"type": "text", "text": "half \\ud83d, \\ud83d\\ude00, \\\\ud83d"}]}}',
    "mark": '\ufeff{"jsonrpc": "2.0", "id": %d, "result": {"content": []}}',
    "null": '{"jsonrpc": "2.0", "id": %d, "result": null}',
    "no_content": '{"jsonrpc": "2.0", "id": %d, "result": {"content": null}}',
    "noise": 'log: a\nlog: b\n\n{"jsonrpc": "2.0", "id": %d, "result": {"content": []}}',
}


def answer(request: dict[str, object]) -> str:
    """Return the lines that answer a request."""
    result: dict[str, object] = {}
    if request["method"] == "initialize":
        result = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {"listChanged": True}},
            "serverInfo": {"name": "careless", "version": "1"},
        }
    elif request["method"] == "tools/list":
        result = {"tools": TOOLS}
    elif request["method"] == "tools/call":
        params = request["params"]
        assert isinstance(params, dict)
        if params["name"] in LINES:
            return LINES[params["name"]] % request["id"]
        if params["name"] == "slow":
            time.sleep(1)
        if params["name"] == "grow":
            TOOLS.append({**GOOD, "name": "grown"})
            print('{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}', flush=True)
        result = {"content": [{"type": "text", "text": json.dumps(params["arguments"])}]}
    return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})


if __name__ == "__main__":
    for line in sys.stdin:
        read = json.loads(line)
        if "id" in read:
            sys.stdout.write(answer(read) + "\n")
            sys.stdout.flush()
