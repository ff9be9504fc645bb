"""The token: who has to bring it, and where it comes from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from codex_sidecar.errors import NotReady
from codex_sidecar.http.auth import load_token
from tests.sidecar.conftest import TOKEN


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN} ", f"bearer{TOKEN}"]
)
@pytest.mark.parametrize("path", ["/v1/execute", "/v1/languages", "/openapi.json"])
async def test_without_the_right_token_nothing_is_told(
    client: httpx.AsyncClient, path: str, header: str
) -> None:
    method = "POST" if path == "/v1/execute" else "GET"
    answer = await client.request(method, path, headers={"Authorization": header})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["code"] == "unauthorized"


async def test_a_token_that_is_no_ascii_is_wrong_and_no_accident(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/languages", headers={b"Authorization": "Bearer é".encode()})
    assert answer.status_code == 401


async def test_health_is_told_to_everybody(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await client.get(path, headers={"Authorization": ""})).json() == {"ok": True}


def test_a_token_is_made_once_and_read_ever_after(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token"
    made = load_token(file, 0o600)
    assert len(made) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_token(file, 0o600) == made
    assert [path.name for path in file.parent.iterdir()] == ["token"]


def test_a_token_too_short_to_be_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("short\n")
    with pytest.raises(NotReady, match="5 characters, fewer than 16"):
        load_token(file, 0o600)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "TOKEN_FILE",
            "/proc/none/token",
            "no token: /proc/none/token can neither be read nor made",
        ),
        ("PORT", "many", "CODEX_SIDECAR_PORT=many: Input should be a valid integer"),
        ("TOKEN_MODE", "rw", "CODEX_SIDECAR_TOKEN_MODE=rw: String should match pattern"),
    ],
)
def test_a_sidecar_that_cannot_start_says_why_in_one_line(
    name: str, value: str, words: str
) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "codex_sidecar"],
        env={f"CODEX_SIDECAR_{name}": value},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"codex-sidecar cannot start: {words}")
    assert refused.stderr.count("\n") == 1
