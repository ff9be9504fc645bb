"""The agent behind LiteLLM's Proxy, asked with OpenAI's own client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.replies import JsonObject, ScriptedReply
from tests.stock.conftest import Program
from tests.stock.serving import Proxy, proxy

QUESTION = {"role": "user", "content": "What is 6 * 7? Use Python."}
CLIENT = """
import os
from openai import OpenAI
address, key = os.environ["PROXY"] + "/v1", os.environ["PROXY_KEY"]
client = OpenAI(base_url=address, api_key=key, max_retries=0)
question = {"role": "user", "content": "What is 6 * 7? Use Python."}
asked = {"model": "mini-agent", "messages": [question]}
"""


class Talk:
    """The model behind the Proxy: it computes, unless it is told to wait, and then says so."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "pid"
        self.waits = call(
            "exec_python",
            code=f"import os, time\nprint(os.getpid(), file=open({str(self.file)!r}, 'w'), "
            "flush=True)\ntime.sleep(60)",
        )

    def reply(self, messages: list[JsonObject]) -> ScriptedReply | str:
        last = messages[-1]
        if last["role"] == "tool":
            return "It is 42."
        if "wait" in str(last["content"]):
            return self.waits
        return call("exec_python", code="print(6 * 7)")


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    return Talk(tmp_path_factory.mktemp("talk"))


@pytest.fixture(scope="module")
def serving(stock: Path, talk: Talk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with (
        ScriptedServer(talk.reply) as server,
        proxy(
            stock,
            tmp_path_factory.mktemp("proxy"),
            OLLAMA_API_BASE=server.url,
            LITELLM_MINI_AGENT_TOOL_BACKEND="local",
        ) as running,
    ):
        yield running


@pytest.fixture
def said(printed: Program, serving: Proxy) -> Program:
    """What a program prints that has OpenAI's `client`, and the question as `asked`."""

    def run(program: str) -> str:
        return printed(CLIENT + program, PROXY=serving.url, PROXY_KEY=serving.key)

    return run


def test_a_chat(said: Program) -> None:
    program = """
done = client.chat.completions.create(**asked)
print(done.choices[0].message.content, done.choices[0].finish_reason, done.usage.total_tokens)
print(done.mini_agent["stopped_reason"], done.mini_agent["parsed_tools"][0]["stdout"])
"""
    assert said(program) == "It is 42. stop 60\nsuccess 42\n\n"


def test_a_chat_with_parameters_of_ours(said: Program) -> None:
    program = """
done = client.chat.completions.create(**asked, extra_body={"max_iterations": 1})
print(done.mini_agent["stopped_reason"])
"""
    assert said(program) == "max_iterations\n"


def test_a_chat_that_streams(said: Program) -> None:
    program = """
options = {"include_usage": True}
chunks = list(client.chat.completions.create(**asked, stream=True, stream_options=options))
print([chunk.choices[0].delta.content for chunk in chunks if chunk.choices][:4])
print([chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason])
print([chunk.usage.total_tokens for chunk in chunks if chunk.usage])
print([chunk.mini_agent["stopped_reason"] for chunk in chunks if hasattr(chunk, "mini_agent")])
"""
    assert said(program).splitlines() == [
        "['', 'It ', 'is ', '42.']",
        "['stop']",
        "[60]",
        "['success']",
    ]


def test_a_chat_that_streams_its_progress(said: Program) -> None:
    program = """
asked["extra_body"] = {"stream_progress": True}
for chunk in client.chat.completions.create(**asked, stream=True):
    print(getattr(chunk.choices[0].delta, "reasoning_content", ""), end="")
"""
    assert "exec_python: print(6 * 7)\n-> exec_python ended with rc 0" in said(program)


def test_the_responses_api(said: Program) -> None:
    program = """
done = client.responses.create(model="mini-agent", input="What is 6 * 7? Use Python.")
print(done.output_text, done.status, done.usage.total_tokens)
"""
    assert said(program) == "It is 42. completed 60\n"


def test_the_responses_api_streams(said: Program) -> None:
    program = """
events = client.responses.create(model="mini-agent", input="What is 6 * 7?", stream=True)
print([event.delta for event in events if event.type == "response.output_text.delta"])
"""
    assert said(program) == "['It ', 'is ', '42.']\n"


def test_the_messages_api(serving: Proxy) -> None:
    answered = httpx.post(
        f"{serving.url}/v1/messages",
        json={"model": "mini-agent", "max_tokens": 100, "messages": [QUESTION]},
        headers={"x-api-key": serving.key},
        timeout=150,
    ).json()
    assert answered["content"] == [{"type": "text", "text": "It is 42."}]
    assert (answered["stop_reason"], answered["usage"]["input_tokens"]) == ("end_turn", 40)


def test_the_messages_api_streams(serving: Proxy) -> None:
    answered = httpx.post(
        f"{serving.url}/v1/messages",
        json={"model": "mini-agent", "max_tokens": 100, "messages": [QUESTION], "stream": True},
        headers={"x-api-key": serving.key},
        timeout=150,
    ).text
    assert [word in answered for word in ('"It "', '"is "', '"42."')] == [True] * 3
    assert "event: message_stop" in answered


@pytest.mark.parametrize("streams", ["True", "False"])
def test_a_parameter_that_cannot_be_is_a_400_that_names_it(said: Program, streams: str) -> None:
    program = f"""
import openai
try:
    wrong = {{"max_iterations": "many"}}
    client.chat.completions.create(**asked, stream={streams}, extra_body=wrong)
except openai.BadRequestError as refused:
    print(refused.status_code, "max_iterations: Input should be" in str(refused))
"""
    assert said(program) == "400 True\n"


def test_who_hangs_up_on_a_stream_ends_the_run(serving: Proxy, talk: Talk) -> None:
    asked = {"role": "user", "content": "wait"}
    with httpx.stream(
        "POST",
        f"{serving.url}/v1/chat/completions",
        json={"model": "mini-agent", "messages": [asked], "stream": True},
        headers={"Authorization": f"Bearer {serving.key}"},
        timeout=150,
    ):
        until = time.monotonic() + 50
        while not (talk.file.exists() and talk.file.read_text()):
            assert time.monotonic() < until
            time.sleep(0.02)
        process = Path(f"/proc/{talk.file.read_text().strip()}")
        assert process.exists()
    until = time.monotonic() + 20
    while process.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not process.exists()
