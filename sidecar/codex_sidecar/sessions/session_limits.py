"""The limits of a snippet in a session, where most were fixed when its sandbox was started."""

from __future__ import annotations

from typing import Final

from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import EnforcedLimits
from mini_agent_protocol.snippet import Limits

FIXED: Final = ("memory_mb", "cpus", "pids", "workspace_mb")


def asked_in_session(asked: Limits, usual: Limits) -> Limits:
    """What a snippet asks for in a session whose snippets have `usual` where they say nothing."""
    return usual.model_copy(update=asked.model_dump(exclude_none=True))


def held_to(asked: Limits, settled: EnforcedLimits, held: EnforcedLimits) -> EnforcedLimits:
    """What holds in a sandbox that was started with `held`.

    Time and output are `settled` anew for each snippet; `BadRequest` names a limit that would need
    another sandbox.
    """
    for name in FIXED:
        wanted, has = getattr(asked, name), getattr(held, name)
        if wanted is not None and round(wanted, 3) != has:
            raise BadRequest(
                f"limits.{name} {wanted:g}: this session's sandbox was started with {has:g}",
                field=f"limits.{name}",
                hint="name it when the session is opened, or open another session",
            )
    return held.model_copy(
        update={"timeout_s": settled.timeout_s, "output_bytes": settled.output_bytes}
    )
