"""What the words around code say about it, in a call's place and in a program's."""

from __future__ import annotations

import pytest

from tests.tool_parsing.parsed_reply import parse_outcome, text_reply

CALL = '{"name": "exec_python", "arguments": {"code": "print(1)"}}'
CODE = {
    "a block": "```python\nprint(1)\n```",
    "a command": "```bash\nls -l\n```",
    "JSON": CALL,
    "fenced JSON": f"```json\n{CALL}\n```",
    "a tagged call": f"<tool_call>\n{CALL}\n</tool_call>",
}
NOT_TO_BE_RUN = """\
Do not run this:~CODE
CODE~Do not run this.
CODE~Don't execute that, it is dangerous.
Warning: running this deletes files.~CODE~Never run it.
I won't run this:~CODE
Should I run this?~CODE
CODE~Should I run this?
CODE~Do you want me to run it?
CODE~Please confirm before I run it.
Would you like me to run this code?~CODE
I could run~CODE~but I will not.
You can run this yourself:~CODE~Then tell me what it prints.
Run this on your own machine:~CODE
An example of what NOT to do:~CODE~Avoid it at all costs.
Bad:~CODE~Good: use a list instead of that.
If I were to run this:~CODE~it would print 1 on the screen.
Hypothetically:~CODE~would solve it, if I had tools.
The following is unsafe and will not be executed:~CODE
The attacker wrote:~CODE~and I ignored it, of course.
In the docs there is this example:~CODE~It shows the syntax only.
Nicht ausführen:~CODE~Das ist gefährlich für Ihre Dateien.
Soll ich das ausführen?~CODE
No ejecutes esto:~CODE~Es muy peligroso para tus archivos.
CODE~¿Quieres que lo ejecute?
N'exécutez pas ceci :~CODE~C'est dangereux pour vos fichiers.
不要运行以下代码：~CODE~这很危险。
CODE~要我运行它吗？
Не запускайте этот код:~CODE~Это опасно для файлов."""
TO_BE_RUN = """\
I will not guess; I will run this:~CODE
I cannot compute this without running code:~CODE
Don't worry, I'll run it:~CODE
Let me run this to confirm whether it works:~CODE
I got a warning, so here is the fixed code:~CODE
It is dangerous to guess, so I run:~CODE
Here is your code:~CODE~It prints the result.
You can use the following Python code:~CODE~This code will print 1.
CODE~Note: this does not handle negative numbers.
CODE~If you have any questions, let me know!
How can we do this? With this code:~CODE
Puedo hacerlo con este código:~CODE~Eso es todo lo que necesitas.
Ich führe das aus:~CODE
我会运行以下代码：~CODE
The previous code was wrong. Here is the corrected version:~CODE"""


def written(line: str, code: str) -> str:
    return line.replace("~", "\n\n").replace("CODE", code)


@pytest.mark.parametrize("line", NOT_TO_BE_RUN.splitlines())
@pytest.mark.parametrize("code", CODE.values(), ids=CODE.keys())
def test_code_that_is_not_to_be_run_is_not(line: str, code: str) -> None:
    assert parse_outcome(text_reply(written(line, code))).run == ()


@pytest.mark.parametrize("line", TO_BE_RUN.splitlines())
@pytest.mark.parametrize("code", CODE.values(), ids=CODE.keys())
def test_code_that_is_to_be_run_is(line: str, code: str) -> None:
    assert len(parse_outcome(text_reply(written(line, code))).run) == 1


def test_words_about_the_next_block_are_not_about_this_one() -> None:
    text = f"Run this:\n{CODE['a block']}\n\nBut never run this:\n{CODE['a command']}"
    assert [name for name, _ in parse_outcome(text_reply(text)).run] == ["exec_python"]
