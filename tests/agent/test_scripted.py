"""The scripted model and sandbox complain when their script is not followed."""

from __future__ import annotations

import pytest

from mini_agent.model import ModelRequest
from mini_agent.testing.script import ScriptNotFollowed
from mini_agent.testing.scripted import ScriptedModel, ScriptedSandbox, execution, text_reply
from mini_agent_protocol.snippet import Snippet

REQUEST = ModelRequest("m", [], [], 1.0)
SNIPPET = Snippet(language="python", code="1")


async def test_a_step_left_over_is_a_failed_test() -> None:
    complaint = pytest.raises(ScriptNotFollowed, match="has 2 steps, asked for were 1")
    with complaint, ScriptedModel(text_reply("a"), text_reply("b")) as model:
        await model.reply(REQUEST)


async def test_a_request_too_many_is_a_failed_test_even_if_someone_swallows_it() -> None:
    model = ScriptedModel()
    with pytest.raises(ScriptNotFollowed):
        await model.reply(REQUEST)
    with pytest.raises(ScriptNotFollowed):
        model.check_used_up()


async def test_a_sandbox_keeps_to_its_script_as_well() -> None:
    with ScriptedSandbox(execution("1\n")) as sandbox:
        assert (await sandbox.run(SNIPPET)).stdout == "1\n"
    with pytest.raises(ScriptNotFollowed):
        await sandbox.run(SNIPPET)


async def test_an_error_of_the_test_itself_is_not_hidden_by_the_check() -> None:
    with pytest.raises(ZeroDivisionError), ScriptedModel(text_reply("a")):
        raise ZeroDivisionError
