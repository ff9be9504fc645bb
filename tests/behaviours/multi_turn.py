"""Models that go wrong over several turns: silence, repetition, failures that a hint would mend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from mini_agent.testing import (
    Call,
    Reply,
    blank,
    call,
    calls,
    empty_choices,
    null_content,
    reasoning_only,
    text,
    think,
    truncated,
    truncated_call,
)
from tests.behaviours.behaviour import Behaviour, Turn
from tests.behaviours.programs import LOOP, PRODUCT, RLE, Program

RUN: Final = call("exec_python", code=RLE.code)
RESULT: Final = RLE.prints
RESULT_ANSWER: Final = f"It is {RESULT}."
# After the tool ran, the model ...
AFTER_TOOL: Final[dict[str, tuple[Turn, ...]]] = {
    "falls silent": (blank(),),
    "says white space": (blank(" \n\n "),),
    "says null": (null_content(),),
    "gives no choices": (empty_choices(),),
    "gives no choices once": (empty_choices(), RESULT_ANSWER),
    "is silent once": (blank(), RESULT_ANSWER),
    "says {}": (text("{}"),),
    "says None": (text("None"),),
    "says an empty fence": (text("```\n```"),),
    "opens a call and stops": (text("<tool_call>"),),
    "thinks nothing": (think("", ""),),
    "thinks, says nothing": (think("I have it.", ""),),
    "never ends its thoughts": (text(f"<think>It printed {RESULT}, so that is the answer."),),
    "has it in its reasoning": (reasoning_only(f"The tool says {RESULT}."),),
    "calls again for ever": (RUN,),
    "calls again in text for ever": (
        text(json.dumps({"name": "exec_python", "arguments": {"code": RLE.code}})),
    ),
    "calls again with other spaces": tuple(
        call("exec_python", code=f"{RLE.code}{' ' * n}\n") for n in range(1, 12)
    ),
    "calls again in other quotes": (call("exec_python", code=RLE.code.replace('"', "'")), RUN),
    "calls again in a block for ever": (text(f"Let me run it:\n```python\n{RLE.code}\n```"),),
    "says a tag that ends": (text("</tool_call>"),),
    "answers by final_answer": (call("final_answer", answer=RESULT_ANSWER),),
    "answers by final_answer in text": (
        text(json.dumps({"name": "final_answer", "arguments": {"answer": RESULT_ANSWER}})),
    ),
    "answers by respond": (call("respond", text=RESULT_ANSWER),),
    "answers after Final Answer": (text(f"Thought: done.\nFinal Answer: {RESULT}"),),
    "answers in JSON": (text(json.dumps({"answer": RESULT})),),
    "answers in fenced JSON": (text(f'```json\n{{"result": "{RESULT}"}}\n```'),),
    "answers behind thoughts": (think("It ran.", RESULT_ANSWER),),
    "answers in a fence": (text(f"```\n{RESULT}\n```"),),
    "answers in an element": (text(f"<answer>{RESULT}</answer>"),),
    "answers and goes on as the user": (
        text(f"{RESULT_ANSWER}<|im_end|>\n<|im_start|>user\nThanks!"),
    ),
    "answers in harmony": (
        text(
            "<|channel|>analysis<|message|>I have it.<|end|><|start|>assistant<|channel|>final"
            f"<|message|>{RESULT_ANSWER}<|return|>"
        ),
    ),
    "answers and shows its program": (
        text(f"{RESULT_ANSWER} The program:\n```python\n{RLE.code}\n```"),
    ),
    "answers and shows another program": (
        text(
            f"{RESULT_ANSWER} You could also write:\n\n```python\nprint('other')\n```\n\nBoth work."
        ),
    ),
    "answers with a call beside it": (
        calls(Call("exec_python", {"code": RLE.code}), content=RESULT_ANSWER),
    ),
    "asks for the output": (text("Please run the code and tell me the output."), RESULT_ANSWER),
    "waits for the output": (text("I will wait for the result of the tool call."), RESULT_ANSWER),
    "sees no output": (text("I don't see any output from the tool."), RESULT_ANSWER),
    "says the tool failed": (text("It seems the tool returned an error."), RESULT_ANSWER),
    "leaves a gap": (text("The result is [insert result here]."), RESULT_ANSWER),
    "leaves a template": (text("The result is {{output}}."), RESULT_ANSWER),
    "is not sure": (text("I'm not sure what the result is."), RESULT_ANSWER),
    "is cut off": (truncated("The result of the computation that I"), RESULT_ANSWER),
}


def _call(code: str) -> Reply:
    return call("exec_python", code=code)


NO_PRINT: Final = Program("exec_python", "x = 6789 * 4321", "")
LAST: Final = Program("exec_python", "x = 6789 * 4321\nx", "")
DEFINED: Final = Program("exec_python", "def f():\n    return 6789 * 4321", "")
NAMELESS: Final = Program("exec_python", "print(len([*groupby('aab')]))", "")
BROKEN: Final = Program("exec_python", "for i in range(3) print(i)", "")
MISSING: Final = Program("exec_python", "import frobnicate\nprint(1)", "")
OPENED: Final = Program("exec_python", "print(open('numbers.txt').read())", "")
ENDLESS: Final = Program("exec_python", "while True:\n    pass", "")
RAISES: Final = Program("exec_python", "raise SystemExit(3)", "")
ASKS: Final = Program("exec_python", "n = int(input())\nprint(n)", "")
FAILS_FIRST: Final = (
    ("prints nothing at first", NO_PRINT),
    ("ends with an expression at first", LAST),
    ("only defines a function at first", DEFINED),
    ("forgets an import at first", NAMELESS),
    ("makes a mistake in the syntax at first", BROKEN),
    ("imports what is not there at first", MISSING),
    ("opens what is not there at first", OPENED),
    ("exits with 3 at first", RAISES),
    ("asks for input at first", ASKS),
)
GOOD: Final = _call(PRODUCT.code)
# Before the tool ran, the model ...
BEFORE_TOOL: Final[dict[str, tuple[Turn, ...]]] = {
    "is silent": (blank(), GOOD),
    "says null": (null_content(), GOOD),
    "only thinks": (reasoning_only("I should use the tool."), GOOD),
    "says {}": (text("{}"), GOOD),
    "announces a call": (text("I will use exec_python to compute this."), GOOD),
    "announces a program": (text("Let me run a quick Python script to calculate it:"), GOOD),
    "announces it in French": (text("Je vais exécuter le code avec l'outil."), GOOD),
    "calls an unknown tool": (call("calculator", expression="6789 * 4321"), GOOD),
    "calls without arguments": (call("exec_python"), GOOD),
    "calls with an empty program": (call("exec_python", code=""), GOOD),
    "calls with a number": (call("exec_python", code=5), GOOD),
    "calls with null": (call("exec_python", code=None), GOOD),
    "is cut off in a call": (truncated_call("exec_python"), GOOD),
    "is cut off in a call in text": (
        truncated('{"name": "exec_python", "arguments": {"code": "print(67'),
        GOOD,
    ),
    "is cut off in a block": (truncated("```python\nprint(6789 *"), GOOD),
    "is cut off in its thoughts": (truncated("<think>Let me see, 6789 times"), GOOD),
    "opens a call and stops": (text("<tool_call>"), GOOD),
    "gives the tool's schema back": (
        text(
            '{"type": "function", "function": {"name": "exec_python", "parameters": {"type": '
            '"object", "properties": {"code": {"type": "string"}}}}}'
        ),
        GOOD,
    ),
    "is not sure": (text("I'm not sure."), GOOD),
    "five calls in one turn": (calls(*(Call("exec_python", {"code": PRODUCT.code}),) * 5),),
    "a good call after a bad one": (
        calls(Call("exec_python", {"x": 1}), Call("exec_python", {"code": PRODUCT.code})),
    ),
    "a good call before a cut one": (
        Reply(
            calls=(
                Call("exec_python", {"code": PRODUCT.code}),
                Call("exec_python", '{"code": "pri'),
            ),
            finish="length",
        ),
    ),
    "fails three times over": (_call("print(a)"), _call("print(b)"), _call("print(c)"), GOOD),
}
ALSO: Final = tuple(Program("exec_python", f"print({each})", "") for each in "abc")
RESEARCHED: Final = Program("research_echo", "", "")


def behaviours() -> Iterator[Behaviour]:
    """What goes wrong after the tool, before it, and in it."""
    for name, then in AFTER_TOOL.items():
        yield Behaviour("then", name, (RUN,), then)
    for name, wrong in FAILS_FIRST:
        yield Behaviour("mended", name, (_call(wrong.code), GOOD), (), PRODUCT, (wrong,))
    slow = call("exec_python", code=ENDLESS.code, timeout_s=1)
    yield Behaviour("mended", "runs for ever at first", (slow, GOOD), (), PRODUCT, (ENDLESS,))
    for name, first in BEFORE_TOOL.items():
        yield Behaviour("first", name, first, (), PRODUCT, ALSO)
    two = calls(
        Call("exec_python", {"code": PRODUCT.code}), Call("exec_python", {"code": LOOP.code})
    )
    yield Behaviour("first", "two good calls in one turn", (two,), (), PRODUCT, (LOOP,))
