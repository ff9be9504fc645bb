"""What is no request is refused by both services, in words, and nothing is begun."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping

import httpx
import pytest

from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.faults.disclosure import require_problem
from tests.faults.services import Platform
from tests.shim.scripted import ScriptedModel
from tests.shim.serving import serve_app

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

EXECUTE, RUN = "/v1/execute", "/agent/run"
JSON = {"Content-Type": "application/json"}
REFUSED = {400, 413, 415, 422}
NO_JSON = (
    b"",
    b"{",
    b'{"code": "x",}',
    b"{'code': 'x'}",
    b"null",
    b"[]",
    b'"text"',
    b"NaN",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"code": ' + b"9" * 100_000 + b"}",
)
SNIPPET: dict[str, object] = {"language": "python", "code": "print(1)"}
LANGUAGES = ("cobol", "", "py thon", "../python", "x" * 10_000)
TIMES: tuple[object, ...] = (-1, 0, 0.0001, 10**30, "1s", True)
MEMORIES: tuple[object, ...] = (0, 1, 5, 10**9, 64.5)
FIELDS = ("privileged", "image", "network", "user", "binds")
NAMES = ("/etc/x", "../x", "a/../../x", "a\0b", "-x", "")
ODD_SNIPPETS: list[Mapping[str, object]] = [
    *[{"language": each} for each in LANGUAGES],
    *[{"limits": {"timeout_s": each}} for each in TIMES],
    *[{"limits": {"memory_mb": each}} for each in MEMORIES],
    *[{each: "x"} for each in FIELDS],
    *[{"files": {each: ""}} for each in NAMES],
    {"files": {f"f{number}": "" for number in range(10_001)}},
    {"files": []},
    {"code": 123},
    {"env": {"LD_PRELOAD": "/x"}},
]
ASKED: dict[str, object] = {
    "messages": [{"role": "user", "content": "x"}],
    "model": "a/b",
    "tool_backend": "echo",
}
ODD_RUNS: list[Mapping[str, object]] = [
    {"messages": []},
    {"messages": "x"},
    {"messages": [{"role": "king", "content": "x"}]},
    {"max_iterations": -1},
    {"max_iterations": 10**30},
    {"max_wallclock_seconds": "soon"},
    {"allowed_languages": ["cobol"]},
    {"tool_backend": "elsewhere"},
    {"privileged": True},
    {"stream": True, "background": True},
]


@pytest.fixture(scope="module")
def shim() -> Iterator[httpx.Client]:
    """A shim that has no model and no sandboxes: nothing here may get that far."""
    with (
        serve_app(create_app(ShimSettings.model_validate({}), model=ScriptedModel([]))) as url,
        httpx.Client(
            base_url=url, trust_env=False, timeout=60, event_hooks={"response": [require_problem]}
        ) as client,
    ):
        yield client


def statuses(client: httpx.Client, path: str, *bodies: bytes) -> set[int]:
    return {client.post(path, content=body, headers=JSON).status_code for body in bodies}


def changed(usual: dict[str, object], odd: list[Mapping[str, object]]) -> list[bytes]:
    return [json.dumps({**usual, **each}).encode() for each in odd]


def test_what_is_no_json_object_is_refused(platform: Platform, shim: httpx.Client) -> None:
    with platform.client() as sidecar:
        assert statuses(sidecar, EXECUTE, *NO_JSON) <= REFUSED
    assert statuses(shim, RUN, *NO_JSON) <= REFUSED


def test_values_that_cannot_be_are_refused(platform: Platform, shim: httpx.Client) -> None:
    with platform.client() as sidecar:
        assert statuses(sidecar, EXECUTE, *changed(SNIPPET, ODD_SNIPPETS)) == {422}
    assert statuses(shim, RUN, *changed(ASKED, ODD_RUNS)) <= {400, 422}


def test_numbers_that_are_none_are_refused(platform: Platform, shim: httpx.Client) -> None:
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
        snippet = b'{"language": "python", "code": "1", "limits": {"timeout_s": %b}}' % number
        asked = b'{"messages": [{"role": "user", "content": "x"}], "temperature": %b}' % number
        with platform.client() as sidecar:
            assert statuses(sidecar, EXECUTE, snippet) <= {400, 422}
        assert statuses(shim, RUN, asked) <= {400, 422}


def test_a_name_that_is_there_twice_is_refused_by_the_sidecar(platform: Platform) -> None:
    twice = b'{"language": "python", "language": "bash", "code": "echo 1"}'
    with platform.client() as client:
        answer = client.post(EXECUTE, content=twice, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "'language' is there twice"


def test_text_that_cannot_be_written_down_is_refused(
    platform: Platform, shim: httpx.Client
) -> None:
    lone = rb'"\ud800"'
    snippets = (
        b'{"language": "python", "code": %b}' % lone,
        b'{"language": "python", "code": "1", "stdin": %b}' % lone,
        b'{"language": "python", "code": "1", "files": {%b: ""}}' % lone,
        b'{"language": "python", "code": "1", "env": {"A": %b}}' % lone,
    )
    with platform.client() as sidecar:
        assert statuses(sidecar, EXECUTE, *snippets) <= {400, 422}
    named = b'{"messages": [{"role": "user", "content": "x"}], "model": %b}' % lone
    assert statuses(shim, RUN, named) <= {400, 422}


def test_bodies_of_other_kinds_are_refused(platform: Platform, shim: httpx.Client) -> None:
    whole = json.dumps(SNIPPET)
    packed = gzip.compress(b" " * (64 << 20))
    kinds: tuple[tuple[bytes, dict[str, str]], ...] = (
        (whole.encode(), {"Content-Type": "text/plain"}),
        (whole.encode(), {"Content-Type": "multipart/form-data; boundary=x"}),
        (whole.encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
        (packed, {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
        (whole.encode(), {}),
    )
    with platform.client() as sidecar:
        for content, headers in kinds:
            for client, path in ((sidecar, EXECUTE), (shim, RUN)):
                answer = client.post(path, content=content, headers=headers)
                assert answer.status_code in REFUSED, (path, headers, answer.text)


def test_paths_and_methods_that_are_none_are_refused(
    platform: Platform, shim: httpx.Client
) -> None:
    odd = ("//v1/execute", "/v1/execute/..;/admin", "/runs/%2e%2e%2fsecret", "/runs/x", "/%00")
    with platform.client() as sidecar:
        for client in (sidecar, shim):
            assert {client.get(path).status_code for path in odd} <= {404, 405, 422}
            assert {client.put("/healthz").status_code, client.delete("/runs").status_code} <= {
                404,
                405,
            }


def test_a_token_in_the_wrong_place_is_none(platform: Platform) -> None:
    token = platform.client().headers["authorization"].partition(" ")[2]
    url = platform.sidecar.url + EXECUTE
    tried: tuple[tuple[str, dict[str, str]], ...] = (
        (f"{url}?token={token}", {}),
        (f"{url}?access_token={token}", {}),
        (url, {"Cookie": f"token={token}"}),
        (url, {"X-Api-Key": token}),
        (url, {"Authorization": token}),
    )
    for address, headers in tried:
        answer = httpx.post(address, json=SNIPPET, headers=headers, trust_env=False)
        require_problem(answer)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
