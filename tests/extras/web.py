"""A web of pictures on loopback, with certificates, that seems to lie at public addresses."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx

from mini_agent.agent.images.download import ImageDownloader
from mini_agent.coding.tools.page_fetcher import PublicPageFetcher

PUBLIC: Final = "93.184.215.14"
HOST: Final = "pictures.example"


@dataclass
class Page:
    """What is at a path: a body, or where else to look."""

    body: bytes = b""
    status: int = 200
    location: str = ""
    kind: str = ""
    after_s: float = 0.0


@dataclass
class Web:
    """Hosts by name, and the pages that all of them have; `reached` is who was connected to."""

    port: int
    trusted: ssl.SSLContext
    hosts: Mapping[str, Sequence[str]]
    reached: list[str] = field(default_factory=list)

    def download(self) -> ImageDownloader:
        """A download that looks names up here."""
        return ImageDownloader(resolve=self._resolve, connection=lambda: _Rerouted(self))

    def pages(self) -> PublicPageFetcher:
        """Pages of the hosts here."""
        return PublicPageFetcher(resolve=self._resolve, connection=lambda: _Rerouted(self))

    async def _resolve(self, host: str, port: int) -> Sequence[str]:
        del port
        if host not in self.hosts:
            raise OSError(f"unknown host {host}")
        return self.hosts[host]


class _Rerouted(httpx.AsyncBaseTransport):
    """Goes to the web on loopback, whatever address is asked for, and notes the address."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._inner = httpx.AsyncHTTPTransport(verify=web.trusted)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._web.reached.append(request.url.host)
        request.url = request.url.copy_with(host="127.0.0.1", port=self._web.port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def web_of(
    pages: Mapping[str, Page], folder: Path, hosts: Mapping[str, Sequence[str]]
) -> Iterator[Web]:
    """The web while the block runs; its certificate is for pictures.example alone."""
    certificate, key = _certificate(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _pages_of(pages))
    server.daemon_threads = True
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    server.socket = serving.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Web(server.server_port, ssl.create_default_context(cafile=str(certificate)), hosts)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _pages_of(pages: Mapping[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages[self.path]
            threading.Event().wait(page.after_s)
            self.send_response(page.status)
            if page.kind:
                self.send_header("Content-Type", page.kind)
            if page.location:
                self.send_header("Location", page.location)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Nothing."""

    return Pages


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run(
        ["openssl", "req", *made, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
        timeout=150,
    )
    return certificate, key
