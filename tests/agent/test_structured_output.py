"""Answers that must be JSON: checked, asked for once more, and never passed on with words round."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from mini_agent.agent.structured_output import InvalidJsonAnswer, parse_response_format
from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest
from mini_agent.testing import ScriptedServer
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.agent.checked_run import TASK, ScriptedInvoker, run_agent

OBJECT: dict[str, JsonValue] = {"type": "json_object"}
SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
FITTING: dict[str, JsonValue] = {
    "type": "json_schema",
    "json_schema": {"name": "number", "schema": SCHEMA},
}
CONFIG = AgentConfig(model="m", response_format=FITTING)


@pytest.mark.parametrize(
    "said",
    ['{"n": 42}', '```json\n{"n": 42}\n```', 'Here it is: {"n": 42}. Anything else?'],
)
async def test_the_answer_is_the_json_alone(said: str) -> None:
    with ScriptedModel(text_reply(said)) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ('{"n": 42}', "success")


async def test_an_answer_that_does_not_fit_is_asked_for_once_more() -> None:
    with ScriptedModel(text_reply('{"n": "many"}'), text_reply('{"n": 42}')) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert result.final_answer == '{"n": 42}'
    nudge = str(model.requests[1].messages[-1]["content"])
    assert "['n'] 'many' is not of type 'integer'" in nudge


async def test_one_that_never_fits_is_told_as_an_error() -> None:
    with ScriptedModel(text_reply("It is 42."), text_reply("It is 42, really.")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ("It is 42, really.", "error")
    assert "not the JSON that was asked for" in (result.error or "")


async def test_the_form_is_told_from_the_start_but_forced_only_without_tools() -> None:
    with ScriptedModel(
        calls_reply(scripted_call("echo", text="a")), text_reply("42"), text_reply('{"n": 42}')
    ) as model:
        await run_agent(TASK, ScriptedInvoker("42"), CONFIG, model)
    assert all('"additionalProperties"' in str(a.messages[0]["content"]) for a in model.requests)
    assert [asked.options for asked in model.requests] == [{}, {}, {"response_format": FITTING}]


@pytest.mark.parametrize(
    ("output", "reason", "answer"),
    [
        ("plain words", "error", "plain words"),
        ('{"n": "many"}', "error", '{"n": "many"}'),
        ('{"n": 42}', "success", '{"n": 42}'),
        ('so: {"n": 42}', "success", '{"n": 42}'),
    ],
)
async def test_a_silent_end_lets_output_through_only_where_it_is_the_json(
    output: str, reason: str, answer: str
) -> None:
    with ScriptedModel(
        calls_reply(scripted_call("echo", text="a")), text_reply(""), text_reply("")
    ) as model:
        result = await run_agent(TASK, ScriptedInvoker(output), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == (answer, reason)


async def test_without_the_setting_nothing_is_said_of_json() -> None:
    with ScriptedModel(text_reply("42")) as model:
        result = await run_agent(TASK, ScriptedInvoker("42"), AgentConfig(model="m"), model)
    assert result.final_answer == "42"
    assert "JSON" not in str(model.requests[0].messages[0]["content"])


async def test_the_answer_at_the_last_turn_is_the_json_too() -> None:
    config = AgentConfig(model="m", response_format=OBJECT, max_iterations=1)
    with ScriptedModel(
        calls_reply(scripted_call("echo", text="a")), text_reply('So: {"a": 1}')
    ) as model:
        result = await run_agent(TASK, ScriptedInvoker("42"), config, model)
    assert (result.final_answer, result.stopped_reason) == ('{"a": 1}', "max_iterations")


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('I thought of {} but\n```json\n{"a": [1, 2]}\n```', '{"a": [1, 2]}'),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
    ],
)
def test_any_object_will_do_for_json_object(text: str, json: str) -> None:
    form = parse_response_format(OBJECT)
    assert form is not None
    assert form.extract(text) == json


@pytest.mark.parametrize("text", ["", "42", "[1]", "null", '{"a": NaN}', '{"a": 1', "no json"])
def test_what_is_no_object_is_refused(text: str) -> None:
    form = parse_response_format(OBJECT)
    assert form is not None
    with pytest.raises(InvalidJsonAnswer):
        form.extract(text)


def test_a_schema_that_is_none_is_the_callers_mistake() -> None:
    wrong: dict[str, JsonValue] = {
        "type": "json_schema",
        "json_schema": {"schema": {"type": "objekt"}},
    }
    with pytest.raises(BadRequest, match="response_format: the schema is none"):
        parse_response_format(wrong)


def test_a_schema_elsewhere_is_not_fetched() -> None:
    with ScriptedServer([]) as server:
        elsewhere: dict[str, JsonValue] = {"schema": {"$ref": f"{server.url}/schema"}}
        form = parse_response_format({"type": "json_schema", "json_schema": elsewhere})
        assert form is not None
        with pytest.raises(InvalidJsonAnswer, match="refers to what is not in it"):
            form.extract("{}")
        assert server.traffic == ()
