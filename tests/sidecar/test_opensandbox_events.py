"""What an execution is in OpenSandbox's events."""

from __future__ import annotations

import pytest

from codex_sidecar.api.opensandbox.events import (
    OpenSandboxEventFormat,
    build_results,
    describe_failure,
)
from mini_agent.sandbox import EnforcedLimits, Execution, Rich, SandboxFacts, Truncated
from tests.sidecar.test_opensandbox import OBJECT, events

LIMITS = EnforcedLimits(
    timeout_s=60, memory_mb=256, cpus=1, pids=128, output_bytes=100, workspace_mb=64
)


def ended(status: str, **more: object) -> Execution:
    told = {"language": "python", "status": status, "exit_code": 1, "limits": LIMITS} | more
    facts = SandboxFacts(image="image", runtime="runc")
    return Execution.model_validate(told | {"sandbox": facts})


def test_output_is_written_so_that_no_reader_of_lines_can_break_it() -> None:
    text = "a\u2028b\x85c\x1cd\né"
    told = OpenSandboxEventFormat(1).execution(ended("ok", exit_code=0, result_repr=text))
    assert told.isascii()
    assert events(told)[1]["results"] == {"text/plain": text}
    assert len(told.splitlines()) == 2 * told.count("data: ")


def test_what_was_cut_is_said_where_litellm_looks() -> None:
    cut = ended("ok", exit_code=0, stdout_bytes=5000, truncated=Truncated(stdout=True))
    first = events(OpenSandboxEventFormat(1).execution(cut))[0]
    assert first["text"] == "\n[cut: of 5000 bytes, 100 were kept]\n"


def test_a_second_figure_is_a_result_of_its_own() -> None:
    figure = Rich(media_type="image/png", base64="aaaa")
    table = Rich(media_type="text/html", text="<table>")
    whole = ended("ok", result_repr="<Figure>", rich=(table, figure, figure))
    first = {"text/plain": "<Figure>", "text/html": "<table>", "image/png": "aaaa"}
    assert build_results(whole) == [first, {"image/png": "aaaa"}]


TRACE = 'Traceback (most recent call last):\n  File "<cell 1>", line 1, in <module>\n'


@pytest.mark.parametrize(
    ("execution", "name", "value"),
    [
        (
            ended("nonzero", stderr=f"{TRACE}    x['a']\nKeyError: 'a'\n"),
            "KeyError",
            "KeyError: 'a'",
        ),
        (ended("nonzero", stderr=f"{TRACE}a.B: one\ntwo\n"), "a.B", "a.B: one\ntwo"),
        (ended("nonzero", stderr=f"{TRACE}AssertionError\n"), "AssertionError", "AssertionError"),
        (
            ended("nonzero", stderr='  File "<cell 1>", line 1\n    x = (\nSyntaxError: never\n'),
            "SyntaxError",
            "SyntaxError: never",
        ),
        (ended("nonzero", exit_code=3), "ExitCode", "the code ended with exit code 3"),
        (
            ended("nonzero", exit_code=3, language="bash", stderr="KeyError: no\n"),
            "ExitCode",
            "the code ended with exit code 3: KeyError: no",
        ),
        (ended("timeout"), "TimeLimit", "the code was cut off after 60 s"),
        (ended("oom"), "OutOfMemory", "the code needed more than the 256 MiB it may use"),
        (ended("killed", signal="SIGKILL"), "Killed", "the code was ended by SIGKILL"),
        (ended("compile_error", language="go", stderr="a.go:1"), "CompileError", "a.go:1"),
    ],
)
def test_a_failure_says_all_in_the_one_line_that_litellm_shows(
    execution: Execution, name: str, value: str
) -> None:
    assert describe_failure(execution) == (name, value)
    error = next(e for e in events(OpenSandboxEventFormat(1).execution(execution)) if "error" in e)
    assert OBJECT.validate_python(error["error"])["evalue"] == value
