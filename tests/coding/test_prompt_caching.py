"""What the model is sent, beside what was said: marks for its cache, ids of ours."""

from __future__ import annotations

from mini_agent.coding.launch import select_digest_model, select_model
from mini_agent.coding.side_model import PromptCachingModel, mark_prefixes
from mini_agent.messages import JsonObject, Message, user
from mini_agent.model import ModelRequest
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call

SYSTEM: Message = {"role": "system", "content": [{"type": "text", "text": "A"}]}
MARK: JsonObject = {"type": "ephemeral"}


def test_the_instructions_the_first_message_and_the_last_are_marked() -> None:
    sent = mark_prefixes([SYSTEM, user("one"), user("two"), user("three")])
    assert sent[0]["content"] == [{"type": "text", "text": "A", "cache_control": MARK}]
    assert sent[1]["content"] == [{"type": "text", "text": "one", "cache_control": MARK}]
    assert sent[2]["content"] == "two"
    assert "cache_control" in str(sent[3])


def test_a_blank_message_is_not_marked() -> None:
    assert mark_prefixes([user("")]) == [user("")]


async def test_other_servers_get_plain_texts_and_every_call_an_id_of_its_own() -> None:
    repeated = scripted_call("Read", file_path="a")
    with ScriptedModel(calls_reply(repeated, repeated)) as model:
        reply = await PromptCachingModel(model).reply(
            ModelRequest("openai/m", [SYSTEM, user("hi")], [], 1.0)
        )
    assert model.requests[0].messages[0]["content"] == "A"
    assert len({each.id for each in reply.tool_calls}) == 2


def test_the_model_is_the_one_named_first() -> None:
    environment = {"LITELLM_DEFAULT_MODEL": "a/b", "OPENAI_API_KEY": "k"}
    assert select_model("c/d", "claude-x", environment) == "c/d"
    assert select_model("", "claude-x", environment) == "a/b"
    assert select_model("", "claude-x", {}) == "claude-x"
    assert select_model("", "opus", {"OPENAI_API_KEY": "k"}) == "gpt-4.1"


def test_pages_are_read_by_a_small_model_of_the_same_maker() -> None:
    assert select_digest_model("gemini/gemini-2.5-pro") == "gemini/gemini-2.5-flash"
    assert select_digest_model("gpt-4.1") == "gpt-4.1-nano"
    assert select_digest_model("ollama/qwen3") == "ollama/qwen3"
    assert select_digest_model("openrouter/x/y") == "openrouter/x/y"
