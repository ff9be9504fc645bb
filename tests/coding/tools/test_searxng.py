"""A search by a SearXNG server, here a stand-in on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from mini_agent.coding.tools.searxng import SearxngEngine
from mini_agent.tools.arguments import RejectedCall

RESULTS = [{"url": "https://a.example/", "title": "A", "content": "about a", "engine": "x"}]


@contextmanager
def searx(status: int) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            known = asked == {"q": ["two words"], "format": ["json"]}
            body = json.dumps({"results": RESULTS if known else []}).encode()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if status == 200 else b"<html>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_results_come_in_their_order() -> None:
    with searx(200) as address:
        (found,) = await SearxngEngine(address).search("two words")
    assert (found.title, found.url, found.text) == ("A", "https://a.example/", "about a")


@pytest.mark.parametrize(("status", "why"), [(403, "gives no JSON"), (500, "HTTP 500")])
async def test_a_server_that_does_not_search_is_named(status: int, why: str) -> None:
    with searx(status) as address, pytest.raises(RejectedCall, match=why):
        await SearxngEngine(address).search("two words")


async def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(RejectedCall, match="does not answer"):
        await SearxngEngine("http://127.0.0.1:9").search("two words")
