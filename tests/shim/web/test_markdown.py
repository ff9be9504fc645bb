"""Markdown, code and tables become elements, as they are meant; the log's messages are found."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from tests.shim.scripted import ScriptedModel
from tests.shim.web.chromium import Line
from tests.shim.web.shim_server import shim
from tests.shim.web.tab import Tab, tab


@pytest.fixture(scope="module")
def modules(browser: Line) -> Iterator[Tab]:
    """A tab that has the page's modules."""
    with shim(ScriptedModel([])) as address, tab(browser) as opened:
        opened.goes_to(f"{address}/#/")
        opened.sees("No runs yet.")
        yield opened


def made(modules: Tab, module: str, call: str, *given: JsonValue) -> JsonValue:
    """What a function of a module makes: an element's markup, or a value."""
    listed = ", ".join(json.dumps(each) for each in given)
    return modules.js(
        f"import('/page/{module}.js').then((it) => {{ const made = it.{call}({listed});"
        " return made instanceof Element ? made.outerHTML : made })"
    )


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        (
            "plain *one* **two** `three`",
            "<p>plain <em>one</em> <strong>two</strong> <code>three</code></p>",
        ),
        ("snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"),
        ("# Head #", "<h3>Head</h3>"),
        ("a\nb\n\nc", "<p>a\nb</p><p>c</p>"),
        ("- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("1. a\n   > b", "<ol><li>a<blockquote><p>b</p></blockquote></li></ol>"),
        ("![sun](data:x)", "<p><span>sun</span></p>"),
        ("a  \nb", "<p>a<br>b</p>"),
        ("> a\n> b", "<blockquote><p>a\nb</p></blockquote>"),
        ("---", "<hr>"),
        ("<b>a</b> &amp; \\*b\\*", "<p>&lt;b&gt;a&lt;/b&gt; &amp;amp; *b*</p>"),
        ("[a](javascript:alert(1))", "<p><span>a</span></p>"),
        ("[a](JaVaScRiPt:alert(1)) [b](//c)", "<p><span>a</span> <span>b</span></p>"),
        ("", ""),
        ("** ` [ ](", "<p>** ` [ ](</p>"),
    ],
)
def test_markdown_becomes_elements(modules: Tab, text: str, markup: str) -> None:
    assert made(modules, "markdown", "markdown", text) == f'<div class="prose">{markup}</div>'


def test_a_link_of_the_web_leads_out_and_tells_nobody_where_from(modules: Tab) -> None:
    link = str(made(modules, "markdown", "markdown", "see https://a.example/b_(c). Or not."))
    assert 'href="https://a.example/b_"' in link or 'href="https://a.example/b_(c)"' in link
    assert 'rel="noopener noreferrer nofollow"' in link
    assert 'target="_blank"' in link


def test_code_in_a_fence_is_coloured_and_an_open_fence_goes_to_the_end(modules: Tab) -> None:
    fenced = str(made(modules, "markdown", "markdown", "```py\nif x: # no\n  return 'a'"))
    assert '<span class="code-keyword">if</span>' in fenced
    assert '<span class="code-comment"># no</span>' in fenced
    assert "<span class=\"code-string\">'a'</span>" in fenced


def test_a_table_becomes_a_table(modules: Tab) -> None:
    table = str(made(modules, "markdown", "markdown", "| a | b |\n|:--|--:|\n| 1 | x \\| y |"))
    assert "<th>a</th><th>b</th>" in table
    assert "<td>1</td><td>x | y</td>" in table


@pytest.mark.parametrize(
    "text",
    [
        "*" * 9_000,
        "[" * 9_000,
        "**a " * 2_400,
        "`a" * 4_500,
        "> " * 4_500,
        "- " * 4_500 + "x",
        "  \n" * 9_000,
        "_a_" * 3_000 + "(" * 900,
        "|" * 9_000 + "\n|-" * 300,
    ],
)
def test_no_text_takes_long_to_read(modules: Tab, text: str) -> None:
    took = modules.js(
        "import('/page/markdown.js').then((it) => { const began = performance.now();"
        f" it.markdown({json.dumps(text)}); return performance.now() - began }})"
    )
    assert isinstance(took, int | float)
    assert took < 3000


