"""A run is cancelled from outside, at any moment and through any door: nothing goes on."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

import pytest

import mini_agent
from mini_agent import AgentConfig, arun_mcp_mini_agent, run_mcp_mini_agent
from mini_agent.agent.sync import run_blocking
from mini_agent.agent.tool_backends import open_sandbox_tools
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import (
    close_litellm_clients,
    flush_litellm_logging,
    import_litellm,
)
from mini_agent.remote.client import ShimClient
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.sandbox import SidecarClient
from mini_agent.testing import ScriptedServer
from mini_agent.tools.sandbox import SandboxInvoker
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)
from tests.flow.leaving import MOMENTS, Moment, gone_within
from tests.shim.serving import serve_app

pytestmark = [pytest.mark.docker, pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)]

ENDED_S = 15.0


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar that keeps no sandbox waiting: what there is belongs to a run."""
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Stack:
    """What a run needs: a model, sandboxes, and, for some doors, a shim."""

    model: ScriptedServer
    sidecar: Sidecar
    shim: str

    @property
    def request(self) -> AgentRunRequest:
        return AgentRunRequest(
            model="openai/scripted",
            messages=[user("Go.")],
            tool_backend="sidecar",
            api_base=self.model.openai_url,
            api_key="none",
        )

    @property
    def config(self) -> AgentConfig:
        return self.request.config(self.request.model)


@contextmanager
def stack(moment: Moment, real: Sidecar) -> Iterator[Stack]:
    settings = {"MINI_AGENT_SIDECAR_URL": real.url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN}
    shim = create_app(ShimSettings.model_validate(settings))
    with ScriptedServer(moment.script) as model, serve_app(shim) as url:
        yield Stack(model, real, url)


async def from_python(there: Stack) -> None:
    async with (
        SidecarClient(there.sidecar.url, TOKEN) as client,
        open_sandbox_tools(client, ["python"]) as tools,
    ):
        await arun_mcp_mini_agent(there.request.messages, tools, there.config)


async def through_litellm(there: Stack) -> None:
    litellm = import_litellm()
    before = list(litellm.custom_provider_map)
    mini_agent.install()
    try:
        await litellm.acompletion(
            model="mini-agent/openai/scripted",
            messages=there.request.messages,
            tool_backend="sidecar",
            api_base=there.model.openai_url,
            api_key="none",
        )
    finally:
        litellm.__dict__["custom_provider_map"] = before


async def through_the_shim(there: Stack) -> None:
    await ShimClient(there.shim).run(there.request)


async def through_the_shims_events(there: Stack) -> None:
    async with aclosing(ShimClient(there.shim).events(there.request)) as events:
        async for _ in events:
            pass


@pytest.mark.parametrize(
    "door", [from_python, through_litellm, through_the_shim, through_the_shims_events]
)
async def test_cancelling_ends_the_run_and_its_sandbox(
    door: Callable[[Stack], Coroutine[object, object, None]],
    moment: Moment,
    real: Sidecar,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", real.url)
    monkeypatch.setenv("MINI_AGENT_SIDECAR_TOKEN", TOKEN)
    with stack(moment, real) as there:
        running = asyncio.create_task(door(there))
        await asyncio.to_thread(moment.wait, there.model, real)
        running.cancel()
        cancelled = time.monotonic()
        await asyncio.wait({running})
        assert running.cancelled()
        assert time.monotonic() - cancelled < ENDED_S
        assert await asyncio.to_thread(gone_within, ENDED_S, real)
        asked = len(there.model.requests)
        await flush_litellm_logging()
        await close_litellm_clients()
    assert asked == len(there.model.requests)


def test_ctrl_c_ends_the_run_and_its_sandbox(moment: Moment, real: Sidecar) -> None:
    interrupted: list[float] = []

    def interrupt(there: Stack, main: int) -> None:
        moment.wait(there.model, real)
        interrupted.append(time.monotonic())
        signal.pthread_kill(main, signal.SIGINT)

    with stack(moment, real) as there:
        client = SidecarClient(real.url, TOKEN)
        tools = SandboxInvoker(client, languages=["python"])
        watching = threading.Thread(target=interrupt, args=(there, threading.get_ident()))
        watching.start()
        with pytest.raises(KeyboardInterrupt):
            run_mcp_mini_agent(there.request.messages, tools, there.config)
        assert time.monotonic() - interrupted[0] < ENDED_S
        assert gone_within(ENDED_S, real)
        run_blocking(client.aclose())
        watching.join()
