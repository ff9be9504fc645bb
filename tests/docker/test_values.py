"""What a Python program's last expression was worth, and its figures, as the runner tells them."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.docker.runner_client import open_runner
from tests.docker.sidecar_process import execute

pytestmark = pytest.mark.docker

CLASS = "class Shown:\n    def {method}(self):\n        return {content}\nShown()"


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("x = 6\nx * 7", "42"),
        ("'text'", "'text'"),
        ("x = 6", None),
        ("print(1)", None),
        ("None", None),
        ("def f():\n    return 1\nf()", "1"),
        ("from __future__ import annotations\n1.5", "1.5"),
        ("if True:\n    7", None),
    ],
)
async def test_the_value_of_the_last_expression_is_told_and_not_printed(
    client: httpx.AsyncClient, code: str, value: str | None
) -> None:
    ran = await execute(client, "python", code)
    assert (ran.status, ran.result_repr) == ("ok", value)
    assert "42" not in ran.stdout


async def test_a_value_that_cannot_be_shown_is_no_failure(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "python", CLASS.format(method="__repr__", content="1 / 0"))
    assert (ran.status, ran.stderr) == ("ok", "")
    assert ran.result_repr == "<Shown object, whose repr raised ZeroDivisionError>"


async def test_a_value_is_cut_before_it_is_too_long(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "python", "'x' * 50_000_000")
    assert ran.result_repr is not None
    assert len(ran.result_repr) == 65_536


@pytest.mark.parametrize(
    ("method", "content", "media_type", "text"),
    [
        ("_repr_html_", "'<b>1</b>'", "text/html", "<b>1</b>"),
        ("_repr_json_", "{'a': 1}", "application/json", '{"a": 1}'),
        ("_repr_svg_", "'<svg/>'", "image/svg+xml", "<svg/>"),
    ],
)
async def test_a_value_shows_itself_as_it_can(
    client: httpx.AsyncClient, method: str, content: str, media_type: str, text: str
) -> None:
    ran = await execute(client, "python", CLASS.format(method=method, content=content))
    assert [(rich.media_type, rich.text) for rich in ran.rich] == [(media_type, text)]


async def test_an_image_of_a_value_is_told_in_base64(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "python", CLASS.format(method="_repr_png_", content="b'PNG'"))
    assert [(rich.media_type, rich.base64) for rich in ran.rich] == [("image/png", "UE5H")]


async def test_a_table_is_told_as_html_and_as_json(client: httpx.AsyncClient) -> None:
    code = "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', None]})"
    ran = await execute(client, "python", code)
    shown = {rich.media_type: rich.text or "" for rich in ran.rich}
    assert "<table" in shown["text/html"]
    assert shown["application/json"] == (
        '{"columns":["a","b"],"index":[0,1],"data":[[1,"x"],[2,null]]}'
    )


async def test_figures_left_open_come_as_images_and_closed_ones_do_not(
    client: httpx.AsyncClient,
) -> None:
    two = "p.figure().add_subplot()\n" * 2
    code = f"import matplotlib.pyplot as p\np.plot([1])\np.close()\n{two}x = 1"
    ran = await execute(client, "python", code)
    images = [base64.b64decode(rich.base64 or "") for rich in ran.rich]
    assert [image[:4] for image in images] == [b"\x89PNG"] * 2
    assert ran.result_repr is None


async def test_figures_come_even_of_a_program_that_failed(client: httpx.AsyncClient) -> None:
    code = "import matplotlib.pyplot as p\np.plot([1])\n1 / 0"
    ran = await execute(client, "python", code)
    assert ran.exit_code == 1
    assert [rich.media_type for rich in ran.rich] == ["image/png"]


async def test_more_figures_than_are_shown_are_told(client: httpx.AsyncClient) -> None:
    code = (
        "import matplotlib.pyplot as p\nfor _ in range(26): p.figure(figsize=(1, 1)).add_subplot()"
    )
    ran = await execute(client, "python", code, limits={"timeout_s": 60})
    assert len(ran.rich) == 24
    assert ran.rich_skipped == ("2 of 26 figures: more than 24, or too large",)


FIGURES = {
    "each show is a figure": ("p.plot([1])\np.show()\np.bar([1], [2])\np.show()", 2),
    "one in a loop each": ("for n in (1, 2, 3):\n    p.pie([n, 1])\n    p.show()", 3),
    "one show of two": ("p.plot([1])\np.figure()\np.plot([2])\np.show()", 2),
    "shown and left open": ("p.plot([1])\np.show()\np.plot([2])", 2),
    "closed, and the last value": ("f, a = p.subplots()\na.plot([1])\np.close(f)\nf", 1),
    "open, and the last value": ("f, a = p.subplots()\na.plot([1])\nf", 1),
    "not pyplot's": ("from matplotlib.figure import Figure\nf = Figure()\nf.subplots()\nf", 1),
    "an empty one": ("p.figure()", 0),
    "with a display's backend": ("p.switch_backend('TkAgg')\np.plot([1])\np.show()", 1),
    "of pandas": ("import pandas as d\nd.Series([1, 2]).plot()\np.show()\np.show()", 1),
}


@pytest.mark.parametrize("kind", FIGURES)
async def test_figures_are_shown_as_in_a_notebook(client: httpx.AsyncClient, kind: str) -> None:
    code, count = FIGURES[kind]
    code = f"import matplotlib.pyplot as p\n{code}"
    ran = await execute(client, "python", code, limits={"timeout_s": 60})
    assert (ran.stderr, [rich.media_type for rich in ran.rich]) == ("", ["image/png"] * count)


async def test_labels_that_lie_outside_of_a_figure_are_on_its_picture(
    client: httpx.AsyncClient,
) -> None:
    code = (
        "import matplotlib.pyplot as p\np.plot([1, 2])\n"
        "p.xticks([0, 1], ['a label that is far too long' * 2, 'b'], rotation=90)"
    )
    ran = await execute(client, "python", code)
    picture = base64.b64decode(ran.rich[0].base64 or "")
    assert int.from_bytes(picture[20:24], "big") > 600


async def test_a_value_is_shown_in_every_form_it_has(client: httpx.AsyncClient) -> None:
    code = (
        "class Both:\n    def _repr_markdown_(self): return '*x*'\n"
        "    def _repr_latex_(self): return '$x$'\nBoth()"
    )
    ran = await execute(client, "python", code)
    assert [rich.media_type for rich in ran.rich] == ["text/markdown", "text/latex"]
    code = (
        "class Bundle:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n"
        "        return {'text/html': '<i>', 'application/json': {'a': 1}, 'text/plain': 'i'}, {}\n"
        "Bundle()"
    )
    ran = await execute(client, "python", code)
    assert [(rich.media_type, rich.text) for rich in ran.rich] == [
        ("text/html", "<i>"),
        ("application/json", '{"a": 1}'),
    ]


async def test_what_a_program_writes_into_the_pipe_itself_is_bounded() -> None:
    code = (
        "import os\ntry:\n    for _ in range(200): os.write(1000, bytes(65536))\n"
        "except BrokenPipeError: print('refused')"
    )
    async with open_runner() as runner:
        heard = await runner.run(code)
    assert (heard.stdout, heard.values, heard.end.exit_code) == ("refused\n", b"", 0)


async def test_nothing_is_written_into_a_file_that_took_the_pipes_place() -> None:
    code = (
        "import os\nos.close(1000)\nfile = os.open('mine.txt', os.O_RDWR | os.O_CREAT)\n"
        "os.dup2(file, 1000)\n'value'"
    )
    async with open_runner() as runner:
        heard = await runner.run(code)
        assert (await runner.call("read", "mine.txt")).content == b""
    assert (heard.values, heard.end.exit_code) == (b"", 0)


async def test_a_forked_child_that_runs_to_the_end_tells_nothing() -> None:
    code = "import os\nif os.fork(): os.wait()\nos.getpid()"
    async with open_runner() as runner:
        heard = await runner.run(code)
    assert str(heard.value).isdigit()
