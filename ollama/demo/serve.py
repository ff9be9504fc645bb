#!/usr/bin/env python3
"""Serves one GGUF file over the OpenAI chat protocol, with llama.cpp inside this process."""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import xllamacpp

_HERE = Path(__file__).parent


def _options() -> argparse.Namespace:
    """Read each option from its argument, else from the environment, else from here."""
    parser = argparse.ArgumentParser(description=__doc__)
    env = os.environ.get
    parser.add_argument("--model", type=Path, default=env("MODEL_FILE", _HERE / "tiny-agent.gguf"))
    parser.add_argument("--host", default=env("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=env("PORT", "8080"))
    parser.add_argument("--context", type=int, default=env("CONTEXT", "4096"), help="per request")
    parser.add_argument("--parallel", type=int, default=env("PARALLEL", "2"), help="requests")
    parser.add_argument("--threads", type=int, default=env("THREADS", "1"))
    return parser.parse_args()


def _complaint(model: Path) -> str:
    """Return what is wrong with the model file, or nothing."""
    try:
        with model.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        return f"cannot read the model {model}: {error.strerror}"
    return "" if magic == b"GGUF" else f"the model {model} is not a GGUF file"


def _parameters(options: argparse.Namespace) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(options.model)
    params.model_alias = {options.model.stem}
    params.hostnames = [options.host]
    params.port = options.port
    params.n_parallel = options.parallel
    params.n_ctx = options.context * options.parallel
    params.kv_unified = False
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.use_jinja = True
    params.warmup = False
    params.ui = False
    params.fit_params = False
    # Kept prompts would take memory and save nothing: a prompt here takes milliseconds.
    params.cache_ram_mib = 0
    params.verbosity = 1
    return params


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # No clean-up: nothing is written, and llama.cpp's threads must not delay the end.
    os._exit(0)


def main() -> None:
    """Serve until the process is told to end."""
    options = _options()
    # Set before loading: as the first process of a container, Python would ignore SIGTERM.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    if complaint := _complaint(options.model):
        sys.exit(f"serve.py: {complaint}")
    try:
        server = xllamacpp.Server(_parameters(options))
    except (RuntimeError, ValueError) as error:
        sys.exit(f"serve.py: llama.cpp cannot serve {options.model}: {error}")
    print(f"serving {options.model.name} on {server.listening_address}", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
