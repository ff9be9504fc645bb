"""The workspace of a session, and the session itself, as both ends speak of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from mini_agent.sandbox.snippet import Limits

DEFAULT_TTL_S: Final = 600.0
LONGEST_TTL_S: Final = 3600.0


class SessionRequest(BaseModel):
    """What opens a session: `ttl_s` seconds without a call end it, `limits` are its defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttl_s: Annotated[float, Field(ge=1, le=LONGEST_TTL_S)] = DEFAULT_TTL_S
    limits: Limits = Limits()


class SessionOpened(BaseModel):
    """A session that was opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    expires_at: datetime


class WorkspaceFile(BaseModel):
    """A regular file in a workspace: its path from there, its size, its last change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    bytes: int
    modified: datetime
