"""What the engine itself says of the sandboxes of a run: how they are made, and that they go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

import docker
import httpx
import pytest

pytestmark = [pytest.mark.stack, pytest.mark.docker]

LABEL = "mini-agent.sandbox=1"
GONE_WITHIN_S = 5.0


@contextmanager
def first_sandbox(engine: docker.DockerClient) -> Iterator[Future[dict[str, object]]]:
    """What the engine says of the next sandbox, read as soon as it exists."""
    events = engine.events(decode=True, filters={"label": LABEL, "event": "create"})

    def inspected() -> dict[str, object]:
        facts: dict[str, object] = engine.api.inspect_container(next(events)["id"])
        return facts

    with ThreadPoolExecutor(1) as watching:
        yield watching.submit(inspected)
        events.close()


def test_a_snippet_gets_a_sealed_container_that_is_gone_afterwards(stack: httpx.Client) -> None:
    prompt = 'Reverse "hello" by running Python, and answer with what it printed.'
    with closing(docker.from_env()) as engine:
        with first_sandbox(engine) as seen:
            answered = stack.post(
                "/agent/run",
                json={
                    "model": "llamafile/tiny-agent",
                    "messages": [{"role": "user", "content": prompt}],
                },
            )
            facts = seen.result(timeout=30)
        assert "olleh" in answered.json()["final_answer"]
        assert confinement(facts) == {
            "network": "none",
            "root is read-only": True,
            "capabilities": ["ALL"],
            "mounts of the host": None,
            "privileged": False,
            "user is root": False,
        }
        assert none_left(engine)


def confinement(facts: dict[str, object]) -> dict[str, object]:
    host, config = facts["HostConfig"], facts["Config"]
    assert isinstance(host, dict)
    assert isinstance(config, dict)
    return {
        "network": host["NetworkMode"],
        "root is read-only": host["ReadonlyRootfs"],
        "capabilities": host["CapDrop"],
        "mounts of the host": host["Binds"],
        "privileged": host["Privileged"],
        "user is root": config["User"].split(":")[0] in ("", "0", "root"),
    }


def none_left(engine: docker.DockerClient) -> bool:
    patience = time.monotonic() + GONE_WITHIN_S
    while engine.containers.list(all=True, filters={"label": LABEL}):
        if time.monotonic() > patience:
            return False
        time.sleep(0.1)
    return True
