"""Putting providers into LiteLLM's registry."""

from __future__ import annotations

from types import ModuleType

import pytest

import mini_agent
from mini_agent.errors import BadRequest


class Parrot:
    """Says what it hears."""

    def completion(self, **call: object) -> object:
        response = call["model_response"]
        response.choices[0].message.content = call["messages"][-1]["content"]  # type: ignore[attr-defined, index]
        return response

    async def acompletion(self, **call: object) -> object:
        return self.completion(**call)


def registered(litellm: ModuleType, name: str) -> list[object]:
    registry = litellm.custom_provider_map
    return [entry["custom_handler"] for entry in registry if entry["provider"] == name]


def test_installing_twice_registers_once(litellm: ModuleType) -> None:
    mini_agent.install()
    first = registered(litellm, "mini-agent")
    mini_agent.install()
    assert registered(litellm, "mini-agent") == first
    assert isinstance(first[0], mini_agent.MiniAgentLLM)


def test_a_replaced_registry_gets_it_back(litellm: ModuleType) -> None:
    mini_agent.install()
    litellm.__dict__["custom_provider_map"] = []
    mini_agent.install()
    assert len(registered(litellm, "mini-agent")) == 1


@pytest.mark.parametrize("handler", [Parrot, Parrot()])
def test_a_class_or_an_instance_becomes_a_provider(litellm: ModuleType, handler: object) -> None:
    given = mini_agent.register_custom_provider("parrot", handler)
    assert registered(litellm, "parrot") == [given]
    assert "parrot" in litellm.provider_list
    assert "parrot" in litellm._custom_providers
    said = litellm.completion(model="parrot/x", messages=[{"role": "user", "content": "hey"}])
    assert said.choices[0].message.content == "hey"


def test_a_later_handler_replaces_the_earlier_one(litellm: ModuleType) -> None:
    mini_agent.register_custom_provider("parrot", Parrot)
    later = mini_agent.register_custom_provider("parrot", Parrot)
    assert registered(litellm, "parrot") == [later]


@pytest.mark.parametrize("name", ["", "a/b", 7])
def test_a_name_that_no_model_could_carry_is_refused(name: object) -> None:
    with pytest.raises(BadRequest, match="no name for a provider"):
        mini_agent.register_custom_provider(name, Parrot)  # type: ignore[arg-type]


def test_what_is_no_handler_is_refused(litellm: ModuleType) -> None:
    with pytest.raises(BadRequest, match="no completion and no acompletion"):
        mini_agent.register_custom_provider("thing", object())


def test_a_handler_that_changes_later_answers_by_what_it_has_become(litellm: ModuleType) -> None:
    class Named(Parrot):
        name = "before"

    handler = Named()
    given = mini_agent.register_custom_provider("named", handler)
    handler.name = "after"
    assert vars(given)["name"] == "after"


def test_a_handler_with_slots_is_refused_with_what_to_do(litellm: ModuleType) -> None:
    class Slotted:
        __slots__ = ()
        completion = acompletion = Parrot.completion

    with pytest.raises(BadRequest, match=r"subclass litellm\.CustomLLM"):
        mini_agent.register_custom_provider("slotted", Slotted())
