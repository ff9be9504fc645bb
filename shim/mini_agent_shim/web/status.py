"""`GET /status`: the state of engine, sidecar and model, and the levels of the pools."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final, Literal

import httpx
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.errors import SandboxUnavailable
from mini_agent_shim.api.openapi import AUTH_PROBLEMS
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar import SidecarConnection, SidecarNotReady

TIMEOUT_S: Final = 2.0
OLLAMA_PREFIXES: Final = ("ollama/", "ollama_chat/")
POOL_LEVEL: Final = re.compile(
    r'^sidecar_pool_level\{pool="([\w-]{1,40})"\} (\d{1,9}(?:\.0)?)$', re.MULTILINE
)
ENGINE_CODES: Final = ("engine_unavailable", "engine_refused")
PULL_HINT: Final = "fetch it: ollama pull {name}"
MODEL_HINT: Final = "set LITELLM_DEFAULT_CODE_MODEL, or name a model in each request"

PartState = Literal["ok", "off", "unknown"]


class Part(BaseModel):
    """The state of one thing that a run needs."""

    model_config = ConfigDict(frozen=True)

    state: PartState = Field(description="Whether it is there; unknown where that cannot be seen.")
    detail: str = Field(default="", description="What was found, for people.")
    hint: str = Field(default="", description="What to do; empty where nothing is to be done.")


class Status(BaseModel):
    """The state of what runs need."""

    model_config = ConfigDict(frozen=True)

    engine: Part = Field(description="The container engine.")
    sidecar: Part = Field(description="The sidecar.")
    model: Part = Field(description="The default model.")
    default_model: str = Field(
        description="The name of the default model; empty where none is set."
    )
    pools: dict[str, int] = Field(
        description="How many sandboxes are ready, by what is started in them."
    )


@dataclass(frozen=True, slots=True)
class StatusRoutes:
    """Checks on each request; calls no model."""

    settings: ShimSettings
    sidecar: SidecarConnection

    def router(self) -> APIRouter:
        """Create the router."""
        router = APIRouter()
        router.add_api_route("/status", self.status, responses=AUTH_PROBLEMS)
        return router

    async def status(self) -> Status:
        """Return the state of all parts."""
        async with asyncio.TaskGroup() as group:
            sandboxes = group.create_task(self._check_sandboxes())
            pools = group.create_task(self._read_pools())
            model = group.create_task(self._check_model())
        engine, sidecar = sandboxes.result()
        return Status(
            engine=engine,
            sidecar=sidecar,
            model=model.result(),
            default_model=self.settings.default_model,
            pools=pools.result(),
        )

    async def _check_sandboxes(self) -> tuple[Part, Part]:
        try:
            await self.sidecar.require_ready()
        except SidecarNotReady as refused:
            why = Part(state="off", detail=refused.message, hint=refused.hint)
            engine = why if refused.cause in ENGINE_CODES else Part(state="unknown")
            return engine, why
        except SandboxUnavailable as away:
            off = Part(state="off", detail=away.message, hint=away.hint)
            return Part(state="unknown", detail="only the sidecar sees it"), off
        return Part(state="ok", detail="runs sandboxes"), Part(state="ok", detail="ready")

    async def _read_pools(self) -> dict[str, int]:
        if not self.settings.sidecar_url:
            return {}
        response = await _get(f"{self.settings.sidecar_url.rstrip('/')}/metrics")
        found = POOL_LEVEL.findall(response.text) if response is not None else []
        return {pool: int(float(level)) for pool, level in found}

    async def _check_model(self) -> Part:
        named = self.settings.default_model
        if not named:
            return Part(state="unknown", detail="no model is set as the default", hint=MODEL_HINT)
        if not named.startswith(OLLAMA_PREFIXES):
            return Part(state="unknown", detail=f"{named}: seen when it is asked")
        return await self._check_ollama(named.partition("/")[2])

    async def _check_ollama(self, name: str) -> Part:
        address = (self.settings.ollama_address or "http://127.0.0.1:11434").rstrip("/")
        response = await _get(f"{address}/api/tags")
        if response is None:
            detail = f"Ollama at {address} does not answer"
            return Part(state="off", detail=detail, hint="start it: ollama serve")
        if {name, f"{name}:latest"} & _model_names(response):
            return Part(state="ok", detail=f"{name} is there")
        return Part(state="off", detail=f"{name} is not there", hint=PULL_HINT.format(name=name))


async def _get(url: str) -> httpx.Response | None:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as http:
            response = await http.get(url)
    except httpx.HTTPError:
        return None
    return response if response.is_success else None


def _model_names(response: httpx.Response) -> set[str]:
    try:
        listed: JsonValue = response.json()
    except ValueError:
        return set()
    models = listed.get("models") if isinstance(listed, dict) else None
    found = models if isinstance(models, list) else []
    return {str(each.get("name")) for each in found if isinstance(each, dict)}
