"""What the doctor says of ports, services, MCP servers, and how it is shown."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mini_agent.cli.doctor.assistant import build_assistant_check, build_mcp_check
from mini_agent.cli.doctor.check import (
    Check,
    CheckRow,
    DoctorContext,
    fail,
    ok,
    skipped,
    warn,
)
from mini_agent.cli.doctor.command import format_json, format_text, run_checks
from mini_agent.cli.doctor.stack import check_ports, check_services
from mini_agent.coding.launch import LaunchConfig
from mini_agent.errors import NotConfigured
from mini_agent.testing import ScriptedServer
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.cli.doctor.conftest import around_here, found, states
from tests.shim.scripted import ScriptedModel, ScriptedSidecar
from tests.shim.serving import serve_app
from tests.tools.conftest import SERVER

HERE = {"MINI_AGENT_SIDECAR_TOKEN": "token"}


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


@pytest.fixture
def free() -> Iterator[str]:
    """A port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield str(bound.getsockname()[1])


async def test_a_port_is_free_or_ours_or_anothers(free: str) -> None:
    other = Starlette(routes=[Route("/api/version", lambda _: PlainTextResponse("hello"))])
    with (
        serve_app(other) as url,
        serve_app(create_app(ShimSettings(), model=ScriptedModel([]))) as shim,
    ):
        checks = await found(
            check_ports,
            MINI_AGENT_API_PORT=port_of(shim),
            CODEX_SIDECAR_PORT=free,
            OLLAMA_PORT=port_of(url),
        )
    assert states(checks) == {
        "port of shim": "ok",
        "port of sidecar": "ok",
        "port of ollama": "warn",
    }
    assert checks["port of shim"].detail.endswith("is the shim's")
    assert checks["port of ollama"].fix.startswith(f"OLLAMA_PORT={int(port_of(url)) + 1} make up")


async def test_ollamas_own_port_is_known_and_nonsense_is_none(free: str) -> None:
    with ScriptedServer() as ollama:
        checks = await found(
            check_ports,
            MINI_AGENT_API_PORT="eighty",
            CODEX_SIDECAR_PORT=free,
            OLLAMA_PORT=port_of(ollama.url),
        )
    assert checks["port of ollama"].detail.endswith("is the ollama's")
    assert checks["port of shim"].state == "fail"


async def test_services_that_are_up_are_asked_whether_they_are_ready() -> None:
    with serve_app(ScriptedSidecar().app()) as sidecar:
        settings = ShimSettings.model_validate({"sidecar_url": sidecar, "sidecar_token": "token"})
        with serve_app(create_app(settings, model=ScriptedModel([]))) as shim:
            checks = await found(
                check_services,
                MINI_AGENT_API_PORT=port_of(shim),
                MINI_AGENT_SIDECAR_URL=sidecar,
                **HERE,
            )
    assert states(checks) == {"shim": "ok", "sidecar": "ok"}


async def test_services_that_are_not_ready_say_why(free: str) -> None:
    with serve_app(ScriptedSidecar(ready=False).app()) as sidecar:
        settings = ShimSettings.model_validate({"sidecar_url": sidecar, "sidecar_token": "token"})
        with serve_app(create_app(settings, model=ScriptedModel([]))) as shim:
            checks = await found(
                check_services,
                MINI_AGENT_API_PORT=port_of(shim),
                MINI_AGENT_SIDECAR_URL=sidecar,
                **HERE,
            )
    assert states(checks) == {"shim": "fail", "sidecar": "fail"}
    assert "the engine is away" in checks["shim"].detail
    away = await found(
        check_services, MINI_AGENT_API_PORT=free, MINI_AGENT_SIDECAR_URL="http://[::1]:9"
    )
    assert (away["shim"].state, away["shim"].fix) == ("skipped", "make up")


def nowhere() -> LaunchConfig:
    raise NotConfigured("no model is named", hint="name one")


async def test_mcp_servers_are_started_and_those_that_fail_are_named(tmp_path: Path) -> None:
    servers = {
        "good": {"command": sys.executable, "args": [SERVER]},
        "bad": {"command": "/nowhere/at-all"},
        "unset": {"command": "x", "env": {"KEY": "${NOT_SET_AT_ALL}"}},
    }
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": servers}))
    checks = await found(build_mcp_check(nowhere), MINI_AGENT_MCP_CONFIG=str(file))
    assert states(checks) == {"MCP good": "ok", "MCP bad": "fail", "MCP unset": "warn"}
    assert states(await found(build_mcp_check(nowhere))) == {"MCP servers": "skipped"}


async def test_an_assistant_without_a_model_is_told_how_to_name_one() -> None:
    (check,) = (await found(build_assistant_check(nowhere))).values()
    assert (check.state, check.fix) == ("warn", "name one")


async def test_a_check_that_breaks_or_hangs_does_not_hide_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def breaks(_context: DoctorContext) -> Sequence[Check]:
        raise ZeroDivisionError("by nothing")

    async def hangs(_context: DoctorContext) -> Sequence[Check]:
        await asyncio.Event().wait()
        return []

    async def works(_context: DoctorContext) -> Sequence[Check]:
        return [ok("c", "well")]

    monkeypatch.setattr("mini_agent.cli.doctor.command.CHECK_TIMEOUT_S", 0.2)
    table = [
        CheckRow("g", name, look) for name, look in (("a", breaks), ("b", hangs), ("c", works))
    ]
    checks = await run_checks(table, await around_here())
    assert [(each.name, each.state) for each in checks] == [
        ("a", "fail"),
        ("b", "fail"),
        ("c", "ok"),
    ]
    assert "ZeroDivisionError: by nothing" in checks[0].detail


def test_what_others_wrote_does_nothing_to_a_terminal() -> None:
    checks = [
        ok("a", "fine"),
        warn("b", "so\nso", "look"),
        fail("c", "\x1b[2Jgone", "\x07do this"),
        skipped("d", "no time"),
    ]
    assert format_text(checks, in_colour=False).splitlines() == [
        "  ok    a  fine",
        "  warn  b  so so",
        "           -> look",
        "  FAIL  c  \\x1b[2Jgone",
        "           -> \\x07do this",
        "  -     d  no time",
        "",
        "1 ok, 1 warn, 1 fail, 1 skipped",
    ]
    assert "\x1b[32m  ok" in format_text(checks, in_colour=True)
    assert json.loads(format_json(checks))["ok"] is False
    assert json.loads(format_json(checks[:2]))["ok"] is True


def test_a_narrow_terminal_folds_what_is_said_within_its_column() -> None:
    checks = [
        replace(fail("port", "taken by " + "x" * 40, "stop it"), group="stack"),
        ok("b", "so"),
    ]
    assert format_text(checks, in_colour=False, width=40).splitlines() == [
        "stack",
        "  FAIL  port  taken by",
        "              " + "x" * 26,
        "              " + "x" * 14,
        "              -> stop it",
        "  ok    b     so",
        "",
        "1 ok, 1 fail",
    ]
    wide = format_text(checks, in_colour=False).splitlines()
    assert wide[1] == "  FAIL  port  taken by " + "x" * 40
