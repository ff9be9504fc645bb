"""A tab of a driven Chromium, with storage of its own: what a person does in it, and sees."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from tests.shim.web.chromium import Line, Refused

TIMEOUT_S: Final = 40.0
POLL_INTERVAL_S: Final = 0.02
KEYS: Final = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    " ": (32, " "),
    "ArrowDown": (40, ""),
}
CLICKED: Final = "button:not(:disabled), a, summary"
DEVTOOLS_EVENTS: Final = (
    "Runtime.exceptionThrown",
    "Log.entryAdded",
    "Network.requestWillBeSent",
    "Network.loadingFinished",
    "Network.loadingFailed",
)
MAX_SHOWN_EVENTS: Final = 80
CONTROL: Final = 2
SHIFT: Final = 8


class Tab:
    """One page at a time."""

    def __init__(self, line: Line, session: str, context: JsonValue) -> None:
        self._line, self._session, self._context = line, session, context
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        # However many tabs there are, each takes what is typed into it.
        self.ask("Emulation.setFocusEmulationEnabled", enabled=True)

    def ask(self, method: str, **parameters: JsonValue) -> dict[str, JsonValue]:
        """A command of the DevTools protocol."""
        return self._line.ask(method, self._session, **parameters)

    def saves_in(self, folder: Path) -> None:
        """Where files go that are saved."""
        self._line.ask(
            "Browser.setDownloadBehavior",
            behavior="allow",
            downloadPath=str(folder),
            browserContextId=self._context,
        )

    def saved(self, folder: Path, name: str) -> bytes:
        """What is in a file, once it is there; while it comes it is called otherwise."""
        until = time.monotonic() + TIMEOUT_S
        while not (folder / name).exists():
            assert time.monotonic() < until, list(folder.iterdir())
            time.sleep(POLL_INTERVAL_S)
        return (folder / name).read_bytes()

    def looks(self, *, width: int = 1280, height: int = 860, scheme: str = "light") -> None:
        """The size of the window, and whether the person likes it dark."""
        size: dict[str, JsonValue] = {"width": width, "height": height}
        self.ask("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=False)
        liked: list[JsonValue] = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=liked)

    def goes_to(self, address: str) -> None:
        """Opens an address."""
        self.ask("Page.navigate", url=address)

    def js(self, expression: str) -> JsonValue:
        """The value of an expression in the page; a promise's, once it is there."""
        said = self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        result = said["result"]
        assert isinstance(result, dict)
        return result.get("value")

    def waits_for(self, expression: str, seconds: float = TIMEOUT_S) -> None:
        """Returns when an expression is true, or something."""
        until = time.monotonic() + seconds
        while not self._holds(expression):
            assert time.monotonic() < until, f"not seen: {expression}\n{self._told()}"
            time.sleep(POLL_INTERVAL_S)

    def _holds(self, expression: str) -> bool:
        try:
            return bool(self.js(f"(() => {{ try {{ return !!({expression}) }} catch {{}} }})()"))
        except Refused:
            # Of a page that is just being left nothing can be asked.
            return False

    def sees(self, text: str, seconds: float = TIMEOUT_S) -> None:
        """Returns when the text is on the page."""
        self.waits_for(f"document.body.innerText.includes({json.dumps(text)})", seconds)

    def text(self) -> str:
        """What is on the page."""
        return str(self.js("document.body?.innerText ?? ''"))

    def _told(self) -> str:
        """What there is to see, and to hear of, where something was expected and did not come."""
        happened = self._line.events.get(self._session, [])
        heard = [json.dumps(each)[:300] for each in happened if each["method"] in DEVTOOLS_EVENTS]
        return "\n".join([self.text(), *heard[-MAX_SHOWN_EVENTS:]])

    def count(self, selector: str) -> int:
        """How many elements there are of a kind."""
        counted = self.js(f"document.querySelectorAll({json.dumps(selector)}).length")
        assert isinstance(counted, int)
        return counted

    def clicks(self, words: str) -> None:
        """Clicks the button, link or summary with these words, once it is there."""
        named = f"each.offsetParent && each.innerText.trim() === {json.dumps(words)}"
        found = f"[...document.querySelectorAll({json.dumps(CLICKED)})].find(each => {named})"
        self.waits_for(f"(() => {{ const found = {found}; found?.click(); return !!found }})()")

    def presses(self, key: str, modifiers: int = 0) -> None:
        """One key, down and up."""
        code, text = KEYS[key]
        stroke: dict[str, JsonValue] = {"key": key, "windowsVirtualKeyCode": code}
        stroke["modifiers"] = modifiers
        typed: dict[str, JsonValue] = {"text": text} if text and not modifiers else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **stroke, **typed)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **stroke)

    def types(self, text: str) -> None:
        """Writes into what has the focus."""
        self.ask("Input.insertText", text=text)

    def tabs_to(self, words: str) -> None:
        """Presses Tab until what is so called has the focus."""
        seen: list[str] = []
        while words not in (name := self.focused()):
            assert len(seen) < 60, f"{words!r} is not reached with Tab: {seen}"
            seen.append(name)
            self.presses("Tab")

    def focused(self) -> str:
        """What has the focus, as it is called."""
        return str(
            self.js(
                "(() => { const it = document.activeElement; return it === document.body ? '' :"
                " it.getAttribute('aria-label')"
                " ?? it.labels?.[0]?.innerText ?? it.innerText ?? '' })()"
            )
        )

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """A screenshot as PNG."""
        said = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(str(said["data"])))

    def complaints(self) -> list[str]:
        """What the browser objected to: scripts that failed, what the policy forbids."""
        happened = self._line.events.get(self._session, [])
        wrong = ("Runtime.exceptionThrown", "Log.entryAdded")
        told = [json.dumps(each["params"])[:600] for each in happened if each["method"] in wrong]
        # Refused and broken connections are the page's to tell, and tests of their own see to it.
        return [each for each in told if '"source": "network"' not in each]


@contextmanager
def tab(line: Line) -> Iterator[Tab]:
    """A tab that shares nothing with others."""
    context = line.ask("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
    made = line.ask("Target.createTarget", url="about:blank", browserContextId=context)
    joined = line.ask("Target.attachToTarget", targetId=made["targetId"], flatten=True)
    opened = Tab(line, str(joined["sessionId"]), context)
    opened.looks()
    try:
        yield opened
    finally:
        line.ask("Target.disposeBrowserContext", browserContextId=context)
