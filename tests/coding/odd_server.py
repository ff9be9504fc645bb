"""An MCP server on stdin and stdout that answers one listing wrongly; its argument says how."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

GOOD = {"name": "good", "description": "d", "inputSchema": {"type": "object"}}
TOOLS: dict[str, object] = {
    "tools null": None,
    "tools number": 5,
    "tools missing": {},
    "tools text": {"tools": "x"},
    "tools of numbers": {"tools": [1]},
    "a schema that is text": {"tools": [{**GOOD, "inputSchema": "x"}]},
    "cursors in a circle": {"tools": [GOOD], "nextCursor": "a"},
    "a cursor that is a number": {"tools": [GOOD], "nextCursor": 5},
    "names": {"tools": [{**GOOD, "name": name} for name in ("my tool!", "", "x" * 99, "good")]},
}
TEMPLATES: dict[str, object] = {
    "templates null": None,
    "templates text": {"resourceTemplates": "x"},
    "templates missing": {},
    "templates in a circle": {"resourceTemplates": [], "nextCursor": "a"},
}
CAPABILITIES: dict[str, object] = {"tools": {}, "resources": {}, "prompts": {}}


def results(kind: str) -> Iterator[str]:
    """Yield the lines that answer standard input."""
    listings = 0
    for line in sys.stdin:
        request = json.loads(line)
        method = request.get("method")
        if kind == "prints":
            yield f"log: {method}"
        if "id" not in request:
            continue
        result: object = {}
        if method == "initialize":
            version = request["params"]["protocolVersion"]
            server = {"name": "odd", "version": "1"}
            result = {
                "protocolVersion": version,
                "capabilities": CAPABILITIES,
                "serverInfo": server,
            }
            result = None if kind == "start null" else result
        elif method == "tools/list":
            listings += 1
            result = TOOLS.get(kind, {"tools": [GOOD]})
            result = {"tools": 5} if kind == "second listing" and listings > 1 else result
        elif method == "resources/templates/list":
            result = TEMPLATES.get(kind, {"resourceTemplates": []})
        elif method == "tools/call":
            result = {"content": [{"type": "text", "text": "called"}]}
        yield json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})


if __name__ == "__main__":
    for answer in results(sys.argv[1]):
        print(answer, flush=True)
