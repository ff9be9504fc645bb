"""Find the address of the shim's container through Docker."""

from __future__ import annotations

import shutil
from types import ModuleType
from typing import Final

from pydantic import BaseModel, Field

from mini_agent.errors import MiniAgentError, NotConfigured, ShimUnavailable

SHIM_PORT: Final = "8788/tcp"
ENGINE_TIMEOUT_S: Final = 10
ANY_ADDRESS: Final = ("", "0.0.0.0", "::")


def find_shim_address(container: str) -> str:
    """`http://127.0.0.1:PORT` where the port is published, else its address in a network.

    Raises `ShimUnavailable` when Docker or the container is away, `NotConfigured` when Docker is
    not installed or not allowed. Blocks: a coroutine calls it in a thread.
    """
    docker = _import_docker()
    try:
        engine = docker.from_env(timeout=ENGINE_TIMEOUT_S)
        try:
            found = engine.containers.get(container)
        finally:
            engine.close()
    except docker.errors.NotFound:
        raise ShimUnavailable(
            f"Docker has no container named {container!r}",
            hint="`make up` starts the stack; LITELLM_MINI_AGENT_DOCKER_CONTAINER names another",
        ) from None
    except docker.errors.DockerException as broken:
        raise _build_engine_error(str(broken)) from broken
    return _build_address(container, _Container.model_validate(found.attrs))


def _import_docker() -> ModuleType:
    try:
        import docker
        import docker.errors
    except ModuleNotFoundError:
        raise NotConfigured(
            "finding the shim container needs Docker's Python package", hint="pip install docker"
        ) from None
    sdk: ModuleType = docker
    return sdk


def _build_engine_error(said: str) -> MiniAgentError:
    if "PermissionError" in said or "Permission denied" in said:
        return NotConfigured(
            "this user may not talk to the Docker Engine",
            hint="`sudo usermod -aG docker $USER`, then log in again; or run as root",
        )
    if "FileNotFoundError" in said and shutil.which("docker") is None:
        return NotConfigured(
            "Docker is not installed on this machine",
            hint="`make up` installs it where it may; or point DOCKER_HOST at an engine elsewhere",
        )
    if "FileNotFoundError" in said or "refused" in said:
        return ShimUnavailable(
            "the Docker Engine is not running", hint="`sudo systemctl start docker`, then `make up`"
        )
    return ShimUnavailable(f"the Docker Engine does not answer as it should: {said[:200]}")


class _State(BaseModel):
    status: str = Field(
        default="unknown",
        alias="Status",
        description="The state in a word, such as running or exited.",
    )
    running: bool = Field(alias="Running", description="Whether the container runs.")


class _PublishedPort(BaseModel):
    ip: str = Field(
        default="",
        alias="HostIp",
        description="The address of the machine that the port is published on.",
    )
    port: str = Field(default="", alias="HostPort", description="The port of the machine.")


class _Network(BaseModel):
    address: str = Field(
        default="",
        alias="IPAddress",
        description="The container's IP address in the network; empty for none.",
    )


class _NetworkSettings(BaseModel):
    ports: dict[str, list[_PublishedPort] | None] | None = Field(
        default=None,
        alias="Ports",
        description="Published ports by the container's own, such as 8788/tcp.",
    )
    networks: dict[str, _Network] | None = Field(
        default=None, alias="Networks", description="The networks by name."
    )


class _Container(BaseModel):
    state: _State = Field(alias="State", description="The state of the container.")
    network: _NetworkSettings = Field(
        alias="NetworkSettings", description="The networks of the container."
    )


def _build_address(container: str, inspected: _Container) -> str:
    if not inspected.state.running:
        raise ShimUnavailable(
            f"container {container!r} is not running, it is {inspected.state.status}",
            hint="`make up` starts it; `make logs` shows why it stopped",
        )
    for published in (inspected.network.ports or {}).get(SHIM_PORT) or ():
        return f"http://{_reachable_host(published.ip)}:{published.port}"
    for network in (inspected.network.networks or {}).values():
        if network.address:
            return f"http://{network.address}:{SHIM_PORT.partition('/')[0]}"
    raise ShimUnavailable(
        f"container {container!r} publishes no port for {SHIM_PORT} and is in no network",
        hint="`make down` and `make up` start it as compose.agents.yml says",
    )


def _reachable_host(host_ip: str) -> str:
    if host_ip in ANY_ADDRESS:
        return "127.0.0.1"
    return f"[{host_ip}]" if ":" in host_ip else host_ip
