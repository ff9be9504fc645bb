"""`/v1/responses`, in OpenAI's words."""

from __future__ import annotations

import json
from http import HTTPStatus

import httpx
import pytest

from mini_agent.messages import Message
from tests.shim.openai.test_chat import SETTINGS
from tests.shim.scripted import ScriptedModel, open_client, program_turn, text_turn

ASKED: dict[str, object] = {
    "model": "mini-agent",
    "input": "What is six times seven?",
    "mini_agent": {"tool_backend": "echo"},
}
KINDS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


async def answered(asked: dict[str, object], model: ScriptedModel) -> httpx.Response:
    async with open_client(model, SETTINGS) as client:
        return await client.post("/v1/responses", json=asked)


async def shown(given: object, **more: object) -> list[Message]:
    """What the model is shown of an input."""
    model = ScriptedModel([text_turn("ok")])
    answer = await answered(ASKED | {"input": given, **more}, model)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return list(model.requests[0].messages)


async def test_a_run_is_a_response() -> None:
    answer = await answered(
        ASKED, ScriptedModel([program_turn("6*7", tool="echo"), text_turn("42")])
    )
    said = answer.json()
    assert (said["object"], said["status"]) == ("response", "completed")
    assert said["output"][0]["content"][0]["text"] == "42"
    assert said["id"] == f"resp_{answer.headers['x-run-id']}"


async def test_a_stream_has_the_events_that_clients_wait_for() -> None:
    answer = await answered(ASKED | {"stream": True}, ScriptedModel([text_turn("42")]))
    said = [json.loads(each.split("data: ")[1]) for each in answer.text.split("\n\n") if each]
    assert [each["type"] for each in said] == KINDS
    assert [each["sequence_number"] for each in said] == list(range(len(KINDS)))
    completed = said[-1]["response"]
    assert [item["type"] for item in completed["output"]] == ["reasoning", "message"]
    assert completed["usage"]["total_tokens"] >= 0


async def test_a_conversation_goes_on_from_the_response_before() -> None:
    model = ScriptedModel([text_turn("42"), text_turn("84")])
    async with open_client(model, SETTINGS) as client:
        first = (
            await client.post("/v1/responses", json=ASKED | {"instructions": "Be brief."})
        ).json()
        doubled = ASKED | {"input": "Twice that?", "previous_response_id": first["id"]}
        second = (await client.post("/v1/responses", json=doubled)).json()
        unknown = doubled | {"previous_response_id": "resp_nothing"}
        missing = await client.post("/v1/responses", json=unknown)
    said = [(each["role"], each["content"]) for each in model.requests[1].messages]
    assert said[-3:] == [
        ("user", "What is six times seven?"),
        ("assistant", "42"),
        ("user", "Twice that?"),
    ]
    assert "Be brief." not in str(said)
    assert second["output"][0]["content"][0]["text"] == "84"
    assert missing.json()["error"]["code"] == "previous_response_not_found"


async def test_what_a_client_sends_of_an_earlier_conversation_reaches_the_model() -> None:
    items = [
        {"role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
        {"type": "message", "role": "user", "content": "List the files."},
        {"type": "reasoning", "summary": [], "encrypted_content": None},
        {"type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "a.txt"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Which?"}]},
    ]
    messages = await shown(items)
    assert [each["role"] for each in messages] == ["developer", "user", "assistant", "tool", "user"]
    assert messages[3]["content"] == "a.txt"


async def test_a_picture_is_shown() -> None:
    part = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    messages = await shown([{"role": "user", "content": [part]}])
    assert "data:image/png;base64,AAAA" in str(messages[-1]["content"])


