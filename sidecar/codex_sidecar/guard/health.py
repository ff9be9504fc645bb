"""The health check of the guard's container: exits with 0 when guard and engine answer."""

from __future__ import annotations

import os
import socket
from typing import Final

TIMEOUT_S: Final = 9.0


def main() -> None:
    """Ask once; the exit message says what is wrong."""
    path = os.environ.get("CODEX_GUARD_SOCKET", "/run/engine/engine.sock")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(path)
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: guard\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        except OSError as error:
            raise SystemExit(f"the guard does not answer on {path}: {error}") from error
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(answer.decode(errors="replace"))


if __name__ == "__main__":
    main()
