"""The container's health check: requests `/healthz` of the shim on this machine."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

if __name__ == "__main__":
    port = os.environ.get("MINI_AGENT_SHIM_PORT", "8788")
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
    except OSError as silent:
        sys.exit(f"the shim does not answer on port {port}: {silent}")
