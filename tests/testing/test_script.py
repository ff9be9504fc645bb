"""A script is followed to its end, or the test that wrote it fails."""

from __future__ import annotations

import httpx
import pytest

from mini_agent.testing import ScriptedServer, ScriptNotFollowed, call
from mini_agent.testing.replies import JsonObject, Reply


def ask(server: ScriptedServer, prompt: str = "hi") -> httpx.Response:
    turn = {"model": "m", "messages": [{"role": "user", "content": prompt}], "stream": False}
    return httpx.post(f"{server.url}/api/chat", json=turn, trust_env=False)


def content_of(response: httpx.Response) -> str:
    return str(response.json()["message"]["content"])


def test_replies_come_in_order() -> None:
    with ScriptedServer(["one", "two"]) as server:
        assert [content_of(ask(server)), content_of(ask(server))] == ["one", "two"]


def test_replies_left_over_fail_the_block_and_are_named() -> None:
    with (
        pytest.raises(
            ScriptNotFollowed, match=r"asked once, .* 3 replies; never asked for:\n.*'two'"
        ),
        ScriptedServer(["one", "two", "three"]) as server,
    ):
        ask(server)


def test_asking_beyond_the_script_is_a_400_that_clients_do_not_repeat() -> None:
    asked_too_often = "the model was asked 2 times, its script has 1 reply"
    answers: list[httpx.Response] = []
    with (
        pytest.raises(ScriptNotFollowed, match=asked_too_often),
        ScriptedServer(["one"]) as server,
    ):
        answers.extend([ask(server), ask(server)])
    assert [answer.status_code for answer in answers] == [200, 400]
    assert asked_too_often in answers[1].json()["error"]


def test_a_failing_test_keeps_its_own_error_with_the_script_s_as_a_note() -> None:
    with pytest.raises(KeyError) as caught, ScriptedServer(["never asked for"]):
        raise KeyError("the test's own")
    assert "its script has 1 reply; never asked for" in caught.value.__notes__[0]


def test_the_last_reply_can_repeat_for_ever() -> None:
    with ScriptedServer(["one", "two"], repeat_last=True) as server:
        assert [content_of(ask(server)) for _ in range(4)] == ["one", "two", "two", "two"]


def test_a_repeating_script_may_be_left_early() -> None:
    with ScriptedServer(["one", "two"], repeat_last=True) as server:
        assert content_of(ask(server)) == "one"


def test_nothing_cannot_be_repeated() -> None:
    with pytest.raises(ValueError, match="at least one reply"):
        ScriptedServer([], repeat_last=True)


def test_a_function_answers_each_conversation_by_its_messages() -> None:
    def echo(messages: list[JsonObject]) -> str:
        return f"you said {messages[-1]['content']}"

    with ScriptedServer(echo) as server:
        assert [content_of(ask(server, "a")), content_of(ask(server, "b"))] == [
            "you said a",
            "you said b",
        ]


def test_a_function_that_raises_fails_the_request_and_the_block() -> None:
    def forgetful(messages: list[JsonObject]) -> Reply:
        return call(str(messages[1]["content"]))

    with (
        pytest.raises(ScriptNotFollowed, match="the script function raised IndexError"),
        ScriptedServer(forgetful) as server,
    ):
        assert ask(server).status_code == 400


def test_one_string_is_not_a_script() -> None:
    with pytest.raises(TypeError, match="a list of replies"):
        ScriptedServer("hello")


def test_what_is_no_reply_is_refused_before_the_server_starts() -> None:
    with pytest.raises(TypeError, match="not a reply: 42"):
        ScriptedServer([42])  # type: ignore[list-item]  # the mistake under test
