"""What models and programs say may be hostile, or too much: the page shows it and stays well."""

from __future__ import annotations

from pathlib import Path

from mini_agent.sandbox import Rich
from tests.shim.scripted import ScriptedModel, ScriptedSidecar, text_turn
from tests.shim.web.shim_server import (
    calling_model,
    run_url,
    sandbox,
    shim,
    start_run,
)
from tests.shim.web.tab import Tab

SCRIPT = "<script>window.hacked = 1</script>"
PICTURE = "<img src=x onerror='window.hacked = 2'>"
FRAME = "<iframe srcdoc='<script>parent.hacked = 3</script>'></iframe><svg onload='hacked = 4'>"
MARKUP = f"{SCRIPT}{PICTURE}{FRAME}"
ANSWER = f"""# {MARKUP}

[click](javascript:window.hacked=5) [data](data:text/html,{SCRIPT}) ![pixel](https://evil.example/x.png)

| {SCRIPT} | b |
|---|---|
| {PICTURE} | **{FRAME}** |

```html
{MARKUP}
```

- {MARKUP}
"""
MEGABYTES = 10


def test_markup_that_is_printed_said_or_asked_is_only_letters(page: Tab) -> None:
    html = Rich(media_type="text/html", text=MARKUP)
    picture = Rich(
        media_type="image/svg+xml", text=f"<svg xmlns='http://www.w3.org/2000/svg'>{SCRIPT}</svg>"
    )
    model = ScriptedModel([calling_model("exec_python", MARKUP), text_turn(ANSWER)])
    there = ScriptedSidecar(prints=MARKUP, rich=(html, picture))
    with sandbox(there) as settings, shim(model, settings) as address:
        run = start_run(address, prompt=MARKUP)
        page.goes_to(run_url(address, run))
        page.sees("The model gave its answer.")
        assert page.js("document.querySelector('.stdout pre').textContent") == MARKUP
        assert page.js("document.querySelector('h1').textContent") == MARKUP[:120]
        page.goes_to(f"{address}/#/")
        page.sees(SCRIPT)
        page.goes_to(run_url(address, run))
        page.sees("The model gave its answer.")
    assert page.js("window.hacked") is None
    assert page.count("body script, iframe, main img, main svg") == 0
    assert page.count(".answer a[href]") == 1
    assert page.js("document.querySelector('.answer a').href") == "https://evil.example/x.png"


def test_terminal_escapes_and_reversed_text_are_taken_out(page: Tab) -> None:
    there = ScriptedSidecar(prints="\x1b[31mred\x1b[0m \x1b]0;title\x07plain \u202egnp.exe\r\n")
    model = ScriptedModel([calling_model("exec_python", "pass"), text_turn("ok")])
    with sandbox(there) as settings, shim(model, settings) as address:
        page.goes_to(run_url(address, start_run(address)))
        page.sees("The model gave its answer.")
    printed = page.js("document.querySelector('.stdout pre').textContent")
    assert printed == "red plain \ufffdgnp.exe\n"


def test_ten_megabytes_show_their_end_and_can_be_saved_whole(page: Tab, tmp_path: Path) -> None:
    line = "0123456789 " * 9 + "\n"
    printed = line * (MEGABYTES * 1_000_000 // len(line)) + "the very end\n"
    model = ScriptedModel([calling_model("exec_python", "pass"), text_turn("Much was printed.")])
    with sandbox(ScriptedSidecar(prints=printed)) as settings, shim(model, settings) as address:
        page.saves_in(tmp_path)
        page.goes_to(run_url(address, start_run(address)))
        page.sees("Much was printed.")
        page.sees("the end of 10.0 MB")
        page.sees("the very end")
        shown = page.js("document.querySelector('.stdout pre').textContent.length")
        assert isinstance(shown, int)
        assert shown <= 30_000
        page.clicks("Save all of it")
        assert page.saved(tmp_path, "stdout.txt").decode() == printed
