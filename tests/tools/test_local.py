"""Programs as child processes: what they print, what is allowed, and what they do not see."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent.errors import BadRequest
from mini_agent.tools.invoker import ToolOutput
from mini_agent.tools.local import LocalMCPInvoker


async def called(invoker: LocalMCPInvoker, name: str, **arguments: JsonValue) -> ToolOutput:
    function: JsonValue = {"name": name, "arguments": json.dumps(arguments)}
    return await invoker.call_openai_tool({"id": "1", "type": "function", "function": function})


async def ran(code: str) -> ToolOutput:
    return await called(LocalMCPInvoker(), "exec_python", code=code)


def siblings(folder: Path) -> list[Path]:
    return list(folder.parent.iterdir())


def test_the_first_thing_its_documentation_says_is_that_it_is_not_a_sandbox() -> None:
    assert (LocalMCPInvoker.__doc__ or "").startswith("Not a sandbox")


async def test_a_program_is_run_and_what_it_prints_comes_back() -> None:
    assert await ran("print('a3b2c1')") == ToolOutput(ok=True, rc=0, stdout="a3b2c1\n")


async def test_a_program_that_fails_comes_back_with_its_traceback() -> None:
    output = await ran("print('é')\nprint(1/0)")
    assert (output.ok, output.rc, output.stdout) == (False, 1, "é\n")
    assert 'File "main.py", line 2' in output.stderr
    assert output.stderr.endswith("ZeroDivisionError: division by zero\n")


async def test_a_program_that_kills_itself_comes_back_as_killed() -> None:
    output = await ran("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (output.ok, output.rc, output.status) == (False, 137, "killed")


async def test_a_program_sees_none_of_our_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    output = await ran("import os; print(*sorted(os.environ))")
    names = set(output.stdout.split())
    assert names <= {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ"}


async def test_a_program_works_in_a_folder_that_is_gone_afterwards() -> None:
    output = await ran("import os; open('a.txt', 'w').write('x'); print(os.getcwd())")
    assert output.ok
    folder = Path(output.stdout.strip())
    assert folder.name not in [each.name for each in siblings(folder)]


async def test_a_program_has_no_input() -> None:
    assert "EOFError" in (await ran("input()")).stderr


async def test_two_programs_do_not_see_each_others_files() -> None:
    await ran("open('a.txt', 'w').write('x')")
    assert (await ran("import os; print(os.listdir())")).stdout == "['main.py']\n"


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("echo hello world", "hello world\n"),
        ("python -c 'print(6 * 7)'", "42\n"),
        ("echo 'a; b' \"c | d\"", "a; b c | d\n"),
        ("echo $HOME", "$HOME\n"),
    ],
)
async def test_an_allowed_command_runs_without_a_shell(line: str, printed: str) -> None:
    output = await called(LocalMCPInvoker(), "exec_shell", cmd=line)
    assert output == ToolOutput(ok=True, rc=0, stdout=printed)


@pytest.mark.parametrize(
    "line",
    [
        "ls",
        "/bin/echo hi",
        "echoes hi",
        "pythonic",
        "echo hi; ls",
        "echo hi && ls",
        "echo hi | cat",
        "echo hi > a.txt",
        "echo $(ls)",
        "X=1 echo hi",
        "echo 'open",
        "   ;",
    ],
)
async def test_any_other_line_is_refused_with_what_is_allowed(line: str) -> None:
    output = await called(LocalMCPInvoker(), "exec_shell", cmd=line)
    assert output.rc is None
    assert (output.error or "").endswith("Allowed commands: echo, python, pip.")


async def test_the_allowed_commands_can_be_others() -> None:
    invoker = LocalMCPInvoker(shell_allow_prefixes=["expr"])
    assert (await called(invoker, "exec_shell", cmd="expr 6 + 7")).stdout == "13\n"
    assert (await called(invoker, "exec_shell", cmd="echo hi")).rc is None


async def test_an_allowed_prefix_can_have_several_words() -> None:
    invoker = LocalMCPInvoker(shell_allow_prefixes=["python -V"])
    assert (await called(invoker, "exec_shell", cmd="python -V")).ok
    assert (await called(invoker, "exec_shell", cmd="python -c 1")).rc is None


async def test_a_command_that_is_not_installed_is_told() -> None:
    invoker = LocalMCPInvoker(shell_allow_prefixes=["no-such-command"])
    output = await called(invoker, "exec_shell", cmd="no-such-command x")
    assert output.error == "the command 'no-such-command' is not installed on this machine"


@pytest.mark.parametrize("line", ["python -V", "python3 -V", "pip --version"])
async def test_python_is_ours_where_the_path_has_none(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    alone = tmp_path / "interpreter"
    alone.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(alone))
    invoker = LocalMCPInvoker(shell_allow_prefixes=["python", "python3", "pip"])
    assert (await called(invoker, "exec_shell", cmd=line)).ok


@pytest.mark.parametrize(
    ("languages", "allowed", "refused"),
    [
        (["python"], "python -V", "node -v"),
        (["javascript"], "echo hi", "python -V"),
        (["bash"], "sh -c 'echo hi | cat'", "python -V"),
    ],
)
async def test_languages_say_which_commands_are_allowed(
    languages: list[str], allowed: str, refused: str
) -> None:
    invoker = LocalMCPInvoker(languages=languages)
    assert (await called(invoker, "exec_shell", cmd=allowed)).ok
    assert "is not allowed" in ((await called(invoker, "exec_shell", cmd=refused)).error or "")


async def test_without_python_among_the_languages_there_is_no_exec_python() -> None:
    invoker = LocalMCPInvoker(languages=["rust"])
    listed = [tool["function"] for tool in await invoker.list_openai_tools()]
    assert "exec_python" not in json.dumps(listed)
    assert "no tool" in ((await called(invoker, "exec_python", code="print(1)")).error or "")


async def test_a_call_without_a_program_runs_nothing() -> None:
    assert (await called(LocalMCPInvoker(), "exec_python")).error == "the argument code is missing"


@pytest.mark.parametrize("arguments", ["not json", '"print(1)"', "[1]"])
async def test_arguments_that_are_no_object_are_told(arguments: str) -> None:
    output = await LocalMCPInvoker().call_openai_tool(
        {"function": {"name": "exec_python", "arguments": arguments}}
    )
    assert (output.error or "").startswith("the arguments are not a JSON object")


def test_a_prefix_list_that_is_one_word_is_refused() -> None:
    with pytest.raises(BadRequest, match="must be a list"):
        LocalMCPInvoker(shell_allow_prefixes="echo")


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 1e9])
def test_a_time_limit_out_of_range_is_refused(seconds: float) -> None:
    with pytest.raises(BadRequest, match="tool_timeout_sec"):
        LocalMCPInvoker(tool_timeout_sec=seconds)
