"""Finding the shim's container by its name."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mini_agent.errors import MiniAgentError, ShimUnavailable
from mini_agent.remote.discovery import find_shim_address
from tests.provider.engine import container, engine_with
from tests.shim.serving import serve_app

NAME = "litellm-mini-agent"


def address_of(inspected: object, monkeypatch: pytest.MonkeyPatch) -> str:
    with serve_app(engine_with(NAME, inspected)) as url:
        monkeypatch.setenv("DOCKER_HOST", url.replace("http:", "tcp:"))
        return find_shim_address(NAME)


@pytest.mark.parametrize(
    ("published", "address"),
    [
        (("127.0.0.1", "8788"), "http://127.0.0.1:8788"),
        (("0.0.0.0", "9999"), "http://127.0.0.1:9999"),
        (("::", "9999"), "http://127.0.0.1:9999"),
        (("::1", "9999"), "http://[::1]:9999"),
    ],
)
def test_a_published_port_is_the_address(
    published: tuple[str, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address_of(container(published=published, address="172.18.0.2"), monkeypatch) == address


def test_without_a_published_port_it_is_the_address_in_a_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert address_of(container(address="172.18.0.2"), monkeypatch) == "http://172.18.0.2:8788"


def test_a_container_that_nobody_can_reach_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShimUnavailable, match="publishes no port"):
        address_of(container(), monkeypatch)


def test_a_container_that_stopped_is_told_with_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShimUnavailable, match="is not running, it is exited") as raised:
        address_of(container(status="exited"), monkeypatch)
    assert "make up" in raised.value.hint


def test_a_container_that_is_not_there_is_told_with_what_makes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve_app(engine_with("another", container())) as url:
        monkeypatch.setenv("DOCKER_HOST", url.replace("http:", "tcp:"))
        with pytest.raises(
            ShimUnavailable, match="no container named 'litellm-mini-agent'"
        ) as raised:
            find_shim_address(NAME)
    assert "make up" in raised.value.hint


def test_an_engine_that_is_not_running_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
    with pytest.raises(ShimUnavailable, match="the Docker Engine is not running"):
        find_shim_address(NAME)


# The SDK forgets to close a unix socket it cannot connect, which this process would complain about.
def said_by_a_process_of_its_own(*command: str, **variables: str) -> str:
    program = (
        "from mini_agent.remote.discovery import find_shim_address\n"
        "try: find_shim_address('x')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    ran = subprocess.run(
        [*command, sys.executable, "-c", program],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    return ran.stdout


def test_no_docker_at_all_is_told_so(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/docker.sock"
    said = said_by_a_process_of_its_own(DOCKER_HOST=nowhere, PATH=str(tmp_path))
    assert said.startswith("NotConfigured Docker is not installed on this machine")


def test_a_socket_that_may_not_be_used_is_told_with_what_allows_it(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    powerless = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0)
        said = said_by_a_process_of_its_own(*powerless, DOCKER_HOST=f"unix://{path}")
    assert said.startswith("NotConfigured this user may not talk to the Docker Engine")
    assert "usermod -aG docker" in said


def test_every_trouble_is_one_of_our_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "nonsense://")
    with pytest.raises(MiniAgentError):
        find_shim_address(NAME)
