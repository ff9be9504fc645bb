"""The body of a create: what the sidecar makes passes, and nothing else does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from codex_sidecar.guard.errors import RequestRefused
from codex_sidecar.guard.settings import GuardSettings
from codex_sidecar.guard.template import parse_confinement
from mini_agent.sandbox import LANGUAGES, Language, Limits
from tests.sidecar.guard.create_bodies import body
from tests.sidecar.guard.json_changes import (
    Place,
    at,
    leaves,
    objects,
    put,
    without,
)

TERMS = GuardSettings(instance="guarded").template()
RIGHT = body("guarded")
LEAVES = list(leaves(RIGHT))


def passed(asked: JsonValue) -> dict[str, JsonValue]:
    """What the engine would be sent."""
    return parse_confinement(json.dumps(asked).encode(), TERMS, time.time()).body()


def named(place: Place) -> str:
    return ".".join(place)


def others(value: JsonValue) -> Iterator[JsonValue]:
    """Values of the same kind and of others; numbers that may be chosen go out of their range."""
    yield from (None, [], {}, "", "x", -1, 0, 0.5, 1 << 62, [value], {"x": value})
    if isinstance(value, bool):
        yield from (not value, int(value), str(value))
    elif isinstance(value, int):
        yield from (value * 1000 + 1, -value - 1, float(value), str(value))
    elif isinstance(value, str):
        yield from (f"{value}x", f" {value}", f"{value}\n", f"{value}\0", f"{value},exec")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_sidecar_makes_is_sent_on_word_for_word(language: Language) -> None:
    asked = body("guarded", language)
    assert json.dumps(passed(asked)) == json.dumps(asked)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(memory_mb=32, workspace_mb=20, pids=8, cpus=0.1),
        Limits(memory_mb=127, cpus=0.333, pids=1024),
        Limits(memory_mb=4096, workspace_mb=4000, cpus=2),
    ],
)
def test_limits_within_their_ranges_are_the_sidecars_to_choose(limits: Limits) -> None:
    asked = body("guarded", limits=limits)
    assert passed(asked) == asked


@pytest.mark.parametrize("place", LEAVES, ids=named)
def test_no_leaf_of_the_body_may_be_another(place: Place) -> None:
    right = at(RIGHT, place)
    through = []
    for other in others(right):
        # As text: to Python, 0, 0.0 and False are the same.
        if json.dumps(other) != json.dumps(right):
            through += _through(put(RIGHT, place, other))
    assert through == []


@pytest.mark.parametrize("place", LEAVES, ids=named)
def test_no_leaf_of_the_body_may_be_missing(place: Place) -> None:
    assert _through(without(RIGHT, place)) == []


@pytest.mark.parametrize("place", list(objects(RIGHT)), ids=named)
def test_no_object_of_the_body_may_have_one_more(place: Place) -> None:
    assert _through(put(RIGHT, (*place, "Added"), "x")) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("Image",), "mini-agent/sandbox-python:latest"),
        (("Image",), "mini-agent/sandbox-base:local"),
        (("User",), "123456:0"),
        (("Cmd", "0"), "7200.5"),
        (("Cmd", "0"), "nan"),
        (("Cmd", "0"), "1e9"),
        (("Cmd", "1"), "other"),
        (("Labels", "mini-agent.instance"), "another"),
        pytest.param(
            *(("Labels", "mini-agent.deadline"), str(int(time.time()) + 86_400)), id="in-a-day"
        ),
        (("HostConfig", "PidsLimit"), 1025),
        (("HostConfig", "NanoCpus"), 65_000_000_000),
        (("HostConfig", "Runtime"), "runsc"),
        (("HostConfig", "Tmpfs", "/"), "rw"),
    ],
)
def test_a_value_just_out_of_its_range_does_not_pass(place: Place, value: JsonValue) -> None:
    assert _through(put(RIGHT, place, value)) == []


@pytest.mark.parametrize("uid", [0, 1, 999, 65_534, 99_999, 1_000_100_000, (1 << 32) - 1])
def test_a_user_who_is_not_a_sandboxs_does_not_pass_though_it_is_consistent(uid: int) -> None:
    assert _through(dict(body("guarded", uid=uid))) == []


@pytest.mark.parametrize("uid", [100_000, 1_000_099_999])
def test_the_first_and_the_last_user_for_sandboxes_pass(uid: int) -> None:
    asked = body("guarded", uid=uid)
    assert passed(asked) == asked


def test_memory_beyond_the_most_does_not_pass_though_it_is_consistent() -> None:
    asked = body("guarded", limits=Limits(memory_mb=2048))
    template = GuardSettings(instance="guarded", most_memory_mb=1024).template()
    with pytest.raises(RequestRefused):
        parse_confinement(json.dumps(asked).encode(), template, time.time())


def test_files_that_would_not_fit_in_the_memory_do_not_pass() -> None:
    small = body("guarded", limits=Limits(memory_mb=64, workspace_mb=20))
    assert passed(small) == small
    mount = str(at(small, ("HostConfig", "Tmpfs", "/workspace")))
    place = ("HostConfig", "Tmpfs", "/workspace")
    assert _through(put(small, place, mount.replace("size=20m", "size=60m"))) == []


@pytest.mark.parametrize(
    "sent",
    [b"", b"null", b"[]", b"{}", b"{", b'"x"', b"[" * 60_000, b'{"a":' * 9_000, b"\xff", b"1e999"],
)
def test_what_is_not_the_body_of_anything_does_not_pass(sent: bytes) -> None:
    with pytest.raises(RequestRefused):
        parse_confinement(sent, TERMS, time.time())


def test_of_a_name_that_is_there_twice_neither_value_reaches_the_engine() -> None:
    twice = json.dumps(RIGHT)[:-1] + ', "HostConfig": {"Privileged": true}}'
    with pytest.raises(RequestRefused):
        parse_confinement(twice.encode(), TERMS, time.time())
    first = '{"HostConfig": {"Privileged": true}, ' + json.dumps(RIGHT)[1:]
    assert parse_confinement(first.encode(), TERMS, time.time()).body() == RIGHT


def _through(asked: JsonValue) -> list[JsonValue]:
    """The body, if it is let through."""
    try:
        return [passed(asked)]
    except RequestRefused:
        return []
