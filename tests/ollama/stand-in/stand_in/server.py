"""`ollama serve`: the scripted server where the real one listens, remembering what was pulled."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from mini_agent.testing import Models, ScriptedServer
from stand_in.address import listening_address
from stand_in.model import reply

KNOWN = ("qwen2.5-coder:3b", "qwen2.5-coder:7b", "qwen2.5-coder:14b")


def serve() -> int:
    """Serves until it is told to stop."""
    folder = Path(os.environ.get("OLLAMA_MODELS", Path.home() / ".ollama" / "models"))
    models = Models(pulled=(), known=KNOWN, folder=folder, pull_every_s=0.2)
    host, port = listening_address(os.environ.get("OLLAMA_HOST", ""))
    stops = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    with ScriptedServer(reply, host=host, port=port, models=models) as server:
        print(f"Listening on {host}:{server.port}, models in {folder}", flush=True)
        signal.sigwait(stops)
    return 0
