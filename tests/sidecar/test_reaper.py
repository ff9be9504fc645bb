"""Whom the reaper takes, and whom it leaves."""

from __future__ import annotations

import time

import pytest

from codex_sidecar.engine.models import ContainerSummary
from codex_sidecar.engine.reaper import Reaper
from codex_sidecar.errors import EngineUnavailable

LATER = str(int(time.time()) + 86_400)
EARLIER = str(int(time.time()) - 1)


class Containers:
    """Those that are there, and the names of those that were removed."""

    def __init__(self, *found: ContainerSummary) -> None:
        self.found, self.removed = list(found), list[str]()

    async def list_sandboxes(self) -> list[ContainerSummary]:
        return self.found

    async def remove_container(self, name: str) -> None:
        self.removed.append(name)


class Stubborn(Containers):
    """Removes none the first time."""

    def __init__(self, *found: ContainerSummary) -> None:
        super().__init__(*found)
        self.refusals = [EngineUnavailable("busy")]

    async def remove_container(self, name: str) -> None:
        if self.refusals:
            raise self.refusals.pop()
        await super().remove_container(name)


class Nobody(Containers):
    async def list_sandboxes(self) -> list[ContainerSummary]:
        raise EngineUnavailable("nobody answers")


def found(instance: str, deadline: str = LATER) -> ContainerSummary:
    labels = {"mini-agent.instance": instance, "mini-agent.deadline": deadline}
    return ContainerSummary.model_validate({"Names": ["/one"], "Labels": labels})


@pytest.mark.parametrize(
    ("container", "taken"),
    [
        (found("mine"), ["one"]),
        (found("mine", EARLIER), ["one"]),
        (found("other"), []),
        (found("other", EARLIER), ["one"]),
        (found("other", "soon"), ["one"]),
    ],
)
async def test_a_sandbox_is_taken_when_nobody_answers_for_it(
    container: ContainerSummary, taken: list[str]
) -> None:
    containers = Containers(container)
    await Reaper(containers, "mine", frozenset).run_once()
    assert containers.removed == taken


async def test_a_living_sandbox_is_left_alone() -> None:
    containers = Containers(found("mine", EARLIER))
    await Reaper(containers, "mine", lambda: frozenset({"one"})).run_once()
    assert containers.removed == []


async def test_one_that_was_removed_while_the_engine_counted_is_not_reaped() -> None:
    living = [frozenset({"one"}), frozenset[str]()]
    containers = Containers(found("mine"))
    await Reaper(containers, "mine", lambda: living.pop(0)).run_once()
    assert containers.removed == []


async def test_one_that_cannot_be_removed_does_not_keep_the_others() -> None:
    containers = Stubborn(found("mine"), found("mine"))
    await Reaper(containers, "mine", frozenset).run_once()
    assert len(containers.removed) == 1


async def test_an_engine_that_is_away_does_not_end_the_rounds() -> None:
    await Reaper(Nobody(), "mine", frozenset).run_once()
