"""What the engine itself says of the sandboxes of a run: how they are made, and that they go."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

import docker
import httpx
import pytest

pytestmark = [pytest.mark.stack, pytest.mark.docker]

LABEL = "mini-agent.sandbox=1"


@contextmanager
def first_to_go(engine: docker.DockerClient) -> Iterator[Future[str]]:
    """The id of the next sandbox that is removed."""
    events = engine.events(decode=True, filters={"label": LABEL, "event": "destroy"})

    def removed() -> str:
        return str(next(events)["id"])

    with ThreadPoolExecutor(1) as watching:
        yield watching.submit(removed)
        events.close()


def test_a_run_gets_a_sealed_container_that_is_gone_afterwards(stack: httpx.Client) -> None:
    prompt = 'Reverse "hello" by running Python, and answer with what it printed.'
    with closing(docker.from_env()) as engine:
        waiting = {
            str(found.id): confinement(engine.api.inspect_container(str(found.id)))
            for found in engine.containers.list(filters={"label": LABEL})
        }
        with first_to_go(engine) as gone:
            answered = stack.post(
                "/agent/run",
                json={
                    "model": "llamafile/tiny-agent",
                    "messages": [{"role": "user", "content": prompt}],
                },
            )
            used = gone.result(timeout=30)
    assert "olleh" in answered.json()["final_answer"]
    assert waiting[used] == {
        "network": "none",
        "root is read-only": True,
        "capabilities": ["ALL"],
        "mounts of the host": None,
        "privileged": False,
        "user is root": False,
    }


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
