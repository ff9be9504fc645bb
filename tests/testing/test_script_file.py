"""Scripts in JSON files: what they can say, and the error for a bad one."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from mini_agent.testing import (
    Call,
    Models,
    calls,
    delayed,
    drip,
    hang,
    refusal,
    replies,
    tagged_call,
    text,
)
from mini_agent.testing.replies import JsonValue
from mini_agent.testing.script_file import REPLY_FUNCTIONS, ScriptFileError, read_script


def written(folder: Path, content: str) -> Path:
    file = folder / "script.json"
    file.write_text(content, encoding="utf-8")
    return file


def problem(file: Path) -> str:
    with pytest.raises(ScriptFileError) as caught:
        read_script(file)
    return str(caught.value).removeprefix(str(file))


def test_a_list_of_replies_is_a_script(tmp_path: Path) -> None:
    script = read_script(written(tmp_path, '["one", {"text": "two"}]'))
    assert script.replies == (text("one"), text("two"))
    assert (script.repeat_last, script.models) == (False, Models())


def test_an_object_says_more_about_the_server(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        '{"replies": ["one"], "repeat_last": true,'
        ' "models": {"pulled": [], "known": ["m"], "capabilities": ["completion"]}}',
    )
    script = read_script(file)
    assert script.repeat_last
    assert script.models == Models(pulled=[], known=["m"], capabilities=("completion",))


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        ({"text": {"content": "yes", "reasoning": "hmm"}}, text("yes", reasoning="hmm")),
        ({"call": {"name": "f", "arguments": {"x": 1}}}, calls(Call("f", {"x": 1}))),
        (
            {"calls": [{"name": "f", "arguments": "{"}, {"name": "g", "id": ""}]},
            calls(Call("f", "{"), Call("g", {}, "")),
        ),
        ({"tagged_call": {"name": "f", "arguments": {"x": 1}}}, tagged_call("f", x=1)),
        ({"refusal": {"status": 503, "message": "busy"}}, refusal(503, "busy")),
        ({"hang": {}}, hang()),
        ({"delayed": {"reply": {"drip": "slow"}, "seconds": 2}}, delayed(drip("slow"), 2)),
    ],
)
def test_a_word_with_its_arguments_is_a_reply(
    tmp_path: Path, reply: JsonValue, means: object
) -> None:
    script = read_script(written(tmp_path, json.dumps([reply])))
    assert script.replies == (means,)


def test_a_file_knows_every_word_of_the_vocabulary() -> None:
    functions = {
        name
        for name, function in inspect.getmembers(replies, inspect.isfunction)
        if function.__module__ == replies.__name__
    }
    assert set(REPLY_FUNCTIONS) == functions - {"to_scripted_reply"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[\n"one",\n', ":3: not JSON: Expecting value"),
        ("5", ":1: "),
        ('{"replies": [],\n "repeats": true}', ":2: 'repeats': extra inputs are not permitted"),
        ('{\n"repeat_last": true}', ":1: 'replies': field required"),
        ('{"replies": [],\n\n"models": {"pulled": "m"}}', ":3: 'models.pulled': input should be"),
        ('{"replies": [], "repeat_last": true}', ":1: 'repeat_last' needs at least one reply"),
        ('["one",\n{"txt": "two"}]', ":2: reply 2: no word 'txt'; known: blank, breaks_off, call"),
        ('["one",\n\n 2]', ":3: reply 2: a reply is a string or"),
        ('[{"hang": {},\n"blank": {}}]', ":1: reply 1: a reply is a string or"),
        (
            '{"models": {},\n"replies": [\n"one",\n{"text": {"content": 5}}]}',
            ":4: reply 2: text: 'content': input should be a valid string",
        ),
        ('[{"call": {"nam": "f"}}]', ":1: reply 1: call: 'name': missing required argument"),
        ('[{"hang": 3}]', ":1: reply 1: hang: 'nothing': unexpected keyword argument"),
        ('[{"delayed": {"reply": {"x": 1}, "seconds": 1}}]', ":1: reply 1: no word 'x'"),
    ],
)
def test_a_bad_file_is_an_error_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    assert problem(written(tmp_path, content)).startswith(said)


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.json") == ": cannot be read: No such file or directory"


def test_a_file_that_is_not_text_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_bytes(b'["\xff"]')
    assert problem(file).startswith(": is not UTF-8 text")
