"""What is shown of a failed program: the place, the line and the message, in a few lines."""

from __future__ import annotations

import pytest

from mini_agent.tools.invoker import ToolOutput
from mini_agent.tools.observation import collapse_lines, digest_failure, format_observation

LIBRARY = "/usr/lib/python3.11/json/decoder.py"
INSIDE = "".join(
    f'  File "{LIBRARY}", line {line}, in decode\n    obj = self.raw_decode(s, {line})\n'
    for line in range(100, 115)
)
PYTHON = f"""Traceback (most recent call last):
  File "main.py", line 6, in <module>
    main()
  File "main.py", line 3, in parse
    return json.loads("x" * n)
           ^^^^^^^^^^^^^^^^^^^
{INSIDE}json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)
"""
CHAINED = f"""{PYTHON}
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "main.py", line 9, in <module>
    fallback()
  File "main.py", line 7, in fallback
    return {{}}['x']
KeyError: 'x'
"""
RECURSION = (
    "Traceback (most recent call last):\n"
    + '  File "main.py", line 2, in f\n    return f(n + 1)\n' * 40
    + "  [Previous line repeated 956 more times]\n"
    + "RecursionError: maximum recursion depth exceeded\n"
)
SYNTAX = (
    "warming up\n" * 80
    + '  File "main.py", line 2\n    print("a"\n         ^\nSyntaxError: \'(\' was never closed\n'
)
RUST = f"""error[E0425]: cannot find value `w` in this scope
 --> main.rs:5:20
  |
5 |     println!("{{}}", w.len());
  |                    ^
help: a local variable with a similar name exists

error[E0308]: mismatched types
 --> main.rs:6:21
  |
6 |     let s: String = 5;
  |            ------   ^ expected `String`, found integer

warning: unused variable: `x`
 --> main.rs:1:11
{"  = note: and so on" * 40}
error: aborting due to 2 previous errors; 1 warning emitted
"""
GO = "# command-line-arguments\n" + "".join(
    f"./main.go:{line}:2: declared and not used: number{line} in this rather long function\n"
    for line in range(5, 15)
)
PANIC = (
    """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.at(...)
\t/workspace/main.go:7
main.main()
\t/workspace/main.go:12 +0x1d
"""
    + "runtime.main()\n\t/usr/local/go/src/runtime/proc.go:283 +0x28b\n" * 12
)
NODE = (
    """/workspace/main.js:2
  return missing(n);
  ^

ReferenceError: missing is not defined
    at f (/workspace/main.js:2:3)
    at Object.<anonymous> (/workspace/main.js:4:1)
"""
    + "    at Module._compile (node:internal/modules/cjs/loader:1521:14)\n" * 10
)


@pytest.mark.parametrize(
    ("stderr", "shown"),
    [
        (
            PYTHON,
            (
                "Traceback (most recent call last):\n"
                '  File "main.py", line 3, in parse\n'
                '    return json.loads("x" * n)\n'
                "           ^^^^^^^^^^^^^^^^^^^\n"
                "  [... 15 frames below it ...]\n"
                "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
            ),
        ),
        (
            CHAINED,
            (
                "Traceback (most recent call last):\n"
                '  File "main.py", line 7, in fallback\n'
                "    return {}['x']\n"
                "KeyError: 'x'"
            ),
        ),
        (
            RECURSION,
            (
                "Traceback (most recent call last):\n"
                '  File "main.py", line 2, in f\n'
                "    return f(n + 1)\n"
                "  [Previous line repeated 956 more times]\n"
                "RecursionError: maximum recursion depth exceeded"
            ),
        ),
        (
            SYNTAX,
            (
                '  File "main.py", line 2\n    print("a"\n         ^\n'
                "SyntaxError: '(' was never closed"
            ),
        ),
        (
            RUST,
            (
                "error[E0425]: cannot find value `w` in this scope\n"
                " --> main.rs:5:20\n  |\n"
                '5 |     println!("{}", w.len());\n'
                "  |                    ^\n"
                "help: a local variable with a similar name exists\n"
                "[and 1 more errors]"
            ),
        ),
        (
            GO,
            "".join(
                f"./main.go:{line}:2: declared and not used: number{line} "
                "in this rather long function\n"
                for line in (5, 6, 7)
            )
            + "[and 7 more places]",
        ),
        (
            PANIC,
            "panic: runtime error: index out of range [5] with length 3\n\t/workspace/main.go:7",
        ),
        (
            NODE,
            (
                "/workspace/main.js:2\n  return missing(n);\n  ^\n"
                "ReferenceError: missing is not defined\n    at f (/workspace/main.js:2:3)"
            ),
        ),
    ],
    ids=["python", "chained", "recursion", "syntax", "rust", "go", "panic", "node"],
)
def test_a_long_complaint_is_cut_to_its_cause(stderr: str, shown: str) -> None:
    assert digest_failure(stderr) == shown


def test_a_short_complaint_stays_as_it_is() -> None:
    complaint = "bash: line 1: x: command not found\n\n\n\n"
    assert digest_failure(complaint) == complaint


def test_equal_lines_in_a_row_are_told_once() -> None:
    assert collapse_lines("a\nb\nb\nb\nb\nc\nc") == "a\nb\n[the same line 3 more times]\nc\nc"


def test_of_a_very_long_line_the_ends_are_shown() -> None:
    assert collapse_lines("x" * 1000) == f"{'x' * 150} [... 700 characters ...] {'x' * 150}"


def test_an_unknown_long_complaint_is_only_collapsed() -> None:
    assert digest_failure("oh no\n" * 200) == "oh no\n[the same line 199 more times]\n"


def test_a_successful_program_is_shown_letter_by_letter() -> None:
    lines = "b\n" * 9
    output = ToolOutput(ok=True, rc=0, stdout=lines, stderr=PYTHON)
    assert format_observation("exec_python", output) == (
        f"[exec_python rc=0]\nstdout:\n{lines}stderr:\n{PYTHON.removesuffix(chr(10))}"
    )


def test_a_failed_program_is_shown_digested() -> None:
    shown = format_observation(
        "exec_python", ToolOutput(ok=False, rc=1, stdout="b\n" * 9, stderr=PYTHON)
    )
    assert shown.startswith("[exec_python rc=1]\nstdout:\nb\n[the same line 8 more times]\nstderr:")
    assert LIBRARY not in shown
    assert len(shown) < 500
