"""A shim on loopback for a browser, its model scripted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from mini_agent.model import Model, ModelReply, ToolCall
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import TOKEN
from tests.docker.sidecar_process import Sidecar as RealSidecar
from tests.shim.scripted import ScriptedSidecar
from tests.shim.serving import serve_app


def calling_model(tool: str, program: str, field: str = "code") -> ModelReply:
    """A model that has a program run."""
    arguments = json.dumps({field: program})
    return ModelReply(tool_calls=(ToolCall("call_1", tool, arguments),), finish_reason="tool_calls")


@contextmanager
def shim(model: Model, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Its address."""
    given = {"LITELLM_DEFAULT_CODE_MODEL": "scripted/model", **(settings or {})}
    with serve_app(create_app(ShimSettings.model_validate(given), model=model)) as address:
        yield address


def with_real(real: RealSidecar) -> dict[str, str]:
    """The settings of a shim whose programs run in sandboxes."""
    return {"MINI_AGENT_SIDECAR_URL": real.url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN}


@contextmanager
def sandbox(there: ScriptedSidecar) -> Iterator[dict[str, str]]:
    """The settings of a shim that runs its programs there."""
    with serve_app(there.app()) as url:
        yield {"MINI_AGENT_SIDECAR_URL": url, "MINI_AGENT_SIDECAR_TOKEN": there.token}


def start_run(address: str, prompt: str = "Please compute.", **more: object) -> str:
    """The id of a new run in the background."""
    asked = {"messages": [{"role": "user", "content": prompt}], "background": True, **more}
    answer = httpx.post(f"{address}/agent/run", json=asked, trust_env=False)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return str(answer.json()["id"])


def run_url(address: str, run_id: str) -> str:
    """Where the page shows it."""
    return f"{address}/#/runs/{run_id}"