@pytest.mark.parametrize(
    ("language", "code", "kinds"),
    [
        (
            "python",
            'def f(x):\n  """a # b"""\n  return 0x1F',
            ["keyword def", "call f", 'string """a # b"""', "keyword return", "number 0x1F"],
        ),
        (
            "bash",
            "for x in $HOME; do echo '# no' # yes",
            [
                "keyword for",
                "keyword in",
                "string $HOME",
                "keyword do",
                "keyword echo",
                "string '# no'",
                "comment # yes",
            ],
        ),
        ("js", "const a = `b\nc`; // d", ["keyword const", "string `b\nc`", "comment // d"]),
        ("go", 'func main() { s := "a" }', ["keyword func", "call main", 'string "a"']),
        (
            "rust",
            "fn f<'a>(x: &'a str) { let c = 'x'; }",
            ["keyword fn", "keyword str", "keyword let", "string 'x'"],
        ),
    ],
)
def test_code_is_coloured_and_stays_the_same_text(
    modules: Tab, language: str, code: str, kinds: list[str]
) -> None:
    seen = modules.js(
        "import('/page/highlight.js').then((it) => {"
        f" const made = it.highlighted({json.dumps(code)}, '{language}');"
        " const spans = [...made.children];"
        " const kinds = spans.map((each) => each.className.slice(5) + ' ' + each.textContent);"
        " return [made.textContent, ...kinds] })"
    )
    assert seen == [code, *kinds]


def test_a_table_of_pandas_is_drawn_from_its_json(modules: Tab) -> None:
    frame = {"columns": ["a", "b"], "index": ["x"], "data": [[1.5, None]]}
    table = str(made(modules, "left", "tableOf", json.dumps(frame)))
    assert '<th scope="row">x</th><td class="number">1.5</td><td>\u2013</td>' in table
    series = {"name": "s", "index": [0, 1], "data": [3, 4]}
    assert '<th scope="col">s</th>' in str(made(modules, "left", "tableOf", json.dumps(series)))
    assert made(modules, "left", "tableOf", '{"data": 3}') is None
    assert made(modules, "left", "tableOf", "<b>") is None


def test_messages_are_found_wherever_the_stream_is_cut(modules: Tab) -> None:
    first = 'retry: 1000\n\nid: 1\nevent: a\ndata: {"seq":1}\n\n'
    text = f'{first}: alive\n\nid: 2\nevent: b\ndata: {{"b": "x: y"}}\n\n'
    found = modules.js(
        "import('/page/stream.js').then((it) => { const seen = new Set();"
        f" const text = {json.dumps(text)};"
        " for (let size = 1; size <= text.length; size++) { const messages = new it.Messages();"
        " const all = []; for (let at = 0; at < text.length; at += size)"
        " all.push(...messages.in(text.slice(at, at + size))); seen.add(JSON.stringify(all)) }"
        " return [...seen].map(JSON.parse) })"
    )
    assert found == [['{"seq":1}', '{"b": "x: y"}']]


def test_a_run_of_long_ago_fills_the_bars_when_it_is_read_today(modules: Tab) -> None:
    told = [
        (1000.0, {"kind": "run_queued"}),
        (1001.0, {"kind": "run_started"}),
        (1001.0, {"kind": "model_asked", "iteration": 1}),
        (1003.0, {"kind": "model_replied"}),
        (1004.0, {"kind": "stopped"}),
    ]
    lines = json.dumps([{"at": at, "event": event} for at, event in told])
    seen = modules.js(
        "import('/page/waterfall.js').then(async (it) => { const made = new it.Waterfall();"
        f" for (const line of {lines}) {{ made.take(line); made.tick(Date.now() / 1000) }}"
        " await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));"
        " const bars = [...made.element.querySelectorAll('.bar')];"
        " return bars.map((bar) => [bar.style.marginInlineStart, bar.style.inlineSize]) })"
    )
    assert seen == [["0%", "25%"], ["25%", "50%"]]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0021, "2.1 ms"),
        (0.25, "250 ms"),
        (2.34, "2.3 s"),
        (42.2, "42 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_times_are_told_as_people_do(modules: Tab, seconds: float, words: str) -> None:
    assert made(modules, "words", "duration", seconds) == words


def test_a_request_becomes_a_line_for_a_shell(modules: Tab) -> None:
    asked: JsonValue = {"messages": [{"role": "user", "content": "it's"}], "background": True}
    line = str(made(modules, "request", "curlOf", asked, "http://127.0.0.1:8788"))
    assert line.startswith(
        "curl -s http://127.0.0.1:8788/agent/run -H 'Content-Type: application/json'"
    )
    assert """-d '{"messages":[{"role":"user","content":"it'\\''s"}]}'""" in line
