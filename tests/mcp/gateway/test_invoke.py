"""The gateway over HTTP, in front of servers that answer, and of servers that do not."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.mcp.gateway.conftest import (
    SERVER,
    gateway_over,
    invoke,
    names,
    ours,
    statuses,
    until,
)
from tests.tools.conftest import Notes

SECRET = "a-secret-for-one-test"


async def test_tools_of_all_servers_are_listed_and_called_by_long_and_by_bare_name(
    tmp_path: Path,
) -> None:
    text = ours("one", enabled_tools=["add", "weather"]) + ours("two", disabled_tools=["add"])
    async with gateway_over(tmp_path, text) as client:
        listed = await names(client)
        assert listed[:2] == ["one__add", "one__weather"]
        assert "two__weather" in listed
        assert "two__add" not in listed
        assert await invoke(client, "one__add", a=40, b=2) == {
            "text": "42",
            "data": {"result": "42"},
        }
        assert (await invoke(client, "add", a=1, b=1))["text"] == "2"
        several = await client.post("/invoke", json={"name": "weather"})
        hidden = await client.post("/invoke", json={"name": "two__add"})
    assert several.json()["error"]["hint"] == "call one of them: one__weather, two__weather"
    assert (hidden.status_code, hidden.json()["error"]["code"]) == (404, "unknown_tool")


async def test_arguments_are_an_object_or_the_text_of_one(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, ours("one")) as client:
        said = await client.post("/invoke", json={"name": "add", "arguments": '{"a": 1, "b": 2}'})
    assert said.json()["text"] == "3"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b'{"name": "add", "arguments": "{x"}', 400, "bad_request"),
        (b'{"name": "add", "arguments": "[1]"}', 400, "bad_request"),
        (b'{"name": "add", "arguments": 3}', 422, "invalid_request"),
        (b'{"arguments": {}}', 422, "invalid_request"),
        (b'{"name": ""}', 422, "invalid_request"),
        (b'{"name": "add", "args": {}}', 422, "invalid_request"),
        (b'{"name": "nobody"}', 404, "unknown_tool"),
    ],
)
async def test_a_call_that_cannot_be_is_refused_and_says_why(
    tmp_path: Path, body: bytes, status: int, code: str
) -> None:
    async with gateway_over(tmp_path, ours("one")) as client:
        answered = await client.post(
            "/invoke", content=body, headers={"Content-Type": "application/json"}
        )
    assert (answered.status_code, answered.json()["error"]["code"]) == (status, code)


async def test_what_a_tool_finds_wrong_is_an_error_in_the_answer(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, ours("one")) as client:
        failed = await invoke(client, "fail")
        wrong = await invoke(client, "add", a="x", b=1)
    assert failed["error"] == "Error executing tool fail"
    assert "valid integer" in str(wrong["error"])


async def test_images_and_files_come_as_attachments(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, ours("one")) as client:
        drawn = await invoke(client, "draw")
        files = await invoke(client, "resources")
    assert isinstance(drawn["attachments"], list)
    assert drawn["attachments"][0]["media_type"] == "image/png"
    assert "file:///a.txt:\nhello" in str(files["text"])


async def test_a_result_of_ten_megabytes_arrives(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, ours("one")) as client:
        said = await invoke(client, "long", characters=10 << 20)
    assert len(str(said["text"])) == (10 << 20) + len("the end")


async def test_a_call_that_takes_too_long_is_cancelled_at_its_server_and_made_once(
    tmp_path: Path, notes: Notes
) -> None:
    text = ours("one", notes=notes.path, tool_timeout_sec=2)
    async with gateway_over(tmp_path, text) as client:
        await names(client)
        cut = await client.post("/invoke", json={"name": "slow", "arguments": {"seconds": 60}})
        assert (cut.status_code, cut.json()["error"]["code"]) == (504, "tool_timeout")
        assert not cut.json()["error"]["retryable"]
        await notes.until("slow cancelled")
        assert (await invoke(client, "add", a=1, b=1))["text"] == "2"
    assert notes.text().count("slow began") == 1
    assert notes.text().count("add 1 1") == 1
    assert len(notes.started) == 1


async def test_whoever_hangs_up_takes_the_call_along(tmp_path: Path, notes: Notes) -> None:
    async with gateway_over(tmp_path, ours("one", notes=notes.path)) as client:
        call = asyncio.create_task(invoke(client, "slow", seconds=60))
        await notes.until("slow began")
        call.cancel()
        await notes.until("slow cancelled")


async def test_a_killed_server_is_started_again_and_its_call_is_not_made_twice(
    tmp_path: Path, notes: Notes
) -> None:
    async with gateway_over(tmp_path, ours("one", notes=notes.path)) as client:
        await names(client)
        call = asyncio.create_task(invoke(client, "slow", seconds=60))
        await notes.until("slow began")
        os.kill(notes.started[0], signal.SIGKILL)
        assert "whether the call was carried out is not known" in str((await call)["error"])
        assert (await invoke(client, "add", a=1, b=1))["text"] == "2"
    assert notes.text().count("slow began") == 1
    assert len(notes.started) == 2


async def test_servers_that_do_not_start_are_named_and_the_rest_is_served(tmp_path: Path) -> None:
    text = (
        ours("well")
        + ours("broken", "--broken")
        + ours("noisy", "--noise")
        + '[mcp_servers.missing]\ncommand = "/nowhere/at-all"\n'
        + '[mcp_servers.far]\nurl = "http://127.0.0.1:9/mcp"\n'
        + '[mcp_servers.unset]\ncommand = "${NOT_SET_ANYWHERE}"\n'
        + '[mcp_servers.off]\ncommand = "x"\nenabled = false\n'
        + '[mcp_servers.hangs]\ncommand = "sleep"\nargs = ["60"]\nstartup_timeout_sec = 1\n'
    )
    async with gateway_over(tmp_path, text) as client:
        listed = await names(client)
        found = await statuses(client)
    assert {name.split("__")[0] for name in listed} == {"well", "noisy"}
    assert {name: server["state"] for name, server in found.items()} == {
        "well": "running",
        "broken": "failed",
        "noisy": "running",
        "missing": "failed",
        "far": "failed",
        "unset": "unusable",
        "off": "disabled",
        "hangs": "failed",
    }
    assert "cannot read the configuration" in str(found["broken"]["error"])
    assert "No such file" in str(found["missing"]["error"])
    assert found["unset"]["error"] == "unset.command: the variable NOT_SET_ANYWHERE is not set"
    assert "was not ready within 1 s" in str(found["hangs"]["error"])


async def test_a_server_that_fails_is_tried_again_until_it_starts(tmp_path: Path) -> None:
    there = tmp_path / "there"
    script = f"test -e {there} && exec {sys.executable} {SERVER}"
    text = f"[mcp_servers.late]\ncommand = 'sh'\nargs = ['-c', '{script}']\n"
    async with gateway_over(tmp_path, text) as client:
        assert await names(client) == []
        there.touch()

        async def is_there() -> bool:
            return await names(client) != []

        await until(is_there)
        assert (await invoke(client, "late__add", a=1, b=1))["text"] == "2"


async def test_one_server_that_hangs_holds_up_no_other(tmp_path: Path, notes: Notes) -> None:
    text = "".join(ours(f"s{n}", notes=notes.path) for n in range(3))
    async with gateway_over(tmp_path, text) as client:
        await names(client)
        hanging = [asyncio.create_task(invoke(client, "s0__slow", seconds=50)) for _ in range(10)]
        await notes.until("slow began")
        calls = (invoke(client, f"s{1 + n % 2}__add", a=n, b=0) for n in range(40))
        said = await asyncio.gather(*calls)
        assert not any(call.done() for call in hanging)
        for call in hanging:
            call.cancel()
        await asyncio.wait(hanging)
    assert [each["text"] for each in said] == [str(n) for n in range(40)]


async def test_a_servers_environment_is_what_is_allowed_and_what_is_named(tmp_path: Path) -> None:
    text = ours("one", env_vars=["TOLD"])
    async with gateway_over(tmp_path, text, TOLD="1", NOT_TOLD="1", LANG="C") as client:
        known = str((await invoke(client, "environment"))["text"]).split()
    assert {"PATH", "HOME", "LANG", "TOLD"} <= set(known)
    assert "NOT_TOLD" not in known


async def test_a_tool_that_is_named_and_not_there_is_told_in_health(tmp_path: Path) -> None:
    text = ours("one", enabled_tools=["add", "wether"], disabled_tools=["drew"])
    async with gateway_over(tmp_path, text) as client:
        assert await names(client) == ["one__add"]
        found = (await statuses(client))["one"]
    assert found["state"] == "running"
    assert "does not have: wether, drew; it has: add, weather" in str(found["error"])
