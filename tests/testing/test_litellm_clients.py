"""The wire, verified against LiteLLM as a real client of both formats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType, SimpleNamespace

import pytest

from mini_agent.models.litellm_runtime import close_litellm_clients, import_litellm
from mini_agent.testing import (
    Call,
    Models,
    ScriptedServer,
    Tokens,
    blank,
    breaks_off,
    call,
    calls,
    delayed,
    empty_choices,
    fenced_call,
    garbage,
    half_closed,
    hang,
    json_call,
    no_tools,
    not_pulled,
    reasoning_only,
    server_error,
    tagged_call,
    text,
    think,
    truncated,
    truncated_call,
)
from mini_agent.testing.replies import JsonObject, ScriptedReply

pytestmark = pytest.mark.filterwarnings("ignore:Item .* on TypedDict class:UserWarning")

NATIVE = ("ollama_chat/", "openai/")
EVERY = ("ollama/", *NATIVE)
HI: list[JsonObject] = [{"role": "user", "content": "hi"}]
TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "exec_python",
        "description": "Runs Python.",
        "parameters": {"type": "object", "properties": {"code": {"type": "string"}}},
    },
}
IN_TEXT = '{"name": "exec_python", "arguments": {"code": "1"}}'


@pytest.fixture
async def litellm() -> AsyncIterator[ModuleType]:
    yield import_litellm()
    await close_litellm_clients()


class Asking:
    """One way to ask, by LiteLLM's prefix; its answers are looked into by attribute."""

    def __init__(self, litellm: ModuleType, prefix: str) -> None:
        self._litellm = litellm
        self._prefix = prefix

    async def __call__(self, server: ScriptedServer, **more: object) -> SimpleNamespace:
        answer: SimpleNamespace = await self._litellm.acompletion(**{**self._asked(server), **more})
        return answer

    async def stream(self, server: ScriptedServer) -> list[SimpleNamespace]:
        chunks = await self._litellm.acompletion(**self._asked(server), stream=True)
        return [chunk async for chunk in chunks]

    def _asked(self, server: ScriptedServer) -> dict[str, object]:
        return {
            "model": f"{self._prefix}m",
            "api_base": server.openai_url if self._prefix == "openai/" else server.url,
            "api_key": "none",
            "max_retries": 0,
            "messages": HI,
            "timeout": 10,
        }


@pytest.fixture(params=NATIVE)
def native(litellm: ModuleType, request: pytest.FixtureRequest) -> Asking:
    return Asking(litellm, request.param)


@pytest.fixture(params=EVERY)
def every(litellm: ModuleType, request: pytest.FixtureRequest) -> Asking:
    return Asking(litellm, request.param)


async def test_text_and_its_cost_arrive(every: Asking) -> None:
    with ScriptedServer([text("Good day.", tokens=Tokens(7, 3))]) as server:
        answer = await every(server)
    assert answer.choices[0].message.content == "Good day."
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)


async def test_streamed_text_arrives(every: Asking) -> None:
    with ScriptedServer(["Good day."]) as server:
        chunks = await every.stream(server)
    assert "".join(one.choices[0].delta.content or "" for one in chunks) == "Good day."


async def test_native_calls_arrive_with_ids_and_string_arguments(native: Asking) -> None:
    two = calls(Call("exec_python", {"code": "1"}), Call("exec_python", {"code": "2"}, id=""))
    with ScriptedServer([two]) as server:
        choice = (await native(server, tools=[TOOL])).choices[0]
    made = choice.message.tool_calls
    assert [one.function.arguments for one in made] == ['{"code": "1"}', '{"code": "2"}']
    assert all(one.id for one in made)
    assert choice.finish_reason == "tool_calls"
    assert server.requests[0].tools == [TOOL]


async def test_a_tool_s_answer_comes_back_as_a_tool_message(native: Asking) -> None:
    with ScriptedServer([call("exec_python", code="print(42)"), "It is 42."]) as server:
        asked = (await native(server, tools=[TOOL])).choices[0].message.model_dump()
        made = asked["tool_calls"][0]
        told = {"role": "tool", "tool_call_id": made["id"], "content": "42"}
        final = await native(server, tools=[TOOL], messages=[*HI, asked, told])
    assert final.choices[0].message.content == "It is 42."
    assert [message["role"] for message in server.requests[1].messages] == [
        "user",
        "assistant",
        "tool",
    ]


async def test_the_prompt_protocol_of_ollama_makes_a_lone_json_call_a_tool_call(
    litellm: ModuleType,
) -> None:
    with ScriptedServer([json_call("exec_python", code="1")]) as server:
        choice = (await Asking(litellm, "ollama/")(server, tools=[TOOL])).choices[0]
    assert choice.message.tool_calls[0].function.name == "exec_python"
    assert server.requests[0].path == "/api/generate"