async def test_tools_that_are_no_functions_are_declined_by_their_names() -> None:
    tools = [
        {"type": "function", "name": "shell", "parameters": {}},
        {"type": "namespace", "name": "mcp__side", "tools": [{"type": "function", "name": "run"}]},
        {"type": "web_search"},
        {"type": "custom", "name": "apply\r\npatch"},
    ]
    answer = await answered(ASKED | {"tools": tools}, ScriptedModel([text_turn("ok")]))
    assert answer.headers["x-mini-agent-declined-tools"] == "run, web_search, apply??patch"
    assert answer.json()["tools"] == []


SHELL = {"type": "function", "name": "shell", "parameters": {}}


async def test_a_call_of_a_clients_function_is_an_item_and_its_result_goes_on() -> None:
    model = ScriptedModel([program_turn("ls", tool="shell"), text_turn("There is a.txt.")])
    async with open_client(model, SETTINGS) as client:
        asked = ASKED | {"tools": [SHELL]}
        first = (await client.post("/v1/responses", json=asked)).json()
        (call,) = first["output"]
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "a.txt"}
        going_on = {"input": [result], "previous_response_id": first["id"]}
        second = (await client.post("/v1/responses", json=asked | going_on)).json()
    assert (first["status"], call["type"], call["name"]) == ("completed", "function_call", "shell")
    assert json.loads(call["arguments"]) == {"code": "ls"}
    assert model.requests[1].messages[-1]["content"] == "a.txt"
    assert second["output"][0]["content"][0]["text"] == "There is a.txt."


async def test_a_streamed_call_has_the_events_that_clients_wait_for() -> None:
    asked = ASKED | {"tools": [SHELL], "stream": True}
    answer = await answered(asked, ScriptedModel([program_turn("ls", tool="shell")]))
    said = [json.loads(each.split("data: ")[1]) for each in answer.text.split("\n\n") if each]
    kinds = [each["type"] for each in said]
    assert kinds[-5:] == [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert said[-2]["item"]["arguments"] == '{"code": "ls"}'


async def test_a_run_that_a_limit_stopped_is_incomplete() -> None:
    model = ScriptedModel([program_turn("6*7", tool="echo"), text_turn("Perhaps 42.")])
    answer = (await answered(ASKED | {"max_iterations": 1}, model)).json()
    assert answer["status"] == "incomplete"
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["mini_agent"]["stopped_reason"] == "max_iterations"


async def test_a_run_that_failed_is_a_failed_response() -> None:
    model = ScriptedModel([text_turn("")] * 3)
    answer = (await answered(ASKED, model)).json()
    assert answer["status"] == "failed"
    assert answer["error"]["message"] == "the model gave an empty answer three times"


async def test_how_hard_to_think_reaches_the_model() -> None:
    model = ScriptedModel([text_turn("ok")])
    asked = ASKED | {"reasoning": {"effort": "high"}, "text": {"verbosity": "low"}}
    await answered(asked, model)
    options = model.requests[0].options
    assert (options["reasoning_effort"], options["verbosity"]) == ("high", "low")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"background": True}, "background is not available"),
        ({"conversation": "conv_1"}, "conversation is not available"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt is not available"),
        ({"max_tool_calls": 3}, "max_tool_calls is not available"),
        ({"tool_choice": {"type": "function", "name": "shell"}}, "tool_choice"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "items are not kept"),
        ({"input": [{"type": "reasoning"}]}, "input holds no message"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "a part of type 'input_file' cannot be shown",
        ),
    ],
)
async def test_what_cannot_be_is_refused_and_no_model_is_asked(
    changed: dict[str, object], said: str
) -> None:
    model = ScriptedModel([])
    answer = await answered(ASKED | changed, model)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert said in answer.json()["error"]["message"]
    assert model.requests == []


async def test_a_schema_is_handed_on() -> None:
    form = {
        "type": "json_schema",
        "name": "number",
        "schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
        "strict": True,
    }
    answer = await answered(
        ASKED | {"text": {"format": form}}, ScriptedModel([text_turn('{"n": 42}')])
    )
    assert json.loads(answer.json()["output"][0]["content"][0]["text"]) == {"n": 42}
