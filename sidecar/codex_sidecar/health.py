"""The health check of the sidecar's container: exits with 0 when the sidecar here is ready."""

from __future__ import annotations

import http.client
import os
from typing import Final

TIMEOUT_S: Final = 9.0


def main() -> None:
    """Ask once; the exit message says what is wrong."""
    port = int(os.environ.get("CODEX_SIDECAR_PORT", "8077"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    except OSError as error:
        raise SystemExit(f"the sidecar does not answer on port {port}: {error}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise SystemExit(body)


if __name__ == "__main__":
    main()