@pytest.mark.parametrize(
    ("reply", "content"),
    [
        (json_call("exec_python", code="1"), IN_TEXT),
        (fenced_call("exec_python", code="1"), f"```json\n{IN_TEXT}\n```"),
        (tagged_call("exec_python", code="1"), f"<tool_call>\n{IN_TEXT}\n</tool_call>"),
        (blank(), ""),
    ],
)
async def test_what_a_weak_model_writes_stays_content(
    native: Asking, reply: ScriptedReply, content: str
) -> None:
    with ScriptedServer([reply]) as server:
        message = (await native(server, tools=[TOOL])).choices[0].message
    assert (message.content, message.tool_calls) == (content, None)


@pytest.mark.parametrize("reply", [think("hmm", "yes"), text("yes", reasoning="hmm")])
async def test_thoughts_are_told_from_the_answer(native: Asking, reply: ScriptedReply) -> None:
    with ScriptedServer([reply]) as server:
        message = (await native(server)).choices[0].message
    assert (message.reasoning_content, message.content) == ("hmm", "yes")


async def test_an_answer_can_be_all_reasoning(native: Asking) -> None:
    with ScriptedServer([reasoning_only("hmm")]) as server:
        message = (await native(server)).choices[0].message
    assert (message.reasoning_content, message.content) == ("hmm", "")


@pytest.mark.parametrize("reply", [truncated("and so"), truncated_call("exec_python")])
async def test_a_cut_answer_says_length(native: Asking, reply: ScriptedReply) -> None:
    with ScriptedServer([reply]) as server:
        assert (await native(server, tools=[TOOL])).choices[0].finish_reason == "length"


async def test_a_cut_call_is_a_call_with_a_fragment_in_openai_s_format(litellm: ModuleType) -> None:
    with ScriptedServer([truncated_call("exec_python", '{"code":')]) as server:
        message = (await Asking(litellm, "openai/")(server, tools=[TOOL])).choices[0].message
    assert message.tool_calls[0].function.arguments == '{"code":'


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (no_tools(), "BadRequestError", "does not support tools"),
        (not_pulled("m"), "NotFoundError", "model 'm' not found"),
        (server_error(), "InternalServerError", "runner process has terminated"),
        (breaks_off("partly", "runner died"), "InternalServerError", "runner died"),
    ],
)
async def test_a_refusal_becomes_litellm_s_error(
    litellm: ModuleType, every: Asking, reply: ScriptedReply, error: str, said: str
) -> None:
    with (
        ScriptedServer([reply]) as server,
        pytest.raises(getattr(litellm, error), match=said),
    ):
        await every(server)


@pytest.mark.parametrize("reply", [half_closed("never whole"), garbage()])
async def test_an_answer_that_is_none_is_a_server_s_fault(
    litellm: ModuleType, every: Asking, reply: ScriptedReply
) -> None:
    faults = (litellm.APIConnectionError, litellm.InternalServerError)
    with ScriptedServer([reply]) as server, pytest.raises(faults):
        await every(server)


async def test_empty_choices_break_litellm_itself(litellm: ModuleType) -> None:
    with ScriptedServer([empty_choices()]) as server, pytest.raises(IndexError):
        _ = (await Asking(litellm, "openai/")(server)).choices[0]


async def test_an_error_in_the_middle_of_a_stream_is_raised_there(
    litellm: ModuleType, every: Asking
) -> None:
    faults = (litellm.ServiceUnavailableError, litellm.BadRequestError)
    with ScriptedServer([breaks_off("partly", "runner died")]) as server, pytest.raises(faults):
        await every.stream(server)


@pytest.mark.parametrize("reply", [hang(), delayed("late", 5)])
async def test_a_model_that_is_too_slow_is_a_timeout(
    litellm: ModuleType, every: Asking, reply: ScriptedReply
) -> None:
    with ScriptedServer([reply]) as server, pytest.raises(litellm.Timeout):
        await every(server, timeout=0.2)


async def test_probes_of_litellm_use_no_reply(litellm: ModuleType) -> None:
    models = Models(pulled=["probed"])
    with ScriptedServer(["ok"], models=models) as server:
        known = litellm.get_model_info("ollama/probed", api_base=server.url)
        answer = await litellm.acompletion(
            model="ollama_chat/probed", messages=HI, api_base=server.url, timeout=10
        )
    assert known["max_input_tokens"] == 32_768
    assert answer.choices[0].message.content == "ok"
    assert len(server.requests) == 1
    assert "/api/show" in {request.path for request in server.traffic}
