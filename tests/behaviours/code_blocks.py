"""Programs in fences, in five languages, where a call was wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mini_agent.testing import Reply, fenced_code, reasoning_only
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.programs import BY_LANGUAGE, LOOP, PRODUCT, RLE, Program

LABELS: Final = {
    "python": "python python3 py Python PYTHON ipython",
    "bash": "bash sh shell zsh Bash",
    "javascript": "javascript js node JavaScript mjs",
    "go": "go golang Go",
    "rust": "rust rs Rust",
}
AROUND: Final = {
    "between sentences": "I will run this program:\n\n{}\n\nIt prints the result.",
    "in German": "Ich führe dieses Programm aus:\n\n{}\n\nDas ergibt das Ergebnis.",
    "in Japanese": "次のコードを実行します。\n\n{}\n",
    "under a heading": "## Solution\n\n{}\n",
    "in a list": "1. Run this:\n\n   {}\n",
    "after thoughts": "<think>Easy.</think>\n{}",
    "with a made-up output": "{}\n\nOutput:\n```\n123\n```",
    "with a made-up answer": "{}\n\nThe result is 123.",
}
OTHERS: Final = {
    "tildes": f"~~~python\n{RLE.code}\n~~~",
    "four ticks": f"````python\n{RLE.code}\n````",
    "no label": f"```\n{RLE.code}\n```",
    "attributes": f"```python title=main.py\n{RLE.code}\n```",
    "braces": f"```{{python}}\n{RLE.code}\n```",
    "never closed": f"```python\n{RLE.code}",
    "closed on its last line": f"```python\n{RLE.code}```",
    "on one line": f"```python {PRODUCT.code} ```",
    "code elements": f"<code>\n{RLE.code}\n</code>",
    "python elements": f"<python>\n{RLE.code}\n</python>",
    "execute elements": f"<execute>\n{RLE.code}\n</execute>",
    "execute_ipython elements": f"<execute_ipython>\n{RLE.code}\n</execute_ipython>",
    "script elements": f"<script>\n{RLE.code}\n</script>",
    "Windows line ends": f"```python\r\n{RLE.code}\r\n```",
    "nothing but the program": RLE.code,
    "the language, then the program": f"python\n{RLE.code}",
    "the same block twice": f"```python\n{RLE.code}\n```\n\nOnce more:\n\n```python\n{RLE.code}\n```",
    "a tool_code fence": f"```tool_code\n{RLE.code}\n```",
    "indented fence": f"  ```python\n  {RLE.code.replace(chr(10), chr(10) + '  ')}\n  ```",
    "the output in another fence": f"```python\n{RLE.code}\n```\n\n```output\nnothing yet\n```",
}


def behaviours() -> Iterator[Behaviour]:
    """Every label, everything around, and fences of every other kind."""
    for language, labels in LABELS.items():
        program = BY_LANGUAGE[language]
        for label in labels.split():
            yield _block(f"labelled {label}", fenced_code(program.code, label), program)
    for place, (name, around) in enumerate(AROUND.items()):
        program = tuple(BY_LANGUAGE.values())[place % len(BY_LANGUAGE)]
        label = tuple(BY_LANGUAGE)[place % len(BY_LANGUAGE)]
        reply = around.format(f"```{label}\n{program.code}\n```")
        yield _block(f"{name} ({label})", Reply(reply), program)
    for name, text in OTHERS.items():
        yield _block(name, Reply(text), PRODUCT if "one line" in name else RLE)
    thought = reasoning_only(f"I should run\n```python\n{LOOP.code}\n```")
    yield _block("in the thoughts alone", thought, LOOP)
    answer = Reply(f"```\n{RLE.prints}\n```")
    first = fenced_code(RLE.code)
    yield Behaviour("block", "then the answer in a fence", (first,), (answer,), RLE)


def _block(name: str, turn: Reply, program: Program) -> Behaviour:
    return Behaviour("block", name, (turn,), program=program)
