"""The `ollama` command: serve, list, ps, show, pull; a client of the server but for `serve`."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

from stand_in.address import client_url
from stand_in.server import serve

CLEAR_LINE = "\x1b[2K\x1b[1G"
BAR = "\u2595\u2588\u2588\u2588\u258f"
SPINNER = "\u280b"


def main(arguments: list[str]) -> int:
    """Does what the command says; like the real one it ends 1 with `Error: ...` if it cannot."""
    try:
        return _run(arguments)
    except urllib.error.HTTPError as refused:
        return _fail(str(json.load(refused)["error"]))
    except urllib.error.URLError:
        return _fail("could not connect to ollama server, run 'ollama serve' to start it")


def _run(arguments: list[str]) -> int:
    match arguments:
        case [] | ["serve"]:
            return serve()
        case ["list" | "ls"]:
            return _table("/api/tags")
        case ["ps"]:
            return _table("/api/ps")
        case ["show", name]:
            print(*_post("/api/show", name))
            return 0
        case ["pull", name]:
            return _pull(name)
        case _:
            return _fail(f'unknown command {" ".join(arguments)!r} for "ollama"')


def _table(path: str) -> int:
    with urllib.request.urlopen(_url(path)) as answer:  # noqa: S310  OLLAMA_HOST, as given
        models = json.load(answer)["models"]
    print("NAME                ID              SIZE")
    for model in models:
        print(f"{model['name']:<20}{model['digest'][:12]:<16}{model['size'] // 1000} KB")
    return 0


def _pull(name: str) -> int:
    for line in map(json.loads, _post("/api/pull", name)):
        if "error" in line:
            sys.stderr.write("\n")
            return _fail(line["error"])
        sys.stderr.write(f"{CLEAR_LINE}{_shown(line)}")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return 0


def _shown(line: dict[str, str | int]) -> str:
    if "total" not in line:
        return f"{line['status']} {SPINNER} "
    arrived, total = int(line.get("completed", 0)), int(line["total"])
    return f"{line['status']}: {100 * arrived // total:3}% {BAR} {arrived} B/{total} B"


def _post(path: str, name: str) -> Iterator[str]:
    body = json.dumps({"model": name}).encode()
    request = urllib.request.Request(_url(path), data=body)  # noqa: S310  OLLAMA_HOST, as given
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        for line in answer:
            yield line.decode()


def _url(path: str) -> str:
    return client_url(os.environ.get("OLLAMA_HOST", "")) + path


def _fail(why: str) -> int:
    sys.stderr.write(f"Error: {why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
