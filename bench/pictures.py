"""Pictures of the page, as docs/page.md has them: `python -m bench.pictures FOLDER`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from mini_agent.errors import ModelUnavailable
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.result import Usage
from tests.docker.sidecar_process import sidecar
from tests.shim.scripted import text_turn
from tests.shim.web.chromium import chromium
from tests.shim.web.shim_server import (
    calling_model,
    run_url,
    shim,
    start_run,
    with_real,
)
from tests.shim.web.tab import Tab, tab

MODEL_DELAY_S: Final = 0.6
SETTLE_S: Final = 1.0
TIMEOUT_S: Final = 90.0
MODEL: Final = "ollama/qwen2.5-coder:3b"
PROGRAM_WITHOUT_IMPORT: Final = """import numpy as np

t = np.linspace(0, 12, 600)  # seconds
x = np.exp(-0.25 * t) * np.cos(2.1 * t)
crossings = t[1:][np.diff(np.sign(x)) != 0]
for n, at in enumerate(crossings[:4], start=1):
    print(f"zero {n} at {at:.2f} s")
plt.figure(figsize=(6.4, 2.3))
plt.plot(t, x, color="#2b57c9")
plt.tight_layout()"""
PROGRAM: Final = f"import matplotlib.pyplot as plt\n{PROGRAM_WITHOUT_IMPORT}"
ANSWER: Final = """It crosses zero every **1.50 s**, and its amplitude halves in about 2.8 s:

- first at `0.76 s`, then at 2.26 s, 3.75 s and 5.25 s
- after 12 s a twentieth is left
"""
ENDLESS_PROGRAM: Final = """import time

for step in range(1, 500):
    print(f"step {step}: residual {2.0 ** -step:.3e}", flush=True)
    time.sleep(0.1)"""
Turn = Callable[[], ModelReply]


def _raise_unavailable() -> ModelReply:
    raise ModelUnavailable("the model server hung up", hint="is it running? `ollama serve`")


# What is asked, and what the model says to it, turn by turn.
SCRIPTS: Final[dict[str, Sequence[Turn]]] = {
    "Which primes lie between 90 and 100?": [lambda: text_turn("Only **97**.")],
    "Ask a model that has gone away.": [
        lambda: calling_model("exec_python", "print('as far as it came')"),
        _raise_unavailable,
    ],
    "When does a damped oscillation reach zero? Plot it.": [
        lambda: calling_model("exec_python", PROGRAM_WITHOUT_IMPORT),
        lambda: calling_model("exec_python", PROGRAM),
        lambda: text_turn(ANSWER),
    ],
    "When does a damped oscillation cross zero? Plot it.": [
        lambda: calling_model("exec_python", PROGRAM),
        lambda: text_turn(ANSWER),
    ],
    "Halve a number five hundred times, and print each.": [
        lambda: calling_model("exec_python", ENDLESS_PROGRAM)
    ],
}
FAILED, REPAIRED, DONE, LIVE = list(SCRIPTS)[1:]


class PictureModel:
    """A model that says what its story has next."""

    def __init__(self) -> None:
        self._ids = count(1)

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Its turn."""
        await asyncio.sleep(MODEL_DELAY_S)
        prompts = [message["content"] for message in request.messages]
        turns = next(turns for prompt, turns in SCRIPTS.items() if prompt in prompts)
        turn = turns[sum(message["role"] == "tool" for message in request.messages)]()
        named = tuple(replace(call, id=f"call_{next(self._ids)}") for call in turn.tool_calls)
        prompt = len(str(request.messages)) // 4
        usage = Usage(prompt_tokens=prompt, completion_tokens=80, cost=prompt * 1.5e-7)
        return replace(turn, tool_calls=named, usage=usage)


def main() -> int:
    """Takes them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="bench-pictures-") as place,
        sidecar(Path(place), warm='{"python": 2}') as real,
        shim(PictureModel(), with_real(real)) as address,
        chromium() as browser,
        tab(browser) as page,
    ):
        runs = {prompt: _start_run(address, prompt) for prompt in SCRIPTS}
        _take_pictures(page, folder, address, runs)
        httpx.post(f"{address}/runs/{runs[LIVE]}/cancel", trust_env=False)
    return 0


def _start_run(address: str, prompt: str) -> str:
    run = start_run(address, prompt, model=MODEL, max_wallclock_seconds=TIMEOUT_S)
    if prompt != LIVE:
        httpx.get(f"{address}/runs/{run}/events", trust_env=False, timeout=TIMEOUT_S)
    return run


def _take_pictures(page: Tab, folder: Path, address: str, runs: dict[str, str]) -> None:
    listed = f"{address}/#/"
    shots = (
        ("live", run_url(address, runs[LIVE]), "step 20", (1180, 800, "light")),
        ("failed", run_url(address, runs[FAILED]), "It failed", (1180, 800, "light")),
        ("page-run", run_url(address, runs[DONE]), "its answer.", (1180, 1310, "light")),
        ("dark", run_url(address, runs[DONE]), "its answer.", (1180, 1310, "dark")),
        ("repaired", run_url(address, runs[REPAIRED]), "its answer.", (1180, 1310, "light")),
        ("list", listed, LIVE, (1180, 560, "light")),
        ("page-list", listed, LIVE, (1180, 560, "dark")),
        ("narrow", run_url(address, runs[DONE]), "its answer.", (360, 740, "light")),
        ("narrow-list", listed, LIVE, (360, 740, "light")),
    )
    for name, where, seen, (width, height, scheme) in shots:
        page.looks(width=width, height=height, scheme=scheme)
        page.goes_to(where)
        page.sees(seen)
        time.sleep(SETTLE_S)
        page.picture(folder / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
