"""The static files of the page, and the headers that restrict what browsers do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC_FOLDER: Final = Path(__file__).with_name("static")
MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
# What runs print is hostile. The page makes no markup of it, and the policy would block it:
# only scripts of this folder are executed, and Trusted Types keep text from becoming markup.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Revalidated each time, mostly with a 304.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file with its media type and ETag."""

    content: bytes
    media_type: str
    etag: str

    async def respond(self, request: Request) -> Response:
        """Return the file, or 304 where the browser has it."""
        headers = {**HEADERS, "ETag": self.etag}
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


def load_page_files(folder: Path = STATIC_FOLDER) -> Mapping[str, PageFile]:
    """Read the page's files, by their URL paths; `/` is index.html."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    files = {f"/page/{path.relative_to(folder).as_posix()}": _read(path) for path in paths}
    return {"/": files.pop("/page/index.html"), **files}


def create_page_routes(files: Mapping[str, PageFile]) -> list[Route]:
    """Create a route for each file."""
    return [Route(path, file.respond, include_in_schema=False) for path, file in files.items()]


def _read(path: Path) -> PageFile:
    content = path.read_bytes()
    return PageFile(content, MEDIA_TYPES[path.suffix], f'"{sha256(content).hexdigest()[:32]}"')
