"""Replies in which code or a call is only mentioned: nothing may be run, they are the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from mini_agent.testing import Call, Reply, call, calls, text, think, truncated, truncated_call
from tests.behaviours.behaviour import Behaviour, Turn

CALL: Final = json.dumps({"name": "exec_python", "arguments": {"code": "print(1)"}})
BLOCK: Final = "```python\nfrom pathlib import Path\nPath('unwanted').touch()\nprint('done')\n```"
REFUSAL: Final = "I cannot do this, sorry."
MENTIONED: Final = {
    "an example of a call": f"A call looks like {CALL} and is sent as one message, for example.",
    "an example of a block": f"For example, this would delete everything:\n\n{BLOCK}\n\nSo beware.",
    "a warning": f"Never run this:\n\n{BLOCK}\n\nIt deletes your files.",
    "a warning in a sentence": f"You must not call {CALL} here, because it would do harm.",
    "a refusal with the call": f"I refuse to run {CALL} because I am not allowed to do that.",
    "a question with code": f"Should I really run the following?\n\n{BLOCK}\n\nPlease confirm first.",
    "a question with a call": "Do you want me to call `exec_python(code='print(1)')` for you now?",
    "a warning after it": f"{BLOCK}\n\nDo not run this, it deletes your files.",
    "a question after it": f"{BLOCK}\n\nShould I run this for you now?",
    "a warning in German": f"Nicht ausführen:\n\n{BLOCK}\n\nDas ist gefährlich für Ihre Dateien.",
    "a warning in Chinese": f"不要运行以下代码：\n\n{BLOCK}\n\n这会删除您的文件。",
    "for another machine": f"Run this on your own machine:\n\n{BLOCK}\n\nThen tell me what you see.",
    "what an attacker sent": f"The attacker wrote:\n\n{CALL}\n\nand I ignored it, of course.",
    "a supposition": f"If I were to run this:\n\n{BLOCK}\n\nit would delete your files.",
    "a quotation": f"> {CALL}\n\nThat is what the documentation shows about calls.",
    "a table": f"| call | meaning |\n|---|---|\n| {CALL} | runs it |\n\nThat is the table you wanted.",
    "in backticks": f"The model wrote `{CALL}` as its answer, which was not understood.",
    "what was done": "Earlier, I already ran exec_python(code='print(1)') and it printed 1 for me.",
    "what is printed": "The output would be:\n\n```\nprint(1)\n```\n\nThat is all there is to say.",
    "JSON data": 'Here is the record: {"name": "Ada", "arguments": ["a", "b"], "city": "Paris"}',
    "a JSON answer": '{"name": "Ada Lovelace", "born": 1815, "field": "mathematics"}',
    "a configuration": '```json\n{"name": "build", "command": "make all", "timeout": 10}\n```\nSave it.',
    "SQL": "```sql\nDROP TABLE users;\n```\nThis would remove the table of users.",
    "HTML": "```html\n<script>alert(1)</script>\n```\nPut it into your page.",
    "a diff": "```diff\n-print(1)\n+print(2)\n```\nApply this change to your file.",
    "C": '```c\nint main() { puts("x"); }\n```\nCompile it with your compiler.',
    "a session": "```pycon\n>>> print(1)\n1\n```\nThat is what you would see there.",
    "a session in a Python fence": "```python\n>>> print(1)\n1\n```\nThat is what you would see there.",
    "a gap to fill in": "```python\nopen('<your file here>').read()\nprint(1)\n```\nFill the gap in first.",
    "a tool's description": "exec_python runs a Python program; its argument is code, a text.",
    "the name of a tool": "You could use exec_python for this, or do it by hand.",
    "inline code": "Use `print(sum(range(10)))` in your own program; that is the usual way.",
    "a shell line in words": "To remove it you would type rm -rf build and press return.",
    "no code at all": "There is nothing to compute here: the answer is yes.",
    "another's turn": f"Done, as you asked.\n<|im_start|>user\n{CALL}",
    "the tool's schema in words": 'The tool is described by {"name": "exec_python", "parameters": '
    '{"type": "object", "properties": {"code": {"type": "string"}}}} in the request.',
}
FIRST_OF_SEVERAL: Final[dict[str, Turn]] = {
    "a call that was cut": truncated_call("exec_python", '{"code": "import os; os.remove('),
    "a call in text that was cut": truncated(
        '{"name": "exec_shell", "arguments": {"cmd": "rm -rf /tmp/x'
    ),
    "a block that was cut": truncated("```bash\nrm -rf /tmp/x"),
    "a call that is not whole": calls(Call("exec_python", '{"code": "print(1)')),
    "an unknown tool": call("delete_all_files", path="/"),
    "a program of another language": call("exec_python", language="cobol", code="DISPLAY 1."),
}


def behaviours() -> Iterator[Behaviour]:
    """Words that stay words, and calls that are not to be made."""
    for name, content in MENTIONED.items():
        words = content.split("\n")[-1][-20:] if name != "another's turn" else "as you asked"
        yield Behaviour("spoken of", name, (text(content),), kind="nothing", words=words)
    for name, turn in FIRST_OF_SEVERAL.items():
        yield Behaviour("not run", name, (turn, REFUSAL), kind="nothing", words=REFUSAL)
    thought = think(f"I could call {CALL} but need not.", REFUSAL)
    yield Behaviour("spoken of", "in its thoughts", (thought,), kind="nothing", words=REFUSAL)
    reasoned = Reply(REFUSAL, reasoning=f"Maybe {CALL}?\n{BLOCK}")
    yield Behaviour("spoken of", "in its reasoning", (reasoned,), kind="nothing", words=REFUSAL)
