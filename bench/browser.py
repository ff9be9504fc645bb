"""How soon a browser shows what is printed, and Stop stops it: `python -m bench.browser`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
from pydantic import TypeAdapter

from bench.cost import Cost, line, table
from bench.samples import Samples
from mini_agent.events import ToolOutputPiece
from mini_agent.model import ModelReply, ModelRequest
from mini_agent_shim.runs.schema import LogLine
from tests.docker.sidecar_process import Sidecar, sidecar
from tests.flow.leaving import sandboxes
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

TIMES_ADAPTER: Final = TypeAdapter(dict[str, float])
PRINT_COUNT: Final = 60
ROUNDS: Final = 3
WARM_UP: Final = 5
MAX_MS: Final = 50.0
STOPS: Final = 7
FLOODS: Final = 3
MAX_FLOOD_MS: Final = 200.0
MAX_STOP_MS: Final = 2000.0
TIMEOUT_S: Final = 60.0
# Each line is the time at which it is printed.
PROGRAM: Final = f"""import time
for _ in range({PRINT_COUNT + WARM_UP}):
    print(f"at {{time.time():.6f}}", flush=True)
    time.sleep(0.05)
"""
SLEEPING_PROGRAM: Final = "import time\nprint('asleep', flush=True)\ntime.sleep(600)"
# When each line was first on the page, by the same clock.
WATCH_SCRIPT: Final = """(() => {
  window.seen = {};
  const look = () => {
    const now = (performance.timeOrigin + performance.now()) / 1000;
    const text = document.querySelector(".stdout pre")?.textContent ?? "";
    for (const [, at] of text.matchAll(/^at ([\\d.]+)$/gm)) window.seen[at] ??= now;
  };
  const given = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.getElementById("main"), given);
})()"""

# The longest that the page does not listen while 11 MB are printed.
FLOOD_SCRIPT: Final = """(async () => {
  const { Output } = await import("/page/output.js");
  const output = new Output("stdout", "a test");
  document.querySelector("main").append(output.element);
  const piece = "0123456789 abcdefghij\\n".repeat(1000);
  let longest = 0;
  let before = performance.now();
  const watching = setInterval(() => {
    longest = Math.max(longest, performance.now() - before);
    before = performance.now();
  }, 0);
  for (let sent = 0; sent < 500; sent++) {
    output.add(piece);
    if (sent % 5 === 0) await new Promise((next) => setTimeout(next));
  }
  await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
  clearInterval(watching);
  return longest;
})()"""


class PrintingModel:
    """A model that has the program run, or one that sleeps, and answers."""

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Its turn."""
        ran = request.messages[-1]["role"] == "tool"
        prompts = [message["content"] for message in request.messages]
        program = SLEEPING_PROGRAM if SLEEPING_PROGRAM in prompts else PROGRAM
        return text_turn("Done.") if ran else calling_model("exec_python", program)


def main() -> int:
    """Prints a table, and the line of JSON last; 1 when the browser is too late."""
    shown = Samples("printed in a sandbox, until it is on the page")
    http_samples = Samples("the same, until a plain HTTP client has it")
    stopped = Samples("Stop is clicked, until the run's sandbox is gone and the page says so")
    poured = Samples("the longest step of the page while 11 MB are printed")
    with (
        TemporaryDirectory(prefix="bench-browser-") as folder,
        sidecar(Path(folder)) as real,
        shim(PrintingModel(), with_real(real)) as address,
        chromium() as browser,
        tab(browser) as page,
    ):
        page.goes_to(f"{address}/#/")
        page.sees("No runs yet.")
        page.js(WATCH_SCRIPT)
        for _ in range(ROUNDS):
            _run_round(address, page, shown, http_samples)
        for _ in range(FLOODS):
            page.goes_to(f"{address}/#/")
            page.sees("Runs")
            poured.taken.append(float(str(page.js(FLOOD_SCRIPT))))
        for _ in range(STOPS):
            stopped.taken.append(_measure_stop(address, page, real))
    costs = [
        Cost("page_ms", shown, "ms", MAX_MS),
        Cost("http_ms", http_samples, "ms"),
        Cost("pour_ms", poured, "ms", MAX_FLOOD_MS),
        Cost("stop_ms", stopped, "ms", MAX_STOP_MS),
    ]
    sys.stdout.write(f"{table(costs, 'an event')}\n\n{line(costs)}\n")
    return 0 if all(cost.is_met for cost in costs) else 1


# Both watch the same run, so that neither has a quieter machine.
def _run_round(address: str, page: Tab, shown: Samples, http_samples: Samples) -> None:
    run = start_run(address)
    with _record_events(address, run) as heard:
        page.js("window.seen = {}")
        page.goes_to(run_url(address, run))
        page.sees("The model gave its answer.", TIMEOUT_S)
    seen = TIMES_ADAPTER.validate_python(page.js("window.seen"))
    for at in list(heard)[WARM_UP:]:
        shown.taken.append((seen[at] - float(at)) * 1000)
        http_samples.taken.append((heard[at] - float(at)) * 1000)


def _measure_stop(address: str, page: Tab, real: Sidecar) -> float:
    page.goes_to(run_url(address, start_run(address, SLEEPING_PROGRAM)))
    page.waits_for("document.querySelector('.stdout pre').textContent === 'asleep\\n'")
    began = time.perf_counter()
    page.clicks("Stop")
    page.sees("It was stopped.", TIMEOUT_S)
    while sandboxes(real):
        time.sleep(0.01)
    return (time.perf_counter() - began) * 1000


@contextmanager
def _record_events(address: str, run: str) -> Iterator[dict[str, float]]:
    heard: dict[str, float] = {}

    def listen() -> None:
        with httpx.stream("GET", f"{address}/runs/{run}/events", trust_env=False) as answer:
            for text in answer.iter_lines():
                now = time.time()
                for at in _parse_times(text.partition("data: ")[2]):
                    heard.setdefault(at, now)

    listener = threading.Thread(target=listen)
    listener.start()
    yield heard
    listener.join(TIMEOUT_S)


def _parse_times(written: str) -> list[str]:
    if not written:
        return []
    event = LogLine.model_validate_json(written).event
    words = event.text.split() if isinstance(event, ToolOutputPiece) else []
    return [each for each in words if each != "at"]


if __name__ == "__main__":
    sys.exit(main())
