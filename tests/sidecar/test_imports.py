"""What the service beside the engine's socket does without."""

from __future__ import annotations

import subprocess
import sys

IMPORTS_ALL = """
import importlib, pkgutil, sys
for missing in ("docker", "httpx", "litellm", "mcp"):
    sys.modules[missing] = None
import codex_sidecar
names = [each.name for each in pkgutil.walk_packages(codex_sidecar.__path__, "codex_sidecar.")]
for name in names:
    importlib.import_module(name)
print("codex_sidecar.app" in names)
"""


def test_no_file_of_the_sidecar_needs_an_http_client_docker_litellm_or_mcp() -> None:
    imported = subprocess.run(
        [sys.executable, "-c", IMPORTS_ALL],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (imported.stdout, imported.stderr) == ("True\n", "")
