"""The allow-list: every call of Docker's API that the guard admits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import urlencode

from codex_sidecar.engine.confinement import SANDBOX_LABEL
from codex_sidecar.guard.errors import MalformedRequest, RequestRefused
from codex_sidecar.guard.http import RequestHead


class Operation(Enum):
    """What a call does."""

    PING = auto()
    VERSION = auto()
    FACTS = auto()
    LIST = auto()
    IMAGE = auto()
    CREATE = auto()
    INSPECT = auto()
    START = auto()
    KILL = auto()
    ATTACH = auto()
    REMOVE = auto()


@dataclass(frozen=True, slots=True)
class EngineCall:
    """An admitted call: `target` is what the engine is sent, `name` a container's."""

    operation: Operation
    method: str
    target: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    operation: Operation
    method: str
    path: str
    query: str = ""


# Never a container's id or a prefix of one, as those are hexadecimal.
NAME_PATTERN: Final = r"mini-agent-sandbox-[0-9a-f]{16}"
_CONTAINER: Final = rf"/containers/({NAME_PATTERN})"
_VERSION: Final = re.compile(r"/v1\.[0-9]{2}(?=/)")
_STREAMS: Final = "stream=1&stdin=1&stdout=1&stderr=1"
_SANDBOXES_ONLY: Final = urlencode(
    {"all": 1, "filters": json.dumps({"label": [f"{SANDBOX_LABEL}=1"]})}
)

_RULES: Final = (
    _Rule(Operation.PING, "GET", "/_ping"),
    _Rule(Operation.VERSION, "GET", "/version"),
    _Rule(Operation.FACTS, "GET", "/info"),
    # The filter of the request is replaced by ours: only sandboxes are listed.
    _Rule(Operation.LIST, "GET", "/containers/json", query=".*"),
    _Rule(Operation.CREATE, "POST", "/containers/create", query=f"name=({NAME_PATTERN})"),
    _Rule(Operation.INSPECT, "GET", f"{_CONTAINER}/json"),
    _Rule(Operation.START, "POST", f"{_CONTAINER}/start"),
    _Rule(Operation.KILL, "POST", f"{_CONTAINER}/kill"),
    _Rule(Operation.ATTACH, "POST", f"{_CONTAINER}/attach", query=re.escape(_STREAMS)),
    _Rule(Operation.REMOVE, "DELETE", _CONTAINER, query="force=1&v=1"),
)


def match_call(head: RequestHead, images: frozenset[str]) -> EngineCall:
    """Return the admitted call that a request makes; raises `RequestRefused` for any other."""
    # The guard chooses the version: in older ones the same fields mean other things.
    path = _VERSION.sub("", head.path, count=1)
    call = _match_image(head, path, images) or _match_rule(head, path)
    if call is None:
        raise RequestRefused("this call is not one that the sidecar makes")
    if head.upgrades != (call.operation is Operation.ATTACH):
        raise MalformedRequest("Upgrade goes with attach, and attach with Upgrade")
    if head.length and call.operation is not Operation.CREATE:
        raise RequestRefused("this call has no body")
    return call


def _match_image(head: RequestHead, path: str, images: frozenset[str]) -> EngineCall | None:
    image = path.removeprefix("/images/").removesuffix("/json")
    if head.method == "GET" and not head.query and path == f"/images/{image}/json":
        return EngineCall(Operation.IMAGE, "GET", path) if image in images else None
    return None


def _match_rule(head: RequestHead, path: str) -> EngineCall | None:
    for rule in _RULES:
        path_match = re.fullmatch(rule.path, path)
        query_match = re.fullmatch(rule.query, head.query)
        if rule.method == head.method and path_match and query_match:
            name = "".join((*path_match.groups(), *query_match.groups()))
            query = _SANDBOXES_ONLY if rule.operation is Operation.LIST else head.query
            return EngineCall(
                rule.operation, rule.method, f"{path}?{query}" if query else path, name
            )
    return None
