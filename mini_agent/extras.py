"""What an extra of the package brings, imported where it is first needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mini_agent.errors import NotConfigured


@contextmanager
def extra_needed(extra: str, *, what: str) -> Iterator[None]:
    """Surrounds the imports of an extra.

    `NotConfigured` in place of `ModuleNotFoundError` says that `what` needs it, and how to get it.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise NotConfigured(
            f"{what} needs {missing.name}, which is not installed",
            hint=f"pip install 'mini-agent[{extra}]'",
        ) from None
