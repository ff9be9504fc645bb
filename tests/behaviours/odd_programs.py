"""Programs that are not quite Python, each with the program it plainly means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mini_agent.testing import call
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.programs import LOOP, PRODUCT, Program

LINE: Final = PRODUCT.code
ODD: Final = {
    "a notebook's magic": f"%matplotlib inline\n{LINE}",
    "a notebook's shell line": f"!pip install -q numpy\n{LINE}",
    "a cell's magic": f"%%time\n{LINE}",
    "a notebook's prompt": f"In [1]: {LINE}",
    "the interpreter's prompt": f">>> {LINE}",
    "print without brackets": "print 6789 * 4321",
    "a fence that only ends": f"{LINE}\n```",
    "a fence that only begins": f"```python\n{LINE}",
    "a byte order mark": f"\ufeff{LINE}",
    "full-width brackets": "print（6789 * 4321）",
    "a sign of multiplication": "print(6789 × 4321)",
    "an end token": f"{LINE}<|im_end|>",
    "a closing tag": f"{LINE}\n</tool_call>",
    "a quote too many": f'{LINE}"',
    "a sentence before it": f"Here is the code:\n{LINE}",
    "a sentence after it": f"{LINE}\nThis prints the product.",
    "the language's name": f"python\n{LINE}",
    "indented": f"    {LINE}",
}


def behaviours() -> Iterator[Behaviour]:
    """Each as a native call; and what only a notebook would show."""
    for name, code in ODD.items():
        yield _native(name, code, PRODUCT)
    yield _native("CRLF", LOOP.code.replace("\n", "\r\n"), LOOP)
    for name, code in {
        "an expression alone": "6789 * 4321",
        "an expression at its end": "x = 6789\nx * 4321",
        "a call at its end": "def f():\n    return 6789 * 4321\nf()",
    }.items():
        yield _native(name, code, Program("exec_python", code, PRODUCT.prints, PRODUCT.task))


def _native(name: str, code: str, meant: Program) -> Behaviour:
    return Behaviour("program", name, (call("exec_python", code=code),), program=meant)
