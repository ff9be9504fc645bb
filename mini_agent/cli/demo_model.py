"""The demo model served inside this process by llama.cpp, for a machine without Docker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from mini_agent.errors import NotConfigured

NAME: Final = "llamafile/tiny-agent"
WEIGHTS: Final = "tiny-agent.gguf"


@contextmanager
def served_demo_model() -> Iterator[str]:
    """The base address (`http://127.0.0.1:PORT/v1`) of the demo model while the block runs.

    Raises `NotConfigured` when the extra `demo` (llama.cpp) or the weights are not installed.
    """
    weights = _weights()
    try:
        import xllamacpp as llama
    except ModuleNotFoundError:
        raise NotConfigured(
            "the demo model needs llama.cpp", hint="pip install 'mini-agent[demo]'"
        ) from None
    params = llama.CommonParams()
    params.model.path = str(weights)
    params.use_jinja = True
    params.n_ctx = 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.warmup = False
    # Kept prompts would take memory and save nothing: a prompt here takes milliseconds.
    params.cache_ram_mib = 0
    params.verbosity = -1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    server = llama.Server(params)
    # One that is told to end before it has begun never ends.
    httpx.get(f"{server.listening_address}/health", trust_env=False).raise_for_status()
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


def _weights() -> Path:
    here = Path(__file__).parent
    for folder in (here / "demo_weights", here.parent / "ollama" / "demo"):
        if (folder / WEIGHTS).is_file():
            return folder / WEIGHTS
    raise NotConfigured(f"the demo model's weights ({WEIGHTS}) are not in this installation")
