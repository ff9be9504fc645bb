"""LiteLLM's own OpenSandbox client, over real containers."""

from __future__ import annotations

import time
from typing import Protocol

import pytest

from mini_agent.models.litellm_runtime import import_litellm
from tests.docker.sidecar_process import Sidecar
from tests.sidecar.opensandbox.conftest import none_left

pytestmark = pytest.mark.docker

PROVIDER = "opensandbox"
RUNS = """
from itertools import groupby
print("".join(f"{letter}{len(list(run))}" for letter, run in groupby("aaabbc")))
"""


class Result(Protocol):
    """What LiteLLM makes of an execution."""

    stdout: str
    stderr: str
    results: list[dict[str, str]]
    error: dict[str, str] | None
    execution_count: int | None


async def once(told: dict[str, str], code: str) -> Result:
    result: Result = await import_litellm().acode_interpreter_tool(PROVIDER, code, **told)
    return result


async def test_a_call_makes_a_sandbox_runs_the_code_and_leaves_nothing(
    real: Sidecar, told: dict[str, str]
) -> None:
    ran = await once(told, RUNS)
    assert (ran.stdout, ran.error, ran.execution_count) == ("a3b2c1\n", None, 1)
    await none_left(real)


async def test_variables_files_and_values_stay_from_call_to_call(told: dict[str, str]) -> None:
    litellm = import_litellm()
    sandbox = await litellm.acreate_sandbox(PROVIDER, **told)
    first = "import os\nn = 6\nprint(len(open('f', 'w').write('x' * n) * '.'))"
    assert (await litellm.arun_code(PROVIDER, sandbox, first)).stdout == "6\n"
    ran = await litellm.arun_code(PROVIDER, sandbox, "open('f').read() + str(n * 7)")
    assert ran.results == [{"text/plain": "'xxxxxx42'"}]
    shell = await litellm.arun_code(PROVIDER, sandbox, "wc -c < f", language="bash")
    assert shell.stdout == "6\n"
    assert await litellm.adelete_sandbox(PROVIDER, sandbox, **told) is True
    assert await litellm.adelete_sandbox(PROVIDER, sandbox, **told) is False


async def test_a_sandbox_is_found_again_by_its_id(told: dict[str, str]) -> None:
    litellm = import_litellm()
    sandbox = await litellm.acreate_sandbox(PROVIDER, metadata={"a": "b"}, **told)
    ran = await litellm.arun_code(PROVIDER, sandbox.id, "print(1)", **told)
    assert ran.stdout == "1\n"
    assert await litellm.adelete_sandbox(PROVIDER, sandbox.id, **told) is True


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("print(1)\n{}['a']", "KeyError", "KeyError: 'a'"),
        ("x = (", "SyntaxError", "SyntaxError: '(' was never closed"),
        ("raise SystemExit(3)", "ExitCode", "the code ended with exit code 3"),
        ("b'x' * 10**9", "OutOfMemory", "the code needed more than the 288 MiB it may use"),
    ],
)
async def test_code_that_fails_is_an_error_in_words(
    told: dict[str, str], code: str, name: str, value: str
) -> None:
    error = (await once(told, code)).error
    assert error is not None
    assert (error["name"], error["value"]) == (name, value)


async def test_code_that_hangs_is_cut_off(told: dict[str, str]) -> None:
    litellm = import_litellm()
    sandbox = await litellm.acreate_sandbox(PROVIDER, timeout=2, **told)
    began = time.monotonic()
    ran = await litellm.arun_code(PROVIDER, sandbox, "while True: pass")
    assert ran.error["value"] == "the code was cut off after 2 s"
    assert time.monotonic() - began < 40


async def test_text_that_looks_like_the_end_of_a_line_is_text(told: dict[str, str]) -> None:
    ran = await once(told, "print('a\\u2028b\\x85c', end='')")
    assert ran.stdout == "a\u2028b\x85c"


async def test_a_figure_is_a_result(told: dict[str, str]) -> None:
    ran = await once(told, "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
    assert [list(result) for result in ran.results] == [["image/png"]]


async def test_there_is_no_network_whatever_is_asked_for(told: dict[str, str]) -> None:
    code = "import socket\nsocket.create_connection(('1.1.1.1', 53), 2)"
    ran = await once(told, code)
    assert ran.error is not None
    assert ran.error["name"] == "OSError"


async def test_a_wrong_key_is_said(told: dict[str, str]) -> None:
    with pytest.raises(Exception, match="401"):
        await once(told | {"api_key": "wrong"}, "print(1)")


async def test_an_image_that_is_not_ours_is_refused(told: dict[str, str]) -> None:
    with pytest.raises(Exception, match="422"):
        await import_litellm().acreate_sandbox(PROVIDER, template="ubuntu", **told)
