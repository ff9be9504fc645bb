"""Named tokens: a file of digests and quotas, so that the file itself holds no secret.

[ci]
sha256 = "..."            # printf %s "$TOKEN" | sha256sum
runs_at_once = 4
runs_a_day = 500
requests_a_minute = 120
"""

from __future__ import annotations

import hmac
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from mini_agent.errors import NotConfigured
from mini_agent_shim.http.caller import Caller, Quota

HOW = 'each is a table, [name], with sha256 = "the digest of the token, 64 hexadecimal digits"'

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
Most = Annotated[int, Field(ge=1)]


class NamedToken(BaseModel):
    """One token as the file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", to_lower=True)] = Field(
        description="The SHA-256 digest of the token, 64 hexadecimal digits."
    )
    runs_at_once: Most | None = Field(
        default=None, description="Runs of the token at the same time; null for no bound."
    )
    runs_a_day: Most | None = Field(
        default=None, description="Runs of the token within a day; null for no bound."
    )
    requests_a_minute: Most | None = Field(
        default=None, description="Requests with the token within a minute; null for no bound."
    )

    @property
    def quota(self) -> Quota:
        """What whoever has it may spend."""
        return Quota(self.runs_at_once, self.runs_a_day, self.requests_a_minute)


class Tokens:
    """Every token there is; `whole`, without a name, sees all runs."""

    def __init__(self, whole: str, named: Mapping[str, NamedToken]) -> None:
        self._callers = {each.sha256: Caller(name, each.quota) for name, each in named.items()}
        if whole:
            self._callers[_digest(whole)] = Caller()

    def __bool__(self) -> bool:
        """Whether a token is asked for at all."""
        return bool(self._callers)

    def caller(self, token: str) -> Caller | None:
        """Whose token it is. Every digest is compared, whichever one it is."""
        given, found = _digest(token), None
        for digest, caller in self._callers.items():
            if hmac.compare_digest(given, digest):
                found = caller
        return found


def tokens_in(file: Path | None) -> dict[str, NamedToken]:
    """The file's tokens by name; `NotConfigured` says what is wrong with it."""
    if file is None:
        return {}
    try:
        tables = tomllib.loads(file.read_text())
        named = TypeAdapter(dict[Name, NamedToken]).validate_python(tables)
    except OSError as unreadable:
        raise _wrong(file, f"cannot be read: {unreadable.strerror}") from unreadable
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as odd:
        raise _wrong(file, f"is no TOML: {odd}") from odd
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(step) for step in first["loc"] if step != "[key]")
        raise _wrong(file, f"{where}: {first['msg']}") from None
    if not named:
        raise _wrong(file, "names no token")
    if len({each.sha256 for each in named.values()}) < len(named):
        raise _wrong(file, "has one digest under two names")
    return named


def _wrong(file: Path, what: str) -> NotConfigured:
    return NotConfigured(f"MINI_AGENT_API_TOKENS_FILE {file}: {what}", hint=HOW)


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
