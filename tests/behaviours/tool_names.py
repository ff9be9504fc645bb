"""Native calls under other names: what vendors call the same tools, and their one argument."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from mini_agent.testing import Call, Reply, call, calls
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.programs import (
    GO,
    LOOP,
    NODE,
    PROGRAM_PARAMETER,
    RLE,
    RUNS,
    RUST,
    SHELL,
    Program,
)

NAMES: Final[tuple[tuple[Program, str], ...]] = (
    (
        RLE,
        "python run_python python_exec execute_python exec_code code_interpreter python_interpreter "
        "execute_code run_code PythonREPL python_repl_ast Python_REPL ipython jupyter "
        "functions.exec_python functions.python functions/exec_python tools.exec_python "
        "default_api.exec_python execPython ExecPython exec-python exec_Python EXEC_PYTHON "
        "exec_pyhton exec.python python3 runPython python_code_execution code_execution "
        "execute_python_code run_python_script mcp__sandbox__exec_python assistant.exec_python "
        "container.python python_tool sandbox_python __main__ functions.exec run_cell compute "
        "calculator_python pyexec functions.__main__ python_runner CodeInterpreter eval",
    ),
    (
        SHELL,
        "bash shell run_shell_command terminal run_shell sh execute_bash exec_bash "
        "container.exec run_terminal_cmd execute_command run_command bash_tool functions.bash "
        "shell_command run_in_terminal local_shell computer.terminal cmd exec_shell_command "
        "mcp__shell__run subprocess.run os.system",
    ),
    (NODE, "node javascript run_javascript execute_js nodejs run_js exec_javascript js JavaScript"),
    (GO, "go run_go golang execute_go exec_golang"),
    (RUST, "rust run_rust execute_rust cargo_run"),
    (RUNS, "compressRuns compress_run rle run_length_encode functions.compress_runs CompressRuns"),
)
ARGUMENTS: Final[tuple[tuple[Program, str], ...]] = (
    (
        LOOP,
        "source script program snippet source_code python_code pythonCode Code CODE code_string "
        "code_to_run input text content body py query python",
    ),
    (SHELL, "command cmdline shell_command bash script line commands commandLine"),
    (RUNS, "text string input value input_string data"),
)


def behaviours() -> Iterator[Behaviour]:
    """A call by every other name, by every other argument, and wrapped in every other way."""
    for program, names in NAMES:
        given = {PROGRAM_PARAMETER[program.tool]: program.code}
        for name in names.split():
            yield Behaviour("name", name, (call(name, **given),), program=program)
    for program, keys in ARGUMENTS:
        for key in keys.split():
            turn = calls(Call(program.tool, {key: program.code}))
            yield Behaviour("argument", f"{program.tool} by {key}", (turn,), program=program)
    for name, arguments in ARGUMENT_TEXTS.items():
        turn = calls(Call("exec_python", arguments))
        yield Behaviour("arguments", name, (turn,), program=LOOP)
    for name, reply in NATIVE_CALLS.items():
        yield Behaviour("native", name, (reply,), program=LOOP)


CODE: Final = json.dumps(LOOP.code)
ARGUMENT_TEXTS: Final = {
    "JSON inside a string": json.dumps(json.dumps({"code": LOOP.code})),
    "raw newlines": f'{{"code": "{LOOP.code}"}}',
    "Python's repr": repr({"code": LOOP.code}),
    "code alone": LOOP.code,
    "code alone as JSON": CODE,
    "fenced code in the code": json.dumps({"code": f"```python\n{LOOP.code}\n```"}),
    "words around the fence in the code": json.dumps(
        {"code": f"Here it is:\n```python\n{LOOP.code}\n```\nIt adds them up."}
    ),
    "newlines escaped twice": json.dumps({"code": LOOP.code.replace("\n", "\\n")}),
    "lines as a list": json.dumps({"code": LOOP.code.split("\n")}),
    "a value in an object": json.dumps({"code": {"value": LOOP.code}}),
    "wrapped in arguments": json.dumps({"arguments": {"code": LOOP.code}}),
    "wrapped in parameters": json.dumps({"parameters": {"code": LOOP.code}}),
    "wrapped in input": json.dumps({"input": {"code": LOOP.code}}),
    "a list of one object": json.dumps([{"code": LOOP.code}]),
    "the call inside the call": json.dumps(
        {"name": "exec_python", "arguments": {"code": LOOP.code}}
    ),
    "trailing comma": f'{{"code": {CODE},}}',
    "trailing brace": f'{{"code": {CODE}}}}}',
    "key without quotes": f"{{code: {CODE}}}",
    "twice over": json.dumps({"code": LOOP.code}) * 2,
    "a comment in it": f'{{"code": {CODE} // the program\n}}',
    "fenced": f'```json\n{{"code": {CODE}}}\n```',
    "an unknown argument beside it": json.dumps({"code": LOOP.code, "verbose": True}),
    "the language beside it": json.dumps({"language": "python", "code": LOOP.code}),
    "the timeout as text": json.dumps({"code": LOOP.code, "timeout_s": "5"}),
    "a null beside it": json.dumps({"code": LOOP.code, "timeout_s": None}),
    "triple quotes": f'{{"code": """{LOOP.code}"""}}',
    "backticks": f'{{"code": `{LOOP.code}`}}',
    "an equals sign": f"code={LOOP.code!r}",
    "the code as a key": json.dumps({LOOP.code: ""}),
}
CALL_ARGUMENTS: Final = {"code": LOOP.code}
NATIVE_CALLS: Final = {
    "no id": calls(Call("exec_python", CALL_ARGUMENTS, id="")),
    "the same id twice": calls(
        Call("exec_python", CALL_ARGUMENTS, id="a"), Call("exec_python", CALL_ARGUMENTS, id="a")
    ),
    "200 calls in a turn": calls(*(Call("exec_python", CALL_ARGUMENTS) for _ in range(200))),
    "a very long id": calls(Call("exec_python", CALL_ARGUMENTS, id="x" * 300)),
    "words beside the call": calls(Call("exec_python", CALL_ARGUMENTS), content="I will run it."),
    "the call in text too": calls(
        Call("exec_python", CALL_ARGUMENTS),
        content=json.dumps({"name": "exec_python", "arguments": CALL_ARGUMENTS}),
    ),
    "multi_tool_use.parallel": call(
        "multi_tool_use.parallel",
        tool_uses=[{"recipient_name": "functions.exec_python", "parameters": {"code": LOOP.code}}],
    ),
    "all of it in the name": calls(
        Call(json.dumps({"name": "exec_python", "arguments": CALL_ARGUMENTS}))
    ),
    "the arguments in the name": calls(Call(f"exec_python({LOOP.code!r})")),
    "tokens in the name": calls(Call("exec_python<|channel|>commentary", CALL_ARGUMENTS)),
    "white space round the name": calls(Call(" exec_python\n", CALL_ARGUMENTS)),
    "no name": calls(Call("", CALL_ARGUMENTS)),
    "a wrapper named tool_call": call(
        "tool_call", name="exec_python", arguments={**CALL_ARGUMENTS}
    ),
    "one unknown tool beside it": calls(
        Call("frobnicate", {"x": 1}), Call("exec_python", CALL_ARGUMENTS)
    ),
    "an answer in the thoughts beside it": Reply(
        "", calls=(Call("exec_python", CALL_ARGUMENTS),), reasoning="It will be 1."
    ),
}
