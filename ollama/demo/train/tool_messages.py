"""What the agent loop writes after a call: the output of the program, or its failure."""

import random
from typing import Final

from train.payloads import random_string

DIRECTIVE: Final = "The call failed. Fix the cause and call the tool again."
_DIRECTIVES: Final = (
    "The call failed again. Try another way, or look it up with a research tool, then call again.",
    "The call failed again. Fix the cause and call the tool again.",
    "The call failed. Read the error, then call the tool again.",
    "The call failed. Call the tool again.",
)
_FIRST_LINES: Final = (
    "[exec_python rc=124 timeout]",
    "[exec_python rc=137 oom]",
    "[exec_python rc=137 killed]",
    "[exec_python rc=1 compile_error]",
    "[exec_python rc=2]",
    "[exec_python rc=-9]",
)
_ERRORS: Final = (
    "NameError: name 'x' is not defined",
    "NameError: name 'text' is not defined",
    "SyntaxError: invalid syntax",
    "IndentationError: unexpected indent",
    "TypeError: unsupported operand type(s)",
    "ValueError: invalid literal",
    "ModuleNotFoundError: No module named 'foo'",
    "ZeroDivisionError: division by zero",
    "IndexError: list index out of range",
    "RuntimeError: demo failure",
    "MemoryError",
)
_NAMING_ERRORS: Final = (
    "NameError: name '{}' is not defined",
    "FileNotFoundError: [Errno 2] No such file or directory: '{}'",
    "ValueError: invalid literal for int() with base 10: '{}'",
    "RuntimeError: {}",
    "KeyError: '{}'",
)
_SYNTAX: Final = (
    "SyntaxError: invalid syntax",
    "SyntaxError: unterminated string literal (detected at line 1)",
    "SyntaxError: '(' was never closed",
    "IndentationError: unexpected indent",
)
_SOURCES: Final = (
    "print({})",
    "print('{}",
    "print('{}'[::-1]",
    "text = '{}",
    "word = {}",
    "main()",
    "raise RuntimeError('{}')",
    "import {}",
    "return int('{}')",
)
_SHORT_REASONS: Final = (
    "the sandbox is busy",
    "the sandbox could not be started",
    "connection refused",
    "timed out after 10 s",
    "no container answered",
    "invalid arguments: code is missing",
    "unexpected error",
    "Killed",
)
_NOISE: Final = ("warning: old syntax", "DeprecationWarning: old", "note: 1 job", "debug: done")


def success(output: str, stderr: str = "", note: str = "") -> str:
    """Return the message for a program that ended well."""
    lines = ["[exec_python rc=0]"]
    if output:
        lines += ["stdout:", output]
    if stderr:
        lines += ["stderr:", stderr]
    if not output and not stderr:
        lines.append("(no output)")
    return "\n".join([*lines, f"note: {note}"] if note else lines)


def random_success(rng: random.Random, output: str) -> str:
    """Return the message for a program that ended well, at times with more than its output."""
    noisy = rng.random() < (0.08 if output else 0.5)
    stderr = rng.choice((rng.choice(_NOISE), _random_words(rng))) if noisy else ""
    return success(output, stderr, _random_words(rng) if rng.random() < 0.05 else "")


def _traceback(rng: random.Random) -> str:
    line = rng.choice((1, 1, 2, 3, rng.randint(1, 40)))
    head = f'Traceback (most recent call last):\n  File "main.py", line {line}, in <module>\n'
    return head + (_quoted_source(rng) if rng.random() < 0.5 else "") + _error(rng)


def _quoted_source(rng: random.Random) -> str:
    """Return lines as Python quotes them, which may hold quotes and strings like a payload."""
    name = random_string(rng, held_out=False)
    source = rng.choice(_SOURCES).format(name)
    marks = " " * (4 + rng.randint(0, len(source))) + rng.choice(("^", "^^^^^", "~~~~^^"))
    return f"    {source}\n{marks}\n" if rng.random() < 0.4 else f"    {source}\n"


def _error(rng: random.Random) -> str:
    if rng.random() < 0.6:
        return rng.choice(_ERRORS)
    return rng.choice(_NAMING_ERRORS).format(random_string(rng, held_out=False))


def _syntax_error(rng: random.Random) -> str:
    return f'  File "main.py", line {rng.randint(1, 9)}\n{_quoted_source(rng)}{rng.choice(_SYNTAX)}'


def _random_words(rng: random.Random) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ("".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(rng.randint(1, 5)))
    return " ".join(words)


def _reason(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.5:
        return _traceback(rng)
    if kind < 0.65:
        return _syntax_error(rng)
    if kind < 0.8:
        return _error(rng)
    return rng.choice(_SHORT_REASONS) if kind < 0.9 else _random_words(rng)


def _failed_run(rng: random.Random, output: str) -> str:
    lines = ["[exec_python rc=1]" if rng.random() < 0.6 else rng.choice(_FIRST_LINES)]
    if rng.random() < 0.15:
        lines += ["stdout:", output]
    lines += ["stderr:", _reason(rng)] if rng.random() < 0.88 else ["(no output)"]
    return "\n".join(lines)


def random_failure(rng: random.Random, output: str) -> str:
    """Return the message for a call that failed; `output` is what it may have printed before."""
    if rng.random() < 0.15:
        reason = rng.choice((rng.choice(_SHORT_REASONS), rng.choice(_ERRORS), _random_words(rng)))
        text = f"[exec_python error]\n{reason}"
    else:
        text = _failed_run(rng, output)
    if rng.random() < 0.05:
        text += f"\nnote: {_random_words(rng)}"
    return f"{text}\n{DIRECTIVE if rng.random() < 0.7 else rng.choice(_DIRECTIVES)}"
