"""Sessions: what their snippets find of those before."""

from __future__ import annotations

import asyncio

from tests.sidecar.scripted_engine import ScriptedEngine
from tests.sidecar.scripted_session import SessionRunner
from tests.sidecar.session_client import Client, facts, said


async def test_a_session_starts_a_sandbox_when_one_is_needed_and_keeps_it(
    session: Client, engine: ScriptedEngine
) -> None:
    assert engine.created() == []
    first = await session.run("write a one")
    second = await session.run("read a")
    assert second.stdout == "one\n"
    assert (facts(first).workspace, facts(second).workspace) == ("new", "kept")
    assert len(engine.created()) == 1


async def test_the_workspace_goes_along_to_the_sandbox_of_another_language(
    session: Client, engine: ScriptedEngine
) -> None:
    await session.run("write a one", "python")
    there = await session.run("read a\nwrite a two", "node")
    back = await session.run("read a", "python")
    assert (there.stdout, back.stdout) == ("one\n", "two\n")
    assert facts(back).workspace == "kept"
    assert len(engine.created()) == 2


async def test_a_fourth_language_takes_the_place_of_the_one_used_longest_ago(
    session: Client, engine: ScriptedEngine
) -> None:
    for language in ("python", "node", "go", "rust", "python"):
        await session.run("read a\nwrite a kept", language)
    assert (await session.run("read a", "python")).stdout == "kept\n"
    assert len(engine.created()) == 5


async def test_a_sandbox_that_dies_between_two_snippets_is_replaced_and_the_loss_is_told(
    session: Client,
) -> None:
    await session.run("write a one")
    dying = await session.run("print x\ndie")
    assert (dying.status, dying.stdout) == ("killed", "x\n")
    after = await session.run("read a")
    assert (after.stdout, facts(after).workspace) == ("nothing\n", "lost")
    assert facts(await session.run("read a")).workspace == "kept"


async def test_what_an_older_sandbox_still_has_is_not_passed_off_as_the_workspace(
    session: Client,
) -> None:
    await session.run("write a old", "python")
    await session.run("write a new\ndie", "node")
    after = await session.run("read a", "python")
    assert (after.stdout, facts(after).workspace) == ("nothing\n", "lost")


async def test_calls_to_one_session_are_served_in_turn_and_a_crowd_is_sent_away(
    session: Client, runner: SessionRunner
) -> None:
    first = asyncio.create_task(session.run("wait\nwrite a 0"))
    await runner.running.acquire()
    waiting = [asyncio.create_task(session.run(f"read a\nwrite a {n}")) for n in (1, 2, 3, 4)]
    await asyncio.sleep(0.3)
    assert said(await session.post("print late")) == (409, "session_busy")
    runner.go_on.set()
    await first
    assert [(await each).stdout for each in waiting] == ["0\n", "1\n", "2\n", "3\n"]


async def test_an_interrupt_ends_what_runs_and_the_session_goes_on(
    session: Client, runner: SessionRunner
) -> None:
    running = asyncio.create_task(session.run("write a kept\nwait"))
    await runner.running.acquire()
    assert (await session.http.post(f"{session.path}/interrupt")).status_code == 202
    interrupted = await running
    assert (interrupted.status, interrupted.signal) == ("nonzero", "SIGINT")
    assert (await session.run("read a")).stdout == "kept\n"


async def test_an_interrupt_where_nothing_runs_is_no_error(session: Client) -> None:
    assert (await session.http.post(f"{session.path}/interrupt")).status_code == 202
    assert (await session.run("print on")).stdout == "on\n"


async def test_a_session_that_comes_to_tables_gets_a_sandbox_that_has_them_imported(
    session: Client, engine: ScriptedEngine
) -> None:
    await session.run("write a one", "python")
    tables = await session.run("read a\nimport pandas", "python")
    after = await session.run("read a", "python")
    assert (tables.stdout.split()[0], after.stdout) == ("one", "one\n")
    assert [str(body["Cmd"]).count("data") for body in engine.bodies.values()] == [0, 1]


async def test_variables_stay_where_they_are_whatever_is_imported_next(
    session: Client, engine: ScriptedEngine
) -> None:
    await session.run("print x", "python", stateful=True)
    await session.run("import pandas", "python", stateful=True)
    assert len(engine.created()) == 1
